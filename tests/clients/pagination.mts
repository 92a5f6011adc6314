// The pagination loop of the notes document, exactly as it is printed there.
//
// usage: node pagination.mts    (ZOOP_MCP_URL, ZOOP_USER_KEY)
//
// Seven long notes on a job of their own fill more than one page (a page ends after 256 KiB), so that
// the loop has something to follow.

import assert from 'node:assert/strict'

const { ZOOP_MCP_URL, ZOOP_USER_KEY } = process.env
process.env.ZOOP_API_KEY = ZOOP_USER_KEY

// The document's address is replaced by this server's.
let requests = 0
const plainFetch = globalThis.fetch
globalThis.fetch = (address, init) => {
  assert.equal(address, 'https://app.zoop.example/api/mcp')
  requests += 1
  return plainFetch(ZOOP_MCP_URL, init)
}

async function call(name: string, args: object) {
  const response = await plainFetch(ZOOP_MCP_URL, {
    method: 'POST',
    headers: { Authorization: `Bearer ${ZOOP_USER_KEY}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
  })
  return JSON.parse((await response.json()).result.content[0].text)
}

const JOB_ID = (await call('notes.list', { subject_type: 'job', limit: 1 })).rows[0].subject_id
const written: string[] = []
for (let n = 0; n < 7; n += 1) {
  const note = { body: `${n} ${'long '.repeat(18_000)}`, subject_type: 'job', subject_id: JOB_ID }
  written.unshift((await call('notes.create', note)).id)
}

// From here to the end of the loop: the document.
let cursor: string | undefined
let allNotes: unknown[] = []
do {
  const response = await fetch('https://app.zoop.example/api/mcp', {
    method: 'POST',
    headers: {
      'Authorization': `Bearer ${process.env.ZOOP_API_KEY}`,
      'Content-Type': 'application/json',
      'Accept': 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'notes.list',
        arguments: { subject_type: 'job', subject_id: JOB_ID, limit: 100, cursor },
      },
    }),
  })
  // Parse the MCP text content to extract the tool result
  const envelope = await response.json()
  const text = envelope.result?.content?.[0]?.text
  const page = JSON.parse(text)
  allNotes = allNotes.concat(page.rows)
  cursor = page.nextCursor ?? undefined
} while (cursor)

const ids = allNotes.map((note) => (note as { id: string }).id)
const faults: string[] = []
if (requests < 2) faults.push('all notes came in one page')
if (new Set(ids).size !== ids.length) faults.push('a note came twice')
if (ids.slice(0, 7).join() !== written.join()) faults.push('the newest notes are not the first ones')
const behavior = "the document's loop reads all notes of a job, page by page, each once"
console.log(faults.length === 0 ? `✓ ${behavior}` : `✗ ${behavior}: ${faults.join('; ')}`)
