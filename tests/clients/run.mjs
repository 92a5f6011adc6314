// Runs every client against the built binary and counts what they say.
//
// usage: node run.mjs --zoop BINARY --python PYTHON
//
// A client prints one line a behaviour, with ✓ or ✗. It fails as a whole when it ends badly, or when it
// leaves out a behaviour that all clients have to show (behaviours.json).

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startDemo } from './server.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: { zoop: { type: 'string' }, python: { type: 'string' } },
});
const behaviours = JSON.parse(await readFile(join(here, 'behaviours.json'), 'utf8'));
const ERAS = ['legacy', 'auto', '2026-07-28'];
const node = (...args) => [process.execPath, '--no-warnings', ...args];

const clients = [
  { name: 'curl', command: ['bash', join(here, 'curl.sh')], shows: [] },
  { name: "the document's loop", command: node(join(here, 'pagination.mts')), shows: [] },
  ...ERAS.map((era) => ({
    name: `TypeScript, ${era}`,
    command: node(join(here, 'typescript.mjs'), era),
    shows: behaviours,
  })),
  ...ERAS.map((era) => ({
    name: `Python, ${era}`,
    command: [options.python, join(here, 'python_client.py'), era],
    shows: behaviours,
  })),
  { name: "oidc-provider, as a company's own", command: node(join(here, 'company.mjs')), shows: [] },
  { name: 'TypeScript, connected by a person', command: node(join(here, 'typescript_oauth.mjs')), shows: [] },
  { name: 'Python, connected by a person', command: [options.python, join(here, 'python_oauth.py')], shows: [] },
  { name: 'oauth4webapi', command: node(join(here, 'oauth4webapi.mjs')), shows: [] },
];

/** Runs a client to its end; what it prints goes on as it comes. */
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

const { demo, stop } = await startDemo(options.zoop);
const environment = {
  ...process.env,
  NODE: process.execPath,
  ZOOP_BINARY: options.zoop,
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

for (const { name, command, shows } of clients) {
  console.log(name);
  const { lines, end } = await run(command, environment);
  const shown = lines.filter((line) => line.startsWith('✓ ') || line.startsWith('✗ '));
  passed += shown.filter((line) => line.startsWith('✓ ')).length;
  failed += shown.filter((line) => line.startsWith('✗ ')).length;
  if (end !== 0) {
    fail(`the client ended with ${end}`);
    continue;
  }
  if (shown.length === 0) fail('the client showed nothing');
  for (const behaviour of shows) {
    const line = shown.find((it) => it.slice(2).startsWith(behaviour));
    if (line === undefined) fail(`left out: ${behaviour}`);
  }
}

try {
  await stop();
  passed += 1;
  console.log('✓ the server stops cleanly');
} catch (error) {
  fail(error.message);
}
console.log(`clients: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
