// Runs every example of the guide (docs/api.md) against the built binary, from top to bottom, and compares
// the answers with those on the page.
//
// usage: node guide.mjs GUIDE    (ZOOP_BINARY, PYTHON; with ZOOP_WRITE_DOCS=1 the answers are rewritten)
//
// A block of `sh`, `python` or `ts` is run. The block right after it, if it is one of these, is the answer:
// `json` the body, `json result` the content of a tool's text result, `http` status, headers and body,
// `text` the output. Any other block is an error, so that no example is untested.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { decide, person } from './people.mjs';
import { startServer } from './server.mjs';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const [guide] = process.argv.slice(2);
const { ZOOP_BINARY: binary, PYTHON: python } = process.env;
const PUBLIC = 'https://crm.example.com';
const KEY = 'zoop_uk_…';
const OUTCOMES = ['json', 'json result', 'http', 'text'];
/** The headers that the page mentions. */
const HEADERS = ['retry-after', 'ratelimit-policy', 'ratelimit', 'www-authenticate', 'allow'];

/** The page's fenced blocks, in order. */
function blocks(page) {
  return [...page.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(({ 0: whole, 1: kind, 2: text, index }) => ({
    kind,
    text,
    at: index + whole.indexOf('\n') + 1,
    line: page.slice(0, index).split('\n').length,
  }));
}

/** A shell that keeps the state of earlier blocks. */
class Shell {
  #process;
  #output = '';
  #wake = () => {};

  constructor(environment) {
    this.#process = spawn('bash', [], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
    const heard = (text) => {
      this.#output += text;
      this.#wake();
    };
    this.#process.stdout.setEncoding('utf8').on('data', heard);
    this.#process.once('close', () => heard('\u0004 ended\n'));
  }

  /** The commands' output; an error if the last of them fails. */
  async run(commands) {
    this.#process.stdin.write(`${commands}\nprintf '\\004 %s\\n' "$?"\n`);
    for (;;) {
      const end = /\u0004 (.*)\n/.exec(this.#output);
      if (end !== null) {
        const printed = this.#output.slice(0, end.index);
        this.#output = this.#output.slice(end.index + end[0].length);
        assert.equal(end[1], '0', `the shell's exit code, after ${printed}`);
        return printed;
      }
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  stop() {
    this.#process.stdin.end();
  }
}

const known = new Map();

/** Normalizes what changes from run to run. */
function settled(text, server) {
  return text
    .replaceAll(server.origin, PUBLIC)
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => {
      if (id.startsWith('01890000-')) return id;
      if (!known.has(id)) known.set(id, `0198c1f0-0000-7000-8000-${String(known.size + 1).padStart(12, '0')}`);
      return known.get(id);
    })
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '2026-06-13T18:00:00.000Z')
    .replace(/(nextCursor\\?": ?\\?")[^"\\]+/g, '$1eyJ2IjoxLCJpZCI6Ij…')
    .replace(/(retry_after_s\\?": ?)\d+/g, '$142')
    .replace(/again in \d+ s/g, 'again in 42 s')
    .replace(/^(Retry-After: )\d+/gm, '$142')
    .replace(/"credential";r=[1-9]\d*/g, '"credential";r=117')
    .replace(/"tenant";r=[1-9]\d*/g, '"tenant";r=584')
    .replace(/;t=\d+/g, ';t=42');
}

/** Readable JSON: what fits on one line is on one line. */
function pretty(text) {
  const write = (value, indent) => {
    const short = JSON.stringify(value, null, 1).replace(/\n */g, ' ').replaceAll('{ }', '{}').replaceAll('[ ]', '[]');
    if (typeof value !== 'object' || value === null || indent.length + short.length <= 110) return short;
    const deeper = `${indent}  `;
    const [open, close] = Array.isArray(value) ? '[]' : '{}';
    const members = Array.isArray(value)
      ? value.map((member) => write(member, deeper))
      : Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${write(member, deeper)}`);
    return `${open}\n${members.map((member) => `${deeper}${member}`).join(',\n')}\n${indent}${close}`;
  };
  return `${write(JSON.parse(text), '')}\n`;
}

/** Status, the headers that matter, and the body. */
function response(text) {
  const [head, ...body] = text.split('\r\n\r\n');
  const [status, ...lines] = head.split('\r\n');
  const named = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
  const cased = (name) => name.replace('ratelimit', 'RateLimit').replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())
    .replace('Www', 'WWW');
  const shown = HEADERS.flatMap((name) =>
    named.filter(([its]) => its.toLowerCase() === name).map(([, value]) => `${cased(name)}: ${value}\n`),
  );
  const rest = body.join('\r\n\r\n');
  return `${status}\n${shown.join('')}${rest === '' ? '' : `\n${pretty(rest)}`}`;
}

const SHOW = {
  json: pretty,
  'json result': (text) => pretty(JSON.parse(text).result.content[0].text),
  http: response,
  text: (text) => `${text.trimEnd()}\n`,
};

/** A business, its keys, and a client with one scope: the values of the page's variables. */
async function business(folder) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('ZOOP_'));
  const environment = { ...Object.fromEntries(own), ZOOP_DATABASE: `sqlite://${join(folder, 'zoop.db')}` };
  const zoop = async (...args) => JSON.parse((await run(binary, [...args, '--json'], { env: environment })).stdout);
  const { owner_id: owner } = await zoop(
    'tenant', 'create', '--name', "Ada's Lawns", '--owner-name', 'Ada', '--owner-email', 'ada@example.com',
  );
  const password = 'a password of some length';
  const set = spawn(binary, ['user', 'set-password', 'ada@example.com'], { env: environment, stdio: ['pipe', 'ignore', 'inherit'] });
  set.stdin.end(`${password}\n`);
  assert.equal(await new Promise((resolve) => set.once('close', resolve)), 0);
  const all = ['read:customers', 'write:customers', 'read:notes', 'write:notes'].flatMap((scope) => ['--scope', scope]);
  const key = async (...args) => (await zoop('key', 'create', '--user', owner, ...args)).key;
  return {
    environment,
    password,
    key: await key(...all),
    ZOOP_KEY: await key(...all),
    ZOOP_READ_KEY: await key('--scope', 'read:customers'),
    ZOOP_SPENT_KEY: await key('--scope', 'read:customers', '--limit', '1'),
  };
}

/** The token of a client that requested only read access to customers. */
async function token({ origin }, password) {
  const post = async (path, body) => (await fetch(`${origin}${path}`, { method: 'POST', ...body })).json();
  const redirect = 'http://127.0.0.1/callback';
  const { client_id: client } = await post('/oauth/register', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Guide', redirect_uris: [redirect], token_endpoint_auth_method: 'none' }),
  });
  const verifier = 'a-verifier-of-forty-three-characters-or-more-is-needed';
  const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(verifier))).toString('base64url');
  const asked = new URLSearchParams({
    client_id: client, redirect_uri: redirect, response_type: 'code', code_challenge: challenge,
    code_challenge_method: 'S256', scope: 'read:customers', resource: `${origin}/api/mcp`, state: 'x',
  });
  const browser = await person(origin, 'ada@example.com', password);
  const { url, page } = await decide(browser, origin, `${origin}/oauth/authorize?${asked}`);
  assert.ok(url, page?.text);
  const granted = await post('/oauth/token', {
    body: new URLSearchParams({
      grant_type: 'authorization_code', client_id: client, redirect_uri: redirect, code_verifier: verifier,
      code: url.searchParams.get('code'), resource: `${origin}/api/mcp`,
    }),
  });
  return granted.access_token;
}

/**
 * An address at which a client's first tool call reaches the overloaded server, and everything else the
 * working one: a client that does not wait and retry fails.
 */
async function stumbling(working, busy, overloaded) {
  let stumbled = false;
  const front = createServer(async (request, answer) => {
    const body = Buffer.concat(await Array.fromAsync(request));
    const stumbles = !stumbled && body.includes('"tools/call"');
    stumbled ||= stumbles;
    const { host, connection, 'transfer-encoding': _, 'content-length': __, ...headers } = request.headers;
    const sent = { method: request.method, headers, ...(body.length > 0 && { body }) };
    const send = ({ origin }) => fetch(`${origin}${request.url}`, sent);
    const came = await (stumbles ? overloaded(() => send(busy)) : send(working));
    answer.writeHead(came.status, { 'content-type': came.headers.get('content-type') ?? 'text/plain' });
    answer.end(Buffer.from(await came.arrayBuffer()));
  });
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${front.address().port}/api/mcp`,
    stumbled: () => stumbled,
    stop: () => front.close(() => {}),
  };
}

/** The requests of one business that a server with one seat has or lets wait; the next is answered 503 at once. */
const PLACES = 4;

/**
 * Runs `work` while a server that processes one request at a time has no place left: writes wait for the database's
 * lock, which this process holds.
 */
async function overloading({ origin }, { key, file }, work) {
  const ask = (method, params, signal) =>
    fetch(`${origin}/api/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal,
    });
  const database = new DatabaseSync(file);
  // The use of the key may be being written.
  database.exec('PRAGMA busy_timeout = 5000');
  database.exec('BEGIN IMMEDIATE');
  const held = new Set();
  const hold = async () => {
    const remove = { name: 'tags.delete', arguments: { id: '01890000-0000-7000-8000-000000000000' } };
    await (await ask('tools/call', remove)).text();
  };
  try {
    // A ping that waits takes a place until its connection has ended, so one answer of 503 proves nothing.
    for (let refused = 0; refused < 4; ) {
      while (held.size < PLACES) {
        const holding = hold().finally(() => held.delete(holding));
        held.add(holding);
      }
      const status = await ask('ping', undefined, AbortSignal.timeout(200)).then(
        async (ping) => (await ping.text(), ping.status),
        () => null,
      );
      refused = status === 503 ? refused + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return await work();
  } finally {
    database.exec('ROLLBACK');
    database.close();
    await Promise.all(held);
  }
}

const folder = await mkdtemp(join(tmpdir(), 'zoop-guide-'));
const made = await business(folder);
const server = await startServer(binary, made.environment);
// One that processes one request at a time, and one at which a user may write two notes per minute.
const busy = await startServer(binary, {
  ...made.environment, ZOOP_SERVER_IN_FLIGHT: '1', ZOOP_LIMITS_CREDENTIAL: '0', ZOOP_LIMITS_TENANT: '0',
});
const overloaded = (work) => overloading(busy, { key: made.key, file: join(folder, 'zoop.db') }, work);
const strict = await startServer(binary, { ...made.environment, ZOOP_LIMITS_NOTE_WRITES: '2' });
const environment = {
  ...process.env,
  ZOOP_URL: `${server.origin}/api/mcp`,
  ZOOP_BUSY_URL: `${busy.origin}/api/mcp`,
  ZOOP_STRICT_URL: `${strict.origin}/api/mcp`,
  ZOOP_TOKEN: await token(server, made.password),
  ...Object.fromEntries(Object.entries(made).filter(([name]) => name.startsWith('ZOOP_'))),
};
await fetch(environment.ZOOP_URL, {
  method: 'POST',
  headers: { authorization: `Bearer ${made.ZOOP_SPENT_KEY}`, 'content-type': 'application/json' },
  body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"tags.list","arguments":{}}}',
});

// From now on the server knows whose places these credentials take.
for (const credential of [made.key, made.ZOOP_KEY, environment.ZOOP_TOKEN]) {
  const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const headers = { authorization: `Bearer ${credential}`, 'content-type': 'application/json' };
  assert.equal((await fetch(environment.ZOOP_BUSY_URL, { method: 'POST', headers, body })).status, 200);
}

const page = await readFile(guide, 'utf8');
const shell = new Shell(environment);
const program = async (command, name, text) => {
  const file = join(here, name);
  await writeFile(file, text);
  const front = await stumbling(server, busy, overloaded);
  const flags = command === python ? [] : ['--no-warnings'];
  try {
    const { stdout } = await run(command, [...flags, file], { env: { ...environment, ZOOP_URL: front.url } });
    assert.ok(front.stumbled(), 'the program called a tool');
    return stdout;
  } finally {
    front.stop();
  }
};
const RUN = {
  sh: (text) => (text.includes('ZOOP_BUSY_URL') ? overloaded(() => shell.run(text)) : shell.run(text)),
  python: (text) => program(python, 'guide_example.py', text),
  ts: (text) => program(process.execPath, 'guide_example.mts', text),
};

let written = page;
let moved = 0;
const all = blocks(page);
let printed;
for (const [index, block] of all.entries()) {
  const where = `line ${block.line}`;
  try {
    if (block.kind in RUN) {
      const text = block.text.replaceAll(PUBLIC, server.origin).replaceAll(KEY, made.ZOOP_KEY);
      printed = await RUN[block.kind](text);
      if (!OUTCOMES.includes(all[index + 1]?.kind)) {
        assert.equal(printed, '', 'the page does not tell what is printed');
      }
      console.log(`✓ ${where}: the example runs`);
      continue;
    }
    assert.ok(OUTCOMES.includes(block.kind), `a block is one of ${[...Object.keys(RUN), ...OUTCOMES].join(', ')}`);
    assert.ok(printed !== undefined, 'no example stands before this answer');
    const came = settled(SHOW[block.kind](printed), server);
    printed = undefined;
    if (process.env.ZOOP_WRITE_DOCS !== undefined) {
      const at = block.at + moved;
      written = written.slice(0, at) + came + written.slice(at + block.text.length);
      moved += came.length - block.text.length;
    } else {
      assert.equal(block.text, came);
    }
    console.log(`✓ ${where}: the answer is the one on the page`);
  } catch (error) {
    // A command's error is at the end of what it printed.
    const text = error.message.replaceAll('\n', ' ');
    const shown = text.length > 2000 ? `${text.slice(0, 300)} … ${text.slice(-1700)}` : text;
    console.log(`✗ ${where}: ${shown}`);
  }
}
if (written !== page) await writeFile(guide, written);
shell.stop();
await strict.stop();
await busy.stop();
await server.stop();
await rm(folder, { recursive: true, force: true });
