// The official TypeScript client against a running server.
//
// usage: node typescript.mjs legacy|auto|2026-07-28    (ZOOP_MCP_URL, ZOOP_USER_KEY, ZOOP_TENANT_KEY)
//
// Prints one line per behavior; they are listed in behaviors.json.

import assert from 'node:assert/strict';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [mode] = process.argv.slice(2);
const { ZOOP_MCP_URL: url, ZOOP_USER_KEY: userKey, ZOOP_TENANT_KEY: tenantKey } = process.env;
/** A PNG of one pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const NOBODY = '01890000-0000-7000-8000-000000000000';

// The client warns on the console about schemas that it cannot use.
const warnings = new Set();
console.warn = (...words) => warnings.add(words.join(' '));

async function check(behavior, body) {
  try {
    await body();
    console.log(`✓ ${behavior}`);
  } catch (error) {
    console.log(`✗ ${behavior}: ${String(error.message).replaceAll('\n', ' ').slice(0, 600)}`);
  }
}

async function connect(token) {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  const versionNegotiation = { mode: mode.startsWith('20') ? { pin: mode } : mode };
  const client = new Client({ name: 'zoop-tests', version: '1.0.0' }, { versionNegotiation });
  await client.connect(transport);
  return client;
}

/** The value of a successful call. */
async function call(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert.notEqual(result.isError, true, `${name} refused: ${result.content?.[0]?.text}`);
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
  return result.structuredContent;
}

/** The names of the tools as the server lists them to a plain request. */
async function listed() {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${userKey}`,
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  return (await response.json()).result.tools.map((tool) => tool.name);
}

/** The error object of a tool's refusal. */
async function refused(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert.equal(result.isError, true, `${name} was not refused`);
  return JSON.parse(result.content[0].text);
}

/** A request that must be rejected gets HTTP 401 and a challenge. */
async function isUnauthorized(token) {
  const statuses = [];
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers },
    fetch: async (...request) => {
      const response = await fetch(...request);
      statuses.push([response.status, response.headers.get('www-authenticate')]);
      return response;
    },
  });
  const versionNegotiation = { mode: mode.startsWith('20') ? { pin: mode } : mode };
  const client = new Client({ name: 'zoop-tests', version: '1.0.0' }, { versionNegotiation });
  await assert.rejects(async () => {
    await client.connect(transport);
    // A pinned client may connect without a request; then its first request is rejected.
    await client.listTools();
  });
  const [status, challenge] = statuses[0];
  assert.equal(status, 401);
  assert.match(challenge, /^Bearer .*resource_metadata="/);
  await client.close();
}

const client = await connect(userKey);

await check('connects to the server named zoop', () => {
  assert.equal(client.getServerVersion().name, 'zoop');
});

await check('agrees on the expected protocol version', () => {
  assert.equal(client.getNegotiatedProtocolVersion(), mode === 'legacy' ? '2025-11-25' : '2026-07-28');
});

await check('lists every tool, each with both schemas and all four annotations', async () => {
  const { tools, nextCursor } = await client.listTools();
  assert.equal(nextCursor, undefined);
  assert.ok(tools.length > 0);
  assert.deepEqual(tools.map((tool) => tool.name), await listed());
  for (const tool of tools) {
    assert.match(tool.name, /^[a-z_]+\.[a-z_]+$/);
    assert.ok(tool.title && tool.description, tool.name);
    assert.equal(tool.inputSchema.additionalProperties, false, tool.name);
    assert.equal(tool.outputSchema.type, 'object', tool.name);
    for (const hint of ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint']) {
      assert.equal(typeof tool.annotations[hint], 'boolean', `${tool.name} ${hint}`);
    }
  }
});

await check('reads a page whose structured content and text agree', async () => {
  const page = await call(client, 'customers.search', { limit: 5 });
  assert.equal(page.rows.length, 5);
  assert.equal(page.hasMore, true);
  assert.equal(typeof page.nextCursor, 'string');
});

await check('follows the cursor without duplicate rows', async () => {
  const seen = new Set();
  let cursor;
  for (let pages = 0; pages < 3; pages += 1) {
    const page = await call(client, 'customers.search', { limit: 4, cursor });
    page.rows.forEach((row) => seen.add(row.id));
    cursor = page.nextCursor;
  }
  assert.equal(seen.size, 12);
});

let customer;
await check('creates a customer and reads it back', async () => {
  const created = await call(client, 'customers.create', {
    customer_type: 'individual',
    first_name: 'Marco',
    last_name: `Reyes ${mode}`,
    phone: '(510) 555-0199',
  });
  customer = await call(client, 'customers.get', { id: created.id });
  assert.equal(customer.display_name, `Marco Reyes ${mode}`);
  assert.equal(customer.primary_phone, '+15105550199');
  assert.equal(customer.contacts.length, 1);
  assert.equal(customer.contacts[0].is_primary, true);
});

await check('writes a note and finds it by its subject', async () => {
  const subject = { subject_type: 'customer', subject_id: customer.id };
  const note = await call(client, 'notes.create', { body: 'Gate code 4711.', ...subject });
  const page = await call(client, 'notes.list', subject);
  assert.deepEqual(page.rows.map((row) => row.id), [note.id]);
});

await check('reports every invalid field at once', async () => {
  const error = await refused(client, 'customers.create', { customer_type: 'individual', email: 'no' });
  assert.equal(error.kind, 'invalid_input');
  assert.deepEqual(error.fields.map(({ field }) => field).sort(), ['email', 'first_name']);
});

await check('reports not_found for an unknown id', async () => {
  assert.equal((await refused(client, 'customers.get', { id: NOBODY })).kind, 'not_found');
});

await check('rejects an unknown tool with -32602', async () => {
  await assert.rejects(client.callTool({ name: 'customers.unknown', arguments: {} }), { code: -32602 });
});

await check('calls a tool by its underscored name', async () => {
  assert.ok(Array.isArray((await call(client, 'tags_list', {})).rows));
});

await check('lists the prompts and gets one', async () => {
  const { prompts } = await client.listPrompts();
  assert.ok(prompts.length > 0);
  const filled = Object.fromEntries(
    prompts[0].arguments.filter((argument) => argument.required).map(({ name }) => [name, 'Reyes']),
  );
  const { messages } = await client.getPrompt({ name: prompts[0].name, arguments: filled });
  assert.match(messages[0].content.text, /Reyes/);
});

await check('reads a customer as a resource', async () => {
  assert.deepEqual((await client.listResources()).resources, []);
  const { resourceTemplates } = await client.listResourceTemplates();
  assert.deepEqual(
    resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    ['zoop://customers/{id}', 'zoop://notes/{id}', 'zoop://files/{id}'],
  );
  const { contents } = await client.readResource({ uri: `zoop://customers/${customer.id}` });
  assert.equal(JSON.parse(contents[0].text).display_name, customer.display_name);
});

