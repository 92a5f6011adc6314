// Runs every client against the built binary and counts their results.
//
// usage: node run.mjs --zoop BINARY --python PYTHON --guide docs/api.md
//
// A client prints one line per behavior, with ✓ or ✗. It fails as a whole when it exits with an error, or when it
// leaves out a behavior that all clients have to show (behaviors.json).

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { showAll, tell } from './programs.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: { zoop: { type: 'string' }, python: { type: 'string' }, guide: { type: 'string' } },
});
const behaviors = JSON.parse(await readFile(join(here, 'behaviors.json'), 'utf8'));
const ERAS = ['legacy', 'auto', '2026-07-28'];
const node = (...args) => [process.execPath, '--no-warnings', ...args];

const clients = [
  { name: 'curl', command: ['bash', join(here, 'curl.sh')] },
  {
    name: 'the guide',
    command: node(join(here, 'guide.mjs'), options.guide),
    environment: { PYTHON: options.python },
  },
  { name: "the document's loop", command: node(join(here, 'pagination.mts')) },
  ...ERAS.map((era) => ({
    name: `TypeScript, ${era}`,
    command: node(join(here, 'typescript.mjs'), era),
    shows: behaviors,
  })),
  ...ERAS.map((era) => ({
    name: `Python, ${era}`,
    command: [options.python, join(here, 'python_client.py'), era],
    shows: behaviors,
  })),
  { name: "oidc-provider, as a company's own", command: node(join(here, 'company.mjs')) },
  { name: 'TypeScript, connected by a person', command: node(join(here, 'typescript_oauth.mjs')) },
  { name: 'Python, connected by a person', command: [options.python, join(here, 'python_oauth.py')] },
  {
    name: 'TypeScript, connected by a person, at localhost',
    command: node(join(here, 'typescript_oauth.mjs')),
    environment: { ZOOP_CALLED: 'localhost' },
  },
  {
    name: 'Python, connected by a person, at localhost',
    command: [options.python, join(here, 'python_oauth.py')],
    environment: { ZOOP_CALLED: 'localhost' },
  },
  { name: 'files in a bucket', command: node(join(here, 'files.mjs')) },
  { name: 'oauth4webapi', command: node(join(here, 'oauth4webapi.mjs')) },
];

tell('clients', await showAll(clients, options.zoop));
