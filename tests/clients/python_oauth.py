"""The Python SDK connects a program by itself: it finds the authorization server, registers, sends the
person to consent, asks for more when it needs more, and refreshes. Where ZOOP_DOCUMENT_URL is set, its
document is there, and it does not register."""

import asyncio
import html
import os
import re
from urllib.parse import parse_qs, urlencode, urlparse

import httpx2 as httpx
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.shared.auth import OAuthClientMetadata

ZOOP = os.environ["ZOOP_MCP_URL"].removesuffix("/api/mcp")
# The client may be given another name of this machine than the server's own.
ENDPOINT = os.environ["ZOOP_MCP_URL"].replace("127.0.0.1", os.environ.get("ZOOP_CALLED", "127.0.0.1"))
DOCUMENT = os.environ.get("ZOOP_DOCUMENT_URL")


def check(behavior: str, is_so: bool, instead: object = "") -> None:
    print(f"✓ {behavior}" if is_so else f"✗ {behavior}: {str(instead)[:300]}", flush=True)


class Storage:
    tokens = None
    client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Person:
    """A user who is signed in at a browser."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}
        self.asked: list[dict[str, list[str]]] = []
        self.questions: list[str] = []
        self.answer: dict[str, list[str]] = {}

    async def step(self, method: str, url: str, form: dict[str, str] | None = None):
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers["origin"] = ZOOP
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            response = await client.request(method, url, data=form, headers=headers)
        for cookie in response.headers.get_list("set-cookie"):
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return response

    async def sign_in(self) -> None:
        form = {"email": os.environ["ZOOP_OWNER_EMAIL"], "password": os.environ["ZOOP_OWNER_PASSWORD"]}
        response = await self.step("POST", f"{ZOOP}/sign-in", form)
        assert response.status_code == 303, response.text

    async def decide(self, url: str) -> None:
        asked = parse_qs(urlparse(url).query)
        self.asked.append(asked)
        if len(self.asked) == 1:
            # At first only read access, so that write access has to be requested later.
            query = {name: values[0] for name, values in asked.items()}
            query["scope"] = "read:customers read:notes"
            url = f"{ZOOP}/oauth/authorize?{urlencode(query)}"
        page = (await self.step("GET", url)).text
        self.questions.append(page)
        inputs = [dict(re.findall(r'([a-z]+)="([^"]*)"', tag)) | {"": tag} for tag in re.findall(r"<input [^>]*>", page)]
        shown = [it for it in inputs if it.get("type") not in ("radio", "checkbox") or " checked" in it[""]]
        form = {it["name"]: html.unescape(it.get("value", "")) for it in shown} | {"decision": "allow"}
        done = await self.step("POST", f"{ZOOP}/oauth/authorize", form)
        back = re.search(r'content="0;url=([^"]*)"', done.text)
        assert back is not None, done.text
        self.answer = parse_qs(urlparse(html.unescape(back[1])).query)

    async def come_back(self) -> AuthorizationCodeResult:
        answer = {name: values[0] for name, values in self.answer.items()}
        return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))


async def main() -> None:
    person, storage = Person(), Storage()
    await person.sign_in()
    metadata = OAuthClientMetadata(
        client_name="Python SDK",
        redirect_uris=["http://localhost:3030/callback"],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
    )
    provider = OAuthClientProvider(ENDPOINT, metadata, storage, person.decide, person.come_back, DOCUMENT)
    refused: list[int] = []
    elsewhere: list[str] = []

    async def watch(response) -> None:
        if str(response.request.url) != ENDPOINT:
            elsewhere.append(response.request.url.path)
        elif response.is_error:
            refused.append(response.status_code)

    hooks = {"response": [watch]}
    async with httpx.AsyncClient(auth=provider, trust_env=False, timeout=30, event_hooks=hooks) as client:

        async def ask(method: str, params: dict | None = None):
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
            return await client.post(ENDPOINT, json=body)

        listed = await ask("tools/list")
        is_in, is_registered = listed.status_code == 200, "/oauth/register" in elsewhere
        if DOCUMENT is None:
            check("a client registers itself and gets access", is_in and is_registered, listed.text)
        else:
            is_known = storage.client.client_id == DOCUMENT and not is_registered
            check("a client is known by its document and gets access", is_in and is_known, listed.text)
            host = f"This program is published by <strong>{urlparse(DOCUMENT).hostname}</strong>."
            check("the consent page names the document's host", host in person.questions[0], person.questions[0])
        names = [tool["name"] for tool in listed.json()["result"]["tools"]]
        check("it sees the tools", "customers.search" in names, names)
        check("it requests the resource", person.asked[0].get("resource") == [ENDPOINT], person.asked[0])
        refused.clear()
        note = {"name": "notes.create", "arguments": {"body": "Written by a connected program."}}
        written = await ask("tools/call", note)
        check("it requests more scopes when a tool needs them", len(person.asked) == 2, len(person.asked))
        check("because it was rejected with 403", refused == [403], refused)
        is_written = written.status_code == 200 and not written.json()["result"].get("isError")
        check("and then has them", is_written, written.text)
        old = storage.tokens.refresh_token
        provider.context.token_expiry_time = 1
        again = await ask("tools/list")
        check(
            "it refreshes a token that has ended",
            again.status_code == 200 and storage.tokens.refresh_token != old,
            again.text,
        )
        check("without asking the user", len(person.asked) == 2, len(person.asked))


asyncio.run(main())