await check('reads the files of a note as resources', async () => {
  const note = await call(client, 'notes.create', { body: 'Gate sticks.' });
  const read = async (name, body) => {
    const headers = {
      Authorization: `Bearer ${userKey}`,
      'Content-Disposition': `attachment; filename="${name}"`,
    };
    const added = await fetch(new URL(`/api/notes/${note.id}/files`, url), { method: 'POST', headers, body });
    assert.equal(added.status, 201);
    const { contents } = await client.readResource({ uri: `zoop://files/${(await added.json()).id}` });
    return contents[0];
  };
  const photo = await read('gate.png', Buffer.from(PIXEL, 'base64'));
  assert.equal(photo.mimeType, 'image/jpeg');
  assert.deepEqual([...Buffer.from(photo.blob, 'base64').subarray(0, 2)], [0xff, 0xd8]);
  const text = await read('code.txt', 'The code is 4711.');
  assert.deepEqual([text.mimeType, text.text], ['text/plain', 'The code is 4711.']);
});

await client.close();

await check('is rejected without a token', () => isUnauthorized(undefined));

await check('is rejected with an unknown token', () => isUnauthorized('zoop_uk_unknown'));

await check('cannot create a tag with a tenant key', async () => {
  const tenant = await connect(tenantKey);
  const error = await refused(tenant, 'tags.create', { name: `Seasonal ${mode}` });
  assert.equal(error.kind, 'invalid_input');
  await tenant.close();
});

await check('gives the client nothing to warn about', () => {
  assert.deepEqual([...warnings], []);
});
