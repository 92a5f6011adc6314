// Runs the official conformance suite's scenarios for authorization servers against the built binary, for
// both revisions. All of them apply, so there is no list of expected failures.
//
// usage: node authorization.mjs --zoop BINARY --suite FILE --results FOLDER

import { spawn } from 'node:child_process';
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { decide, person } from '../clients/people.mjs';
import { startDemo } from '../clients/server.mjs';

const { values: options } = parseArgs({
  options: { zoop: { type: 'string' }, suite: { type: 'string' }, results: { type: 'string' } },
});
const REVISIONS = ['2026-07-28', '2025-11-25'];
/** Checks that have to run and pass: a suite that skips one has shown nothing. */
const MUST_PASS = ['authorization-server-metadata', 'authorization-code-grant'];

/** A port that was free a moment ago: the suite takes a number. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs the suite, whose authorization requests a signed-in user allows. */
async function runSuite(zoop, browser, args) {
  const child = spawn(process.execPath, ['--no-warnings', options.suite, 'authorization', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const log = [];
  for await (const line of createInterface({ input: child.stdout })) {
    log.push(line);
    if (!line.startsWith(`${zoop}/oauth/authorize?`)) continue;
    const { url, page } = await decide(browser, zoop, line);
    if (url === undefined) {
      child.kill();
      throw new Error(`no way back: ${page.status} ${page.text}`);
    }
    await fetch(url);
  }
  const [code, signal] = await ended;
  return { end: code ?? signal, log: log.join('\n') };
}

/** All checks in the files that the suite wrote. */
async function readChecks(folder) {
  const files = await readdir(folder, { recursive: true });
  const results = files.filter((file) => file.endsWith('checks.json'));
  return (await Promise.all(results.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8'))))).flat();
}

const { demo, stop } = await startDemo(options.zoop);
const zoop = new URL(demo.mcp_url).origin;
const browser = await person(zoop, demo.owner_email, demo.owner_password);
let passed = 0;
let failed = 0;

for (const revision of REVISIONS) {
  const folder = join(options.results, `authorization-${revision}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const registration = await fetch(`${zoop}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Conformance', redirect_uris: [`http://127.0.0.1:${port}/callback`] }),
  });
  const { client_id: client } = await registration.json();
  const { end, log } = await runSuite(zoop, browser, [
    ...['--url', zoop, '--client-id', client, '--resource', demo.mcp_url],
    ...['--port', String(port), '--spec-version', revision, '--output-dir', folder],
  ]);
  const checks = await readChecks(folder);
  const faults = checks
    .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
    .map(({ id, status, errorMessage }) => `${id}: ${status}: ${errorMessage ?? 'no message'}`);
  for (const must of MUST_PASS) {
    if (!checks.some(({ id, status }) => id === must && status === 'SUCCESS')) faults.push(`${must} did not pass`);
  }
  if (end !== 0) faults.push(`the suite ended with ${end}:\n${log}`);
  const green = checks.filter(({ status }) => status === 'SUCCESS').map(({ id }) => id);
  console.log(`${revision}: ${green.length} checks of an authorization server pass: ${green.join(', ')}`);
  faults.forEach((fault) => console.log(`  ✗ ${fault}`));
  passed += green.length;
  failed += faults.length;
}

await stop();
console.log(`conformance of the authorization server: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
