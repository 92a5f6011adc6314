// Files on notes, stored in a real S3-compatible server (s3rver), which checks whose key signed a request.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import S3rver from 's3rver';
import { startDemo } from './server.mjs';

const BUCKET = 'photos';
/** The object that says to which database the bucket belongs. */
const OWNER = 'crm/zoop-database';
const folder = await mkdtemp(join(tmpdir(), 'zoop-bucket-'));
const bucket = new S3rver({
  address: '127.0.0.1',
  port: 0,
  silent: true,
  directory: folder,
  configureBuckets: [{ name: BUCKET, configs: [] }],
});
const { port } = await bucket.run();

/** The settings of a database whose files are in the bucket. */
function settings(key) {
  return {
    ZOOP_DATABASE: `sqlite://${join(folder, key)}.db`,
    ZOOP_FILES_URL: `s3://${BUCKET}/crm`,
    ZOOP_FILES_ENDPOINT: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: key,
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
  };
}

/** Starts a server. */
function start(key) {
  return startDemo(process.env.ZOOP_BINARY, settings(key));
}

/** Runs a command of `zoop`, and returns its answer. */
async function zoop(...words) {
  const env = { PATH: process.env.PATH, ...settings('S3RVER') };
  const { stdout } = await promisify(execFile)(process.env.ZOOP_BINARY, [...words, '--json'], { cwd: folder, env });
  return JSON.parse(stdout);
}

/** What a program does with the files of one note. */
class Note {
  #origin;
  #headers;
  #id;

  static async create(demo) {
    const note = new Note();
    note.#origin = new URL(demo.mcp_url).origin;
    note.#headers = { Authorization: `Bearer ${demo.user_key}` };
    note.#id = (await note.call('notes.create', { body: 'A note with files.' })).id;
    return note;
  }

  async call(name, args) {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
    const answer = await fetch(`${this.#origin}/api/mcp`, {
      method: 'POST',
      headers: { ...this.#headers, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
      body: JSON.stringify(message),
    });
    return JSON.parse((await answer.json()).result.content[0].text);
  }

  upload(body, headers = {}) {
    return fetch(`${this.#origin}/api/notes/${this.#id}/files`, {
      method: 'POST',
      headers: { ...this.#headers, ...headers },
      body,
    });
  }

  get(url, headers = {}) {
    return fetch(`${this.#origin}${url}`, { headers: { ...this.#headers, ...headers } });
  }

  async attachments() {
    return (await this.call('notes.get', { id: this.#id })).attachments;
  }
}

/** The keys of all objects in the bucket. */
async function keys() {
  const names = await readdir(join(folder, BUCKET), { recursive: true });
  const objects = names.filter((name) => name.endsWith('._S3rver_object'));
  return objects.map((name) => name.replace('._S3rver_object', '')).filter((name) => name !== OWNER);
}

const { demo, stop } = await start('S3RVER');
try {
  const note = await Note.create(demo);
  const text = Buffer.from('The gate code is 4711.');
  const added = await note.upload(text, { 'Content-Disposition': 'attachment; filename="code.txt"' });
  assert.equal(added.status, 201, await added.clone().text());
  const small = await added.json();
  assert.equal(small.type, 'text/plain');
  assert.deepEqual(Buffer.from(await (await note.get(small.url)).arrayBuffer()), text);
  const [key, ...others] = await keys();
  assert.deepEqual(others, []);
  assert.match(key, new RegExp(`^crm/[0-9a-f-]{36}/${small.id}$`));
  console.log('✓ a file is stored in the bucket under ids, and read again');

  // Longer than two parts of the store, so that it is uploaded in parts.
  const long = Buffer.concat([Buffer.from('\xff\xd8\xff\xe0', 'latin1'), randomBytes(12 << 20)]);
  const form = new FormData();
  form.append('file', new Blob([long]), 'meter.jpg');
  form.append('file', new Blob([text]), 'more.txt');
  const several = await note.upload(form);
  assert.equal(several.status, 201, await several.clone().text());
  const [photo] = (await several.json()).attachments;
  assert.equal(photo.size, long.length);
  const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(hash(Buffer.from(await (await note.get(photo.url)).arrayBuffer())), hash(long));
  const part = await note.get(photo.url, { Range: `bytes=${6 << 20}-${(6 << 20) + 99}` });
  assert.equal(part.status, 206);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), long.subarray(6 << 20, (6 << 20) + 100));
  assert.equal((await note.attachments()).length, 3);
  console.log('✓ a long file is uploaded in parts, and read whole and in part');

  const before = await keys();
  const page = new FormData();
  page.append('file', new Blob([text]), 'fine.txt');
  page.append('file', new Blob(['<html><script>alert(1)</script></html>']), 'photo.jpg');
  assert.equal((await note.upload(page)).status, 400);
  assert.deepEqual(await keys(), before);
  console.log('✓ what is refused leaves nothing in the bucket');

  const { checks } = await zoop('doctor');
  const detail = (name) => checks.find((check) => check.name === name).detail;
  assert.match(detail('owner of files'), /belongs to this database/);
  assert.match(detail('content of files'), /all 3 files on notes is in/);
  const { files } = await zoop('backup', 'copy.db');
  assert.deepEqual([files.folder, files.copied, files.missing], ['copy.db-files', 3, 0]);
  const copied = before.map((name) => readFile(join(folder, 'copy.db-files', name.replace('crm/', ''))));
  const hashes = (await Promise.all(copied)).map(hash).sort();
  assert.deepEqual(hashes, [hash(text), hash(text), hash(long)].sort());
  const again = await zoop('backup', 'copy.db', '--force');
  assert.deepEqual([again.files.copied, again.files.already_there], [0, 3]);
  console.log('✓ a backup has what is in the bucket');
} finally {
  await stop();
}

const wrong = await start('UNKNOWN');
try {
  const note = await Note.create(wrong.demo);
  const refused = await note.upload('The gate code is 4711.');
  assert.equal(refused.status, 503, await refused.clone().text());
  assert.deepEqual(await note.attachments(), []);
  console.log('✓ a bucket that refuses its key is told as a storage that is not available');
} finally {
  await wrong.stop();
  await bucket.close();
  await rm(folder, { recursive: true, force: true });
}
