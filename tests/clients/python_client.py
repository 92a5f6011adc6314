"""The official Python client against a running server.

usage: python python_client.py legacy|auto|2026-07-28    (ZOOP_MCP_URL, ZOOP_USER_KEY, ZOOP_TENANT_KEY)

Prints one line per behavior; they are listed in behaviors.json.
"""

import asyncio
import base64
import json
import os
import re
import sys
from contextlib import asynccontextmanager

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

MODE = sys.argv[1]
URL = os.environ["ZOOP_MCP_URL"]
# A PNG of one pixel.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NOBODY = "01890000-0000-7000-8000-000000000000"
HINTS = ("read_only_hint", "destructive_hint", "idempotent_hint", "open_world_hint")


class Wrong(Exception):
    """An expectation that did not hold."""


def expect(condition, what):
    if not condition:
        raise Wrong(what)


def equal(found, expected):
    expect(found == expected, f"found {found!r}, expected {expected!r}")


async def check(behavior, body):
    try:
        await body()
    except Exception as error:  # Whatever goes wrong fails this one behavior, and the rest go on.
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:600]
        print(f"✗ {behavior}: {reason}", flush=True)
    else:
        print(f"✓ {behavior}", flush=True)


@asynccontextmanager
async def connected(token, answers=None):
    """A client with this token; the HTTP answers that it gets are added to `answers`."""

    async def remember(response):
        if answers is not None:
            answers.append((response.status_code, response.headers.get("www-authenticate", "")))

    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, event_hooks={"response": [remember]}) as http:
        async with Client(streamable_http_client(URL, http_client=http), mode=MODE) as client:
            yield client


async def call(client, name, arguments):
    """The value of a successful call."""
    result = await client.call_tool(name, arguments)
    expect(not result.is_error, f"{name} refused: {result.content[0].text}")
    equal(json.loads(result.content[0].text), result.structured_content)
    return result.structured_content


