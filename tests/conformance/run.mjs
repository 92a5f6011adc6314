// Runs the official conformance suite against the built binary, for both revisions that the server
// supports, and checks the result against the lists of what cannot apply.
//
// usage: node run.mjs --zoop BINARY --suite FILE --results FOLDER [--only REVISION]
//
// A run fails when
// - a scenario or check fails that no list names, scored by the suite or not;
// - a list names something that passes or does not occur: the lists may only shrink;
// - an entry of a list has no reason;
// - a scenario that must pass did not run, or did not pass.

import { spawn } from 'node:child_process';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startDemo } from '../clients/server.mjs';
import { startProxy } from './proxy.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    zoop: { type: 'string' },
    suite: { type: 'string' },
    results: { type: 'string' },
    only: { type: 'string' },
  },
});

/** Scenarios this server must pass; no list may name one of these as a whole. */
const MUST_PASS = {
  '2026-07-28': [
    'server-stateless',
    'tools-list',
    'tools-call-simple-text',
    'tools-call-error',
    'http-header-validation',
    'dns-rebinding-protection',
    'caching',
    'prompts-list',
    'resources-list',
    'sep-2164-resource-not-found',
    'server-sse-multiple-streams',
    'input-required-result-unsupported-methods',
  ],
  '2025-11-25': [
    'server-initialize',
    'ping',
    'tools-list',
    'tools-call-simple-text',
    'tools-call-error',
    'dns-rebinding-protection',
    'prompts-list',
    'resources-list',
  ],
};

/** The entries of a list: `- scenario # reason` or `- scenario:check # reason`, one per line. */
function readList(text) {
  const entries = new Map();
  for (const line of text.split('\n')) {
    const [, entry, reason] = /^\s+- (\S+)(?:\s+#\s*(.*))?$/.exec(line) ?? [];
    if (entry !== undefined) entries.set(entry, reason ?? '');
  }
  return entries;
}

/** Runs the suite. It checks its own scored scenarios against the list too, and that verdict counts. */
function runSuite(url, revision, list, folder) {
  const args = [options.suite, 'server', '--url', url, '--requirements', revision];
  args.push('--expected-failures', list, '--output-dir', folder);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        log += text;
      });
    }
    child.once('close', (code, signal) => resolve({ log, end: code ?? signal }));
  });
}

/** Scenario to checks, from the files that the suite wrote. */
async function readResults(folder) {
  const results = new Map();
  for (const name of await readdir(folder)) {
    const [, scenario] = /^server-(.+)-\d{4}-\d\d-\d\dT/.exec(name) ?? [];
    if (scenario === undefined) continue;
    results.set(scenario, JSON.parse(await readFile(join(folder, name, 'checks.json'), 'utf8')));
  }
  return results;
}

const isSuccess = ({ status }) => status === 'SUCCESS';
const isFailure = ({ status }) => status === 'FAILURE' || status === 'WARNING';

/** Everything that is wrong with a run, one sentence each. */
function judge(results, list, mustPass) {
  const faults = [];
  for (const [entry, reason] of list) {
    const [scenario, check] = entry.split(':');
    const checks = (results.get(scenario) ?? []).filter(({ id }) => check === undefined || id === check);
    if (reason === '') faults.push(`${entry} is in the list without a reason`);
    if (checks.length === 0) faults.push(`${entry} is in the list but does not occur`);
    else if (!checks.some(isFailure)) faults.push(`${entry} passes: take it off the list`);
    if (check === undefined && mustPass.includes(scenario)) {
      faults.push(`${entry} must pass and cannot be in the list`);
    }
  }
  for (const scenario of mustPass) {
    const checks = results.get(scenario) ?? [];
    if (!checks.some(isSuccess)) {
      faults.push(`${scenario} must pass and did not run`);
    }
  }
  for (const [scenario, checks] of results) {
    for (const { id, name, status, errorMessage } of checks.filter(isFailure)) {
      if (list.has(`${scenario}:${id}`)) continue;
      // An error must match the revision's schema too.
      if (list.has(scenario) && id !== 'wire-schema-valid') continue;
      faults.push(`${scenario}:${id} (${name}): ${status}: ${errorMessage ?? 'no message'}`);
    }
  }
  return faults;
}

const { demo, stop } = await startDemo(options.zoop);
const { host, pathname } = new URL(demo.mcp_url);
const proxy = await startProxy({ host, token: demo.user_key });
let passed = 0;
let failed = 0;
const revisions = options.only === undefined ? Object.keys(MUST_PASS) : [options.only];

for (const revision of revisions) {
  const folder = join(options.results, revision);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const file = join(here, 'expected-failures', `${revision}.yaml`);
  const list = readList(await readFile(file, 'utf8'));
  const { log, end } = await runSuite(`${proxy.url}${pathname}`, revision, file, folder);
  await writeFile(join(folder, 'output.txt'), log);
  const results = await readResults(folder);
  const faults = judge(results, list, MUST_PASS[revision]);
  if (results.size === 0) faults.push(`the suite ran no scenario:\n${log}`);
  if (end !== 0) faults.push(`the suite ended with ${end}; what it said is in ${folder}/output.txt`);

  const green = [...results]
    .filter(([scenario, checks]) => !list.has(scenario) && checks.some(isSuccess))
    .filter(([scenario, checks]) => checks.filter(isFailure).every(({ id }) => list.has(`${scenario}:${id}`)))
    .map(([scenario, checks]) => {
      const excused = checks.filter(isFailure).length;
      return excused === 0 ? scenario : `${scenario} (but for ${excused} checks that cannot apply)`;
    });
  const checks = [...results.values()].flat();
  const succeeded = checks.filter(isSuccess).length;
  console.log(
    `${revision}: ${results.size} scenarios, ${green.length} pass, ${list.size} entries cannot apply; ` +
      `${succeeded} checks pass`,
  );
  console.log(`  passing: ${green.sort().join(', ')}`);
  faults.forEach((fault) => console.log(`  ✗ ${fault}`));
  passed += green.length;
  failed += faults.length;
}

proxy.close();
await stop();
console.log(`conformance: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
