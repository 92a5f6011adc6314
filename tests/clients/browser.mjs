// A simulated browser without scripts: it keeps cookies, follows links and sends forms, one step at a time.

export class Browser {
  #cookies = new Map();

  /** The value of a host's cookie. */
  cookie(url, name) {
    return this.#jar(url).get(name);
  }

  setCookie(url, name, value) {
    this.#jar(url).set(name, value);
  }

  #jar(url) {
    const { origin } = new URL(url);
    if (!this.#cookies.has(origin)) this.#cookies.set(origin, new Map());
    return this.#cookies.get(origin);
  }

  /** One request; a redirect is not followed. */
  async step(url, form) {
    const jar = this.#jar(url);
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') };
    if (form !== undefined) headers.origin = new URL(url).origin;
    const body = form === undefined ? undefined : new URLSearchParams(form);
    const method = form === undefined ? 'GET' : 'POST';
    const response = await fetch(url, { method, headers, body, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      const isGone = /; ?max-age=0(;|$)/i.test(cookie) || /; ?expires=Thu, 01 Jan 1970/i.test(cookie);
      if (isGone) jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get('location');
    const next = location === null ? undefined : new URL(location, url).href;
    return { url, status: response.status, next, text: await response.text() };
  }

  /** Follows redirects to the first page, or to the first address for which `until` holds. */
  async open(url, form, until = () => false) {
    let page = await this.step(url, form);
    for (let hops = 0; page.next !== undefined; hops += 1) {
      if (hops > 20) throw new Error('redirected without end');
      if (until(page.next)) return { ...page, url: page.next };
      page = await this.step(page.next);
    }
    return page;
  }
}

/** Prints one line per behavior. */
export function check(behavior, isSo, instead) {
  console.log(isSo ? `✓ ${behavior}` : `✗ ${behavior}: ${String(instead).slice(0, 300)}`);
}