async def listed_plainly():
    """The names of the tools as the server lists them to a plain request."""
    headers = {
        "Authorization": f"Bearer {os.environ['ZOOP_USER_KEY']}",
        "Accept": "application/json, text/event-stream",
    }
    async with httpx2.AsyncClient(headers=headers) as http:
        answer = await http.post(URL, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    return [tool["name"] for tool in answer.json()["result"]["tools"]]


async def refused(client, name, arguments):
    """The error object of a tool's refusal."""
    result = await client.call_tool(name, arguments)
    expect(result.is_error, f"{name} was not refused")
    return json.loads(result.content[0].text)


async def is_unauthorized(token):
    """The answer to a request that must not get through is an HTTP one: 401 and the way to a token."""
    answers = []
    try:
        async with connected(token, answers) as client:
            # A pinned client connects without a request; then its first request is rejected.
            await client.list_tools()
    except Exception:  # The client wraps the refusal in what its mode prescribes.
        pass
    else:
        raise Wrong("the request got through")
    status, challenge = answers[0]
    equal(status, 401)
    expect(re.match(r'^Bearer .*resource_metadata="', challenge), f"the challenge is {challenge!r}")


async def behaviors(client):
    customer = {}

    async def named_zoop():
        # A pinned client sends no handshake and so cannot know the name yet.
        if MODE in ("legacy", "auto"):
            equal(client.server_info.name, "zoop")

    async def version():
        equal(client.protocol_version, "2025-11-25" if MODE == "legacy" else "2026-07-28")

    async def tools():
        listed = await client.list_tools()
        equal(listed.next_cursor, None)
        expect(listed.tools, "no tool is listed")
        equal([tool.name for tool in listed.tools], await listed_plainly())
        for tool in listed.tools:
            expect(re.fullmatch(r"[a-z_]+\.[a-z_]+", tool.name), tool.name)
            expect(tool.title and tool.description, f"{tool.name} has no title or description")
            equal(tool.input_schema["additionalProperties"], False)
            equal(tool.output_schema["type"], "object")
            for hint in HINTS:
                expect(isinstance(getattr(tool.annotations, hint), bool), f"{tool.name} {hint}")

    async def page():
        first = await call(client, "customers.search", {"limit": 5})
        equal(len(first["rows"]), 5)
        equal(first["hasMore"], True)
        expect(isinstance(first["nextCursor"], str), "nextCursor is no string")

    async def cursor():
        seen, arguments = set(), {"limit": 4}
        for _ in range(3):
            part = await call(client, "customers.search", arguments)
            seen.update(row["id"] for row in part["rows"])
            arguments["cursor"] = part["nextCursor"]
        equal(len(seen), 12)

    async def create():
        name = {"first_name": "Hana", "last_name": f"Nguyen {MODE}"}
        sent = {"customer_type": "individual", **name, "phone": "(510) 555-0123"}
        created = await call(client, "customers.create", sent)
        customer.update(await call(client, "customers.get", {"id": created["id"]}))
        equal(customer["display_name"], f"Hana Nguyen {MODE}")
        equal(customer["primary_phone"], "+15105550123")
        equal([contact["is_primary"] for contact in customer["contacts"]], [True])

    async def note():
        subject = {"subject_type": "customer", "subject_id": customer["id"]}
        written = await call(client, "notes.create", {"body": "Gate code 4711.", **subject})
        listed = await call(client, "notes.list", subject)
        equal([row["id"] for row in listed["rows"]], [written["id"]])

    async def fields():
        sent = {"customer_type": "individual", "email": "no"}
        error = await refused(client, "customers.create", sent)
        equal(error["kind"], "invalid_input")
        equal(sorted(entry["field"] for entry in error["fields"]), ["email", "first_name"])

    async def not_found():
        equal((await refused(client, "customers.get", {"id": NOBODY}))["kind"], "not_found")

    async def unknown_tool():
        try:
            await client.call_tool("customers.unknown", {})
        except MCPError as error:
            equal(error.code, -32602)
        else:
            raise Wrong("the call got through")

    async def underscored():
        expect(isinstance((await call(client, "tags_list", {}))["rows"], list), "rows is no list")

    async def prompts():
        listed = (await client.list_prompts()).prompts
        expect(listed, "no prompt is listed")
        filled = {argument.name: "Nguyen" for argument in listed[0].arguments if argument.required}
        prompt = await client.get_prompt(listed[0].name, filled)
        expect("Nguyen" in prompt.messages[0].content.text, "the argument is not in the prompt")

    async def resource():
        equal((await client.list_resources()).resources, [])
        templates = (await client.list_resource_templates()).resource_templates
        equal(
            [template.uri_template for template in templates],
            ["zoop://customers/{id}", "zoop://notes/{id}", "zoop://files/{id}"],
        )
        read = await client.read_resource(f"zoop://customers/{customer['id']}")
        equal(json.loads(read.contents[0].text)["display_name"], customer["display_name"])

    async def files():
        note = await call(client, "notes.create", {"body": "Gate sticks."})

        async def read(name, content):
            headers = {
                "Authorization": f"Bearer {os.environ['ZOOP_USER_KEY']}",
                "Content-Disposition": f'attachment; filename="{name}"',
            }
            target = f"{URL.removesuffix('/mcp')}/notes/{note['id']}/files"
            async with httpx2.AsyncClient() as http:
                added = await http.post(target, headers=headers, content=content)
            equal(added.status_code, 201)
            read = await client.read_resource(f"zoop://files/{added.json()['id']}")
            return read.contents[0]

        photo = await read("gate.png", base64.b64decode(PIXEL))
        equal(photo.mime_type, "image/jpeg")
        equal(base64.b64decode(photo.blob)[:2], b"\xff\xd8")
        code = await read("code.txt", b"The code is 4711.")
        equal((code.mime_type, code.text), ("text/plain", "The code is 4711."))

    await check("connects to the server named zoop", named_zoop)
    await check("agrees on the expected protocol version", version)
    await check("lists every tool, each with both schemas and all four annotations", tools)
    await check("reads a page whose structured content and text agree", page)
    await check("follows the cursor without duplicate rows", cursor)
    await check("creates a customer and reads it back", create)
    await check("writes a note and finds it by its subject", note)
    await check("reports every invalid field at once", fields)
    await check("reports not_found for an unknown id", not_found)
    await check("rejects an unknown tool with -32602", unknown_tool)
    await check("calls a tool by its underscored name", underscored)
    await check("lists the prompts and gets one", prompts)
    await check("reads a customer as a resource", resource)
    await check("reads the files of a note as resources", files)


async def main():
    async with connected(os.environ["ZOOP_USER_KEY"]) as client:
        await behaviors(client)

    async def tenant_key():
        async with connected(os.environ["ZOOP_TENANT_KEY"]) as tenant:
            error = await refused(tenant, "tags.create", {"name": f"HOA {MODE}"})
        equal(error["kind"], "invalid_input")

    await check("is rejected without a token", lambda: is_unauthorized(None))
    await check("is rejected with an unknown token", lambda: is_unauthorized("zoop_uk_unknown"))
    await check("cannot create a tag with a tenant key", tenant_key)


asyncio.run(main())
