// Signs in with a company's account: panva's oidc-provider is the company, a scripted browser its people.

import { createServer } from 'node:http';
import { once } from 'node:events';
import Provider from 'oidc-provider';
import { Browser, check } from './browser.mjs';
import { person } from './people.mjs';
import { startDemo } from './server.mjs';

const CLIENT = { client_id: 'zoop', client_secret: 'a-secret-of-the-company' };

// The port is needed before the provider's client is known, so the handler is set later.
let handle = (_, response) => response.writeHead(503).end();
const company = createServer((request, response) => handle(request, response));
company.listen(0, '127.0.0.1');
await once(company, 'listening');
const issuer = `http://127.0.0.1:${company.address().port}`;

const { demo, stop } = await startDemo(process.env.ZOOP_BINARY, {
  ZOOP_COMPANY_ISSUER: issuer,
  ZOOP_COMPANY_CLIENT_ID: CLIENT.client_id,
  ZOOP_COMPANY_CLIENT_SECRET: CLIENT.client_secret,
  ZOOP_COMPANY_NAME: 'Example Plumbing',
});
const zoop = new URL(demo.mcp_url).origin;

/** The company's users, by the name that they sign in with. */
const people = {
  dana: { email: demo.owner_email, email_verified: true },
  eve: { email: demo.owner_email, email_verified: false },
  sam: { email: 'sam@elsewhere.example', email_verified: true },
};

console.warn = console.info = () => {}; // The provider warns that its keys and pages are for development.
const provider = new Provider(issuer, {
  clients: [
    { ...CLIENT, redirect_uris: [`${zoop}/sign-in/company/callback`], application_type: 'native' },
  ],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  findAccount: (_, name) => ({ accountId: name, claims: () => ({ sub: name, ...people[name] }) }),
  pkce: { required: () => true },
});
handle = provider.callback();

const isCallback = (url) => url.startsWith(`${zoop}/sign-in/company/callback`);

/** Signs in at the provider as this user; returns the address that the browser is sent back to. */
async function backFrom(browser, name) {
  let page = await browser.open(`${zoop}/sign-in/company?next=%2Fteam`, undefined, isCallback);
  for (const form of [{ prompt: 'login', login: name, password: 'any' }, { prompt: 'consent' }]) {
    if (isCallback(page.url)) break;
    page = await browser.open(page.url, form, isCallback);
  }
  if (!isCallback(page.url)) throw new Error(`not sent back: ${page.status} ${page.text}`);
  return page.url;
}

async function signIn(name, browser = new Browser()) {
  return { browser, page: await browser.open(await backFrom(browser, name)) };
}

const first = await new Browser().open(`${zoop}/sign-in`);
check('the sign-in page names the company', first.text.includes('Sign in with Example Plumbing account'), first.text);

const unverified = await signIn('eve');
check('an unverified address matches no user', unverified.page.status === 403, unverified.page.status);

const strange = await signIn('dana');
check(
  'who has a password here is first asked for it',
  strange.page.status === 403 && strange.page.text.includes('Sign in with your password once'),
  strange.page.text,
);

const known = await signIn('dana', await person(zoop, demo.owner_email, demo.owner_password));
check(
  'a verified address meets its person, and the page that was asked for opens',
  known.page.status === 200 && known.page.url === `${zoop}/team` && known.page.text.includes(demo.owner_email),
  `${known.page.status} ${known.page.url}`,
);

people.dana = { email: 'another@elsewhere.example', email_verified: false };
const renamed = await signIn('dana');
check(
  'the same account is known again after its address has changed',
  renamed.page.url === `${zoop}/team` && renamed.page.text.includes(demo.owner_email),
  `${renamed.page.status} ${renamed.page.url}`,
);

const unknown = await signIn('sam');
check(
  'an unknown address is told to ask for an invitation',
  unknown.page.status === 403 && unknown.page.text.includes('Ask an owner'),
  unknown.page.text,
);

const COOKIE = '__Host-zoop-company';
for (const [what, change] of [
  ['changed', (cookie) => `${cookie}x`],
  ['lost', () => ''],
]) {
  const browser = new Browser();
  const back = await backFrom(browser, 'dana');
  browser.setCookie(zoop, COOKIE, change(browser.cookie(zoop, COOKIE)));
  const page = await browser.open(back);
  check(`a sign-in whose cookie was ${what} is refused`, page.status === 400, page.status);
}

{
  const browser = new Browser();
  const back = await backFrom(browser, 'dana');
  const cookie = browser.cookie(zoop, COOKIE);
  const once = await browser.open(back);
  browser.setCookie(zoop, COOKIE, cookie);
  const twice = await browser.open(back);
  check('a code signs in once', once.status === 200 && twice.status === 502, `${once.status} ${twice.status}`);
}

{
  const browser = new Browser();
  const page = await browser.open(`${zoop}/sign-in/company`, undefined, isCallback);
  const declined = await browser.open(`${page.url}/abort`);
  check(
    'a sign-in canceled at the company is reported as such',
    declined.status === 403 && declined.text.includes('canceled or refused there'),
    `${declined.status} ${declined.text}`,
  );
}

company.close();
company.closeAllConnections();
await stop();
