// Files on notes, stored in a real S3-compatible server (s3rver), which checks whose key signed a request.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { startDemo } from './server.mjs';

const BUCKET = 'photos';
const folder = await mkdtemp(join(tmpdir(), 'zoop-bucket-'));
const bucket = new S3rver({
  address: '127.0.0.1',
  port: 0,
  silent: true,
  directory: folder,
  configureBuckets: [{ name: BUCKET, configs: [] }],
});
const { port } = await bucket.run();

/** Starts a server whose files are in the bucket. */
function start(key) {
  return startDemo(process.env.ZOOP_BINARY, {
    ZOOP_FILES_URL: `s3://${BUCKET}/crm`,
    ZOOP_FILES_ENDPOINT: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: key,
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
  });
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
  return names.filter((name) => name.endsWith('._S3rver_object')).map((name) => name.replace('._S3rver_object', ''));
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
