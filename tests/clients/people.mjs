// A user's steps at the pages when a client asks for access: signs in, reads, allows.

import { Browser } from './browser.mjs';

/** The fields of a page's form, as a browser would send them. */
export function fields(html) {
  const found = {};
  for (const [, attributes] of html.matchAll(/<input ([^>]*)>/g)) {
    const attribute = (name) => new RegExp(`${name}="([^"]*)"`).exec(attributes)?.[1]?.replaceAll('&amp;', '&');
    const type = attribute('type');
    if ((type === 'radio' || type === 'checkbox') && !/ checked/.test(attributes)) continue;
    found[attribute('name')] = attribute('value') ?? '';
  }
  return found;
}

/** A user signed in at a server. */
export async function person(zoop, email, password) {
  const browser = new Browser();
  const page = await browser.open(`${zoop}/sign-in`, { email, password, next: '/account' });
  if (page.status !== 200 || page.url !== `${zoop}/account`) {
    throw new Error(`not signed in: ${page.status} ${page.url}`);
  }
  return browser;
}

/**
 * Opens the address that a client sends a user to, and decides. Returns the address that the browser is
 * sent back to and the consent page, or the page that says why not.
 */
export async function decide(browser, zoop, address, decision = 'allow', change = (form) => form) {
  const foreign = (url) => !url.startsWith(zoop);
  const asked = await browser.open(address, undefined, foreign);
  const back = /http-equiv="refresh" content="0;url=([^"]*)"/;
  const unescape = (text) => text.replaceAll('&amp;', '&').replaceAll('&#38;', '&').replaceAll('&quot;', '"');
  if (foreign(asked.url)) return { url: new URL(asked.url) };
  // An invalid request is offered back to the client by a link, without a redirect.
  const early = /<a class="btn primary wide" href="([^"]*)">Continue/.exec(asked.text);
  if (early !== null) return { url: new URL(unescape(early[1])) };
  if (asked.status !== 200 || !asked.text.includes('action="/oauth/authorize"')) return { page: asked };
  const form = change({ ...fields(asked.text), decision });
  const done = await browser.open(`${zoop}/oauth/authorize`, form);
  const refresh = back.exec(done.text);
  return refresh === null ? { page: done } : { url: new URL(unescape(refresh[1])), question: asked.text };
}
