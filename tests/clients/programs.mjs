// Runs programs against the built binary, one after the other, and counts their results.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { startDemo } from './server.mjs';

/** Runs a client to its end, and passes its output on. */
function run([program, ...args], environment) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      console.log(`  ${line}`);
    });
    child.once('error', (error) => resolve({ lines, end: error.message }));
    child.once('close', (code, signal) => resolve({ lines, end: code ?? signal }));
  });
}

/**
 * @param {{name: string, command: string[], shows?: string[], environment?: Record<string, string>}[]} clients
 *   each one's name, its command, and the behaviors it must show
 * @param {string} binary the path of `zoop`
 * @param {Record<string, string>} settings further variables of the server
 * @returns {Promise<{passed: number, failed: number}>} the counts of their results
 */
export async function showAll(clients, binary, settings = {}) {
  const { demo, stop } = await startDemo(binary, settings);
  const environment = {
    ...process.env,
    NODE: process.execPath,
    ZOOP_BINARY: binary,
    ZOOP_OWNER_EMAIL: demo.owner_email,
    ZOOP_OWNER_PASSWORD: demo.owner_password,
    ZOOP_MCP_URL: demo.mcp_url,
    ZOOP_USER_KEY: demo.user_key,
    ZOOP_TENANT_KEY: demo.tenant_key,
  };
  let passed = 0;
  let failed = 0;
  const fail = (reason) => {
    failed += 1;
    console.log(`  ✗ ${reason}`);
  };

  for (const { name, command, shows = [], environment: own = {} } of clients) {
    console.log(name);
    const { lines, end } = await run(command, { ...environment, ...own });
    const shown = lines.filter((line) => line.startsWith('✓ ') || line.startsWith('✗ '));
    passed += shown.filter((line) => line.startsWith('✓ ')).length;
    failed += shown.filter((line) => line.startsWith('✗ ')).length;
    if (end !== 0) {
      fail(`the client ended with ${end}`);
      continue;
    }
    if (shown.length === 0) fail('the client showed nothing');
    for (const behavior of shows) {
      const line = shown.find((it) => it.slice(2).startsWith(behavior));
      if (line === undefined) fail(`left out: ${behavior}`);
    }
  }

  try {
    await stop();
    passed += 1;
    console.log('✓ the server stops cleanly');
  } catch (error) {
    fail(error.message);
  }
  return { passed, failed };
}

/** Ends with the counts. */
export function tell(title, { passed, failed }) {
  console.log(`${title}: ${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
