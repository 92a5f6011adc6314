// Stands between the conformance suite and the server, because the suite can neither send a token nor
// know this product's tools.
//
// For each request, it adds the Authorization header; it writes the server's address where the
// request has the proxy's own (Host, Origin); it gives four of the suite's fixture tools the names of
// real tools. All other bytes pass as they are, header lines with their blanks and their case, so that the
// suite's malformed requests arrive malformed. An answer is never changed.

import net from 'node:net';

/**
 * The suite calls tools of a fixture server. Where any tool can show what the suite looks for, a real
 * one takes the call; `test_missing_capability`, which none can replace, is in the suite's own build.
 */
export const STAND_INS = {
  // Answers with a text.
  test_simple_text: 'tags.list',
  // Called without arguments it lacks its id, which the tool itself rejects.
  test_error_handling: 'customers.get',
  // The answer must hold no request to the client.
  test_streaming_elicitation: 'tags.list',
  // The answer must hold no log message.
  test_logging_tool: 'tags.list',
};

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * @param {{host: string, token: string}} target the server's host and port, and the key to send
 * @returns {Promise<{url: string, close: () => void}>}
 */
export async function startProxy({ host, token }) {
  const [hostname, port] = host.split(':');
  const sockets = new Set();
  const proxy = net.createServer((client) => {
    const server = net.connect(Number(port), hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    client.on('close', () => server.destroy());
    server.pipe(client);

    let received = Buffer.alloc(0);
    client.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let request = take(received); request !== null; request = take(received)) {
        received = received.subarray(request.length);
        server.write(rewrite(request, { own: own(), host, token }));
      }
    });
    client.on('end', () => server.end());
  });
  const own = () => `127.0.0.1:${proxy.address().port}`;
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://${own()}`,
    close: () => {
      proxy.close();
      sockets.forEach((socket) => socket.destroy());
    },
  };
}

/** The first complete request in `received`, or null while it has not arrived. */
function take(received) {
  const end = received.indexOf(HEAD_END);
  if (end < 0) return null;
  const head = received.subarray(0, end).toString('latin1');
  if (/^transfer-encoding:/im.test(head)) {
    throw new Error('the suite sent a body without its length, which this proxy cannot follow');
  }
  const [, bytes = '0'] = /^content-length:\s*(\d+)/im.exec(head) ?? [];
  const length = end + HEAD_END.length + Number(bytes);
  if (received.length < length) return null;
  return { head, body: received.subarray(end + HEAD_END.length, length), length };
}

/** The request as forwarded to the server. */
function rewrite({ head, body }, { own, host, token }) {
  let bytes = body;
  let lines = head.split('\r\n');
  const [, name] = /"name":"(test_[a-z_]+)"/.exec(body.toString('utf8')) ?? [];
  const standIn = STAND_INS[name];
  if (standIn !== undefined) {
    bytes = Buffer.from(body.toString('utf8').replace(`"name":"${name}"`, `"name":"${standIn}"`));
    lines = lines.map((line) => (/^mcp-name:/i.test(line) ? line.replace(name, standIn) : line));
  }
  lines = lines.map((line) => {
    if (/^(host|origin):/i.test(line)) return line.replace(own, host);
    if (/^content-length:/i.test(line)) return `Content-Length: ${bytes.length}`;
    return line;
  });
  if (!lines.some((line) => /^authorization:/i.test(line))) {
    lines.push(`Authorization: Bearer ${token}`);
  }
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), HEAD_END, bytes]);
}
