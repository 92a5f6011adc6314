// The TypeScript SDK connects a client automatically: it finds the authorization server, registers, sends the
// user to consent, requests more scopes when needed, and refreshes. If ZOOP_DOCUMENT_URL is set, its
// document is there, and it does not register.

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { check } from './browser.mjs';
import { decide, person } from './people.mjs';

const endpoint = new URL(process.env.ZOOP_MCP_URL);
const pages = endpoint.origin;
// The client may be given another name of this machine than the server's own.
if (process.env.ZOOP_CALLED) endpoint.hostname = process.env.ZOOP_CALLED;
const browser = await person(pages, process.env.ZOOP_OWNER_EMAIL, process.env.ZOOP_OWNER_PASSWORD);
const redirect = 'http://localhost:4040/callback';
const documentUrl = process.env.ZOOP_DOCUMENT_URL;

class Program {
  clientMetadataUrl = documentUrl;
  redirectUrl = redirect;
  clientMetadata = {
    client_name: 'TypeScript SDK',
    redirect_uris: [redirect],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  asked = [];
  questions = [];

  clientInformation = () => this.client;
  saveClientInformation = (client) => {
    this.client = client;
  };
  tokens = () => this.held;
  saveTokens = (tokens) => {
    this.held = tokens;
  };
  saveCodeVerifier = (verifier) => {
    this.verifier = verifier;
  };
  codeVerifier = () => this.verifier;
  discoveryState = () => this.discovered;
  saveDiscoveryState = (discovered) => {
    this.discovered = discovered;
  };

  async redirectToAuthorization(url) {
    this.asked.push(url.searchParams);
    // At first only read access is requested, so that write access has to be requested later.
    if (this.asked.length === 1) url.searchParams.set('scope', 'read:customers read:notes');
    const back = await decide(browser, pages, url.href);
    if (back.url === undefined) throw new Error(`no way back: ${back.page.status} ${back.page.text}`);
    this.questions.push(back.question);
    this.answer = back.url.searchParams;
  }
}

const program = new Program();
/** The calls that the endpoint has rejected, and requests to other addresses of the server. The client also asks
 * for a stream by GET, in its own time, which is answered with 405. */
const refused = [];
const elsewhere = [];
const watched = async (url, init) => {
  const response = await fetch(url, init);
  if (String(url) !== endpoint.href) elsewhere.push(new URL(url).pathname);
  else if (!response.ok && init?.method === 'POST') refused.push(response.status);
  return response;
};
const finish = (transport) => transport.finishAuth(program.answer.get('code'), program.answer.get('iss'));
const open = () => {
  const client = new Client({ name: 'typescript-oauth', version: '1' });
  return [client, new StreamableHTTPClientTransport(endpoint, { authProvider: program, fetch: watched })];
};

let [client, transport] = open();
try {
  await client.connect(transport);
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  await finish(transport);
  [client, transport] = open();
  await client.connect(transport);
}
const isRegistered = elsewhere.includes('/oauth/register');
if (documentUrl === undefined) {
  check('a client registers itself and gets access', isRegistered && program.held !== undefined, elsewhere);
} else {
  const isKnown = program.client.client_id === documentUrl && !isRegistered;
  check('a client is known by its document and gets access', isKnown && program.held !== undefined, elsewhere);
  const host = `This program is published by <strong>${new URL(documentUrl).hostname}</strong>.`;
  check("the consent page names the document's host", program.questions[0].includes(host), program.questions[0]);
}
check('it requests the resource', program.asked[0].get('resource') === endpoint.href, program.asked[0]);
const { tools } = await client.listTools();
check('it sees the tools', tools.some(({ name }) => name === 'customers.search'), tools.length);

const write = () => client.callTool({ name: 'notes.create', arguments: { body: 'Written by a connected program.' } });
const before = program.asked.length;
refused.length = 0;
let written;
try {
  written = await write();
} catch (error) {
  if (program.asked.length === before) throw error;
  await finish(transport);
  written = await write();
}
check('it requests more scopes when a tool needs them', program.asked.length === before + 1, program.asked.length);
check('because it was rejected with 403', refused.join() === '403', refused);
check('and then has them', written.isError !== true, JSON.stringify(written));

const old = program.held.refresh_token;
program.held = { ...program.held, access_token: 'zoop_at_of_no_use' };
await client.listTools();
check('it refreshes an invalid token', program.held.refresh_token !== old);
check('without asking the user', program.asked.length === before + 1, program.asked.length);
await client.close();
