// Connects as a strict client: panva's oauth4webapi, which rejects any departure from the RFCs.

import * as oauth from 'oauth4webapi';
import { check } from './browser.mjs';
import { decide, person } from './people.mjs';

const resource = new URL(process.env.ZOOP_MCP_URL);
const zoop = resource.origin;
const options = { [oauth.allowInsecureRequests]: true };
const browser = await person(zoop, process.env.ZOOP_OWNER_EMAIL, process.env.ZOOP_OWNER_PASSWORD);

const described = await oauth.processResourceDiscoveryResponse(
  resource,
  await oauth.resourceDiscoveryRequest(resource, options),
);
check('the resource names its authorization server', described.authorization_servers?.[0] === zoop, described);
const server = await oauth.processDiscoveryResponse(
  new URL(zoop),
  await oauth.discoveryRequest(new URL(zoop), { ...options, algorithm: 'oauth2' }),
);
check('the authorization server describes itself', server.issuer === zoop, server);

const registered = await oauth.processDynamicClientRegistrationResponse(
  await oauth.dynamicClientRegistrationRequest(
    server,
    { redirect_uris: ['http://127.0.0.1/callback'], client_name: 'oauth4webapi', token_endpoint_auth_method: 'none' },
    options,
  ),
);
check('a program registers itself', registered.token_endpoint_auth_method === 'none', registered);

const client = { client_id: registered.client_id };
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const redirect = 'http://127.0.0.1:5151/callback';
const asked = {
  client_id: client.client_id,
  redirect_uri: redirect,
  response_type: 'code',
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  scope: 'read:customers read:notes',
  resource: resource.href,
};

/** Sends the user to the authorization endpoint with some parameters changed, and lets them decide. */
function go(change = {}, decision = 'allow') {
  const url = new URL(server.authorization_endpoint);
  for (const [name, value] of Object.entries({ ...asked, ...change })) {
    if (value !== null) url.searchParams.set(name, value);
  }
  return decide(browser, zoop, url.href, decision);
}

async function code() {
  const { url, page } = await go();
  if (url === undefined) throw new Error(`no way back: ${page.status} ${page.text}`);
  return oauth.validateAuthResponse(server, client, url, state);
}

const exchange = (parameters, own = verifier) =>
  oauth
    .authorizationCodeGrantRequest(server, client, oauth.None(), parameters, redirect, own, {
      ...options,
      additionalParameters: { resource: resource.href },
    })
    .then((response) => oauth.processAuthorizationCodeResponse(server, client, response))
    .catch(({ error, message }) => ({ error: error ?? message }));
const refresh = (token) =>
  oauth
    .refreshTokenGrantRequest(server, client, oauth.None(), token, options)
    .then((response) => oauth.processRefreshTokenResponse(server, client, response))
    .catch(({ error, message }) => ({ error: error ?? message }));
const list = async (token) =>
  (
    await fetch(resource, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    })
  ).status;

const parameters = await code();
check('the answer names its issuer (RFC 9207)', true);
const tokens = await exchange(parameters);
check('a code becomes tokens', tokens.token_type === 'bearer' && tokens.refresh_token !== undefined, tokens.error);
check('the token gives access to the endpoint', (await list(tokens.access_token)) === 200);
const next = await refresh(tokens.refresh_token);
check('a refresh gives new tokens', next.refresh_token !== undefined && next.refresh_token !== tokens.refresh_token, next.error);
const retried = await refresh(tokens.refresh_token);
check('a refresh repeated at once also gives tokens', retried.access_token !== undefined, retried.error);
check('a code is accepted once', (await exchange(parameters)).error === 'invalid_grant');
check('and its second use revokes the tokens of the first', (await list(next.access_token)) === 401);
check('another verifier is rejected', (await exchange(await code(), oauth.generateRandomCodeVerifier())).error === 'invalid_grant');

for (const [what, change, error] of [
  ['without PKCE', { code_challenge: null, code_challenge_method: null }, 'invalid_request'],
  ['with the method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['for another resource', { resource: 'https://elsewhere.example/' }, 'invalid_target'],
  ['for a token at once', { response_type: 'token' }, 'unsupported_response_type'],
  ['for a scope that is none', { scope: 'administer' }, 'invalid_scope'],
]) {
  const { url, page } = await go(change);
  const told = url && [url.searchParams.get('error'), url.searchParams.get('iss'), url.searchParams.get('state')];
  check(
    `a request ${what} is sent back with ${error}`,
    told !== undefined && told[0] === error && told[1] === zoop && told[2] === state,
    told ?? page.status,
  );
}
for (const [what, change] of [
  ['that it did not register', { redirect_uri: 'http://127.0.0.1:5151/elsewhere' }],
  ['of another program', { client_id: 'zoop_cl_unknown' }],
]) {
  const { url, page } = await go(change);
  check(`no redirect goes to an address ${what}`, url === undefined && page.status === 400, url ?? page?.status);
}
const denied = await go({}, 'deny');
check('a user can deny', denied.url?.searchParams.get('error') === 'access_denied', denied.page?.status);

const last = await exchange(await code());
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, oauth.None(), last.refresh_token, options),
);
check('a disconnected client has no access', (await list(last.access_token)) === 401);
