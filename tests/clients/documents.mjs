// Runs the SDKs as clients that are known by documents (draft-ietf-oauth-client-id-metadata-document).
//
// usage: node documents.mjs --zoop BINARY --python PYTHON
//
// The documents are on this machine, at addresses that only a build with the feature `conformance-fixtures`
// accepts, with a certificate of an authority that exists only while this program runs.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { check } from './browser.mjs';
import { showAll, tell } from './programs.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: { zoop: { type: 'string' }, python: { type: 'string' } },
});

/** Each client's metadata; its redirect URI is also in the client itself. */
const documents = {
  '/typescript.json': { client_name: 'TypeScript SDK', redirect_uris: ['http://localhost:4040/callback'] },
  '/python.json': { client_name: 'Python SDK', redirect_uris: ['http://localhost:3030/callback'] },
};

/** An authority and its certificate for localhost, in a folder. */
function certify(folder) {
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const openssl = (...args) => execFileSync('openssl', [...request, ...args], { cwd: folder, stdio: 'pipe' });
  openssl('-subj', '/CN=Authority of a test', '-keyout', 'root.key', '-out', 'root.pem');
  openssl(
    ...['-CA', 'root.pem', '-CAkey', 'root.key', '-subj', '/CN=localhost', '-keyout', 'own.key', '-out', 'own.pem'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'subjectAltName=DNS:localhost'],
  );
}

const folder = await mkdtemp(join(tmpdir(), 'zoop-documents-'));
try {
  certify(folder);
  const fetched = [];
  const [key, cert] = await Promise.all(['own.key', 'own.pem'].map((name) => readFile(join(folder, name))));
  const server = createServer({ key, cert }, (request, response) => {
    fetched.push(request.url);
    const document = documents[request.url];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ client_id: `${origin}${request.url}`, ...document }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `https://localhost:${server.address().port}`;

  const clients = [
    {
      name: 'TypeScript, known by a document',
      command: [process.execPath, '--no-warnings', join(here, 'typescript_oauth.mjs')],
      environment: { ZOOP_DOCUMENT_URL: `${origin}/typescript.json` },
    },
    {
      name: 'Python, known by a document',
      command: [options.python, join(here, 'python_oauth.py')],
      environment: { ZOOP_DOCUMENT_URL: `${origin}/python.json` },
    },
  ];
  const counts = await showAll(clients, options.zoop, { SSL_CERT_FILE: join(folder, 'root.pem') });
  server.close();
  // A document is cached, so that requesting more scopes does not fetch it again.
  const isOnce = fetched.join(' ') === Object.keys(documents).join(' ');
  check('each document is fetched once', isOnce, fetched);
  counts[isOnce ? 'passed' : 'failed'] += 1;
  tell('documents', counts);
} finally {
  await rm(folder, { recursive: true, force: true });
}
