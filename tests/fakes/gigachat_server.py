"""GigaChat: its sign-in server and its /v1 API, in one; `url` and `auth_url` are what the settings are to be.

    with GigaChatServer(Script(chunks=["Hi", " there"], usage=usage(7, 2))) as server:
        provider = GigaChatProvider(CREDENTIALS, server.url, server.auth_url)

As the real one, it signs in with `Authorization: Basic <credentials>` and a form with the scope, takes the access
token it gave out on everything else, refuses a second or late system message, and images inside a message: they
are uploaded, and a message names them. `server.revoke()` ends the tokens given out so far. Without `api_key` every
key signs in. `server.scope`: the only one of the key; `sign_in`: a script that answers the sign-in instead.
`packages`: what is left of each, None for a key that pays afterwards. `secure()` serves it with a certificate of
its own authority. Errors have GigaChat's shapes: `server.queue(wrong_key())` and so on, see tests/fakes/script.py.
"""

import base64
import json
import ssl
import time
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from tests.fakes.http_server import FakeServer
from tests.fakes.script import COUNTED, Received, Script, vector_of
from tests.fakes.wire import Connection

MODELS = ("GigaChat-2", "GigaChat-2-Pro", "GigaChat-2-Max", "GigaChat")
NOT_CHAT = ("Embeddings", "EmbeddingsGigaR", "GigaCheckDetection")
EMBEDDING_MODELS = NOT_CHAT[:2]
_API = "/api/v1"

# By file id, which are unique: what a request names is found whichever server took it.
_UPLOADED: dict[str, tuple[str, bytes]] = {}


def credentials(client_id: str, secret: str) -> str:
    """The key of a project."""
    return base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def usage(prompt: int, completion: int, *, cached: int = 0) -> dict[str, Any]:
    """GigaChat's usage: `prompt` EXCLUDES `cached`, and the total is what is billed."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "precached_prompt_tokens": cached,
    }


def _failing(status: int, message: str, **script: Any) -> Script:
    return Script(status=status, error={"status": status, "message": message}, **script)


def _sign_in_failing(status: int, code: int, message: str) -> Script:
    return Script(status=status, error={"code": code, "message": message})


def wrong_key() -> Script:
    return _failing(401, "Unauthorized")


def unknown_key() -> Script:
    """What the sign-in server says to a pair it does not have."""
    return _sign_in_failing(401, 6, "credentials doesn't match db data")


def unreadable_key() -> Script:
    """What the sign-in server says to a key that is no pair."""
    return _sign_in_failing(400, 4, "Can't decode 'Authorization' header")


def wrong_scope() -> Script:
    return _sign_in_failing(400, 7, "scope from db not fully includes consumed scope")


def forbidden() -> Script:
    return _failing(403, "Permission denied")


def rate_limit(seconds: int | None = None) -> Script:
    return _failing(
        429, "Too many requests", headers={} if seconds is None else {"Retry-After": str(seconds)}
    )


def no_balance() -> Script:
    return _failing(402, "Payment Required")


def unknown_model(name: str = "gone") -> Script:
    return _failing(404, "No such model")


def too_long() -> Script:
    return _failing(413, "Payload too large")


def broken() -> Script:
    return _failing(500, "Internal Server Error")


def overloaded() -> Script:
    return _failing(503, "The service is overloaded")


def no_region() -> Script:
    return _failing(403, "User location is not supported")


STREAM_ERROR = {"status": 429, "message": "Too many requests"}


def inputs_of(body: Mapping[str, Any]) -> list[str]:
    return body["input"]


def images_of(body: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    ids = [name for message in body["messages"] for name in message.get("attachments", ())]
    return [_UPLOADED[name] for name in ids]


def tool_names_of(body: Mapping[str, Any]) -> list[str]:
    return [function["name"] for function in body["functions"]]


def tool_results_of(body: Mapping[str, Any]) -> list[str]:
    return [message["content"] for message in body["messages"] if message["role"] == "function"]


def schema_of(body: Mapping[str, Any]) -> Any:
    return body["response_format"]["schema"]


class GigaChatServer(FakeServer):
    """Both servers; `asked` are the requests for an answer or for embeddings, `requests` all."""

    def __init__(
        self, default: Script | None = None, models: tuple[str, ...] = MODELS, api_key: str = ""
    ) -> None:
        super().__init__(default, models, api_key)
        self.scope = ""
        self.sign_in: Script | None = None
        self.packages: dict[str, int] | None = {"GigaChat-2": 1_000_000, "embeddings": 0}
        self.files: dict[str, tuple[str, bytes]] = {}  # those not deleted
        self._tokens: set[str] = set()

    @property
    def url(self) -> str:
        """The base URL of the API, /api/v1 included."""
        return super().url + _API

    @property
    def auth_url(self) -> str:
        """Where tokens are given out."""
        return f"{super().url}/api/v2/oauth"

    @property
    def asked(self) -> list[Received]:
        """The requests for an answer, and those for embeddings."""
        paths = (f"{_API}/chat/completions", f"{_API}/embeddings")
        return [request for request in self.requests if request.path in paths]

    @property
    def signed_in(self) -> list[Received]:
        """The requests for a token."""
        return [request for request in self.requests if request.path == "/api/v2/oauth"]

    @property
    def tokens(self) -> frozenset[str]:
        """The access tokens that are good."""
        return frozenset(self._tokens)

    def revoke(self) -> None:
        """No token given out so far is accepted any more."""
        self._tokens.clear()

    def secure(self, folder: Path) -> Path:
        """Serve https, before the start; the file with the certificate of the authority that nobody trusts."""
        import trustme

        authority = trustme.CA()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self.tls)
        path = folder / "russian_trusted_root_ca.pem"
        authority.cert_pem.write_to_path(str(path))
        return path

    async def respond(self, request: Received, connection: Connection) -> None:
        """Answer one request."""
        if request.path == "/api/v2/oauth":
            return await self._sign_in(request, connection)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            return await self.whole(_failing(401, "Token has expired"), connection)
        path = request.path.removeprefix(_API)
        if path == "/chat/completions":
            return await self._chat(request, connection)
        if path == "/embeddings":
            return await self._embed(request, connection)
        if path == "/models" and self.listing is not None:
            return await self.whole(self.listing, connection)
        if path == "/balance" and self.packages is None:
            return await self.whole(forbidden(), connection)
        answer = self._other(request, path)
        if answer is None:
            return await connection.whole(404, "404 page not found")
        return await connection.whole(200, answer)

    async def _sign_in(self, request: Received, connection: Connection) -> None:
        key = request.headers.get("authorization", "").removeprefix("Basic ")
        scope = parse_qs(request.data.decode()).get("scope", [""])[0]
        if self.sign_in is not None:
            return await self.whole(self.sign_in, connection)
        if not request.headers.get("rquid") or ":" not in base64.b64decode(key).decode("latin-1"):
            return await self.whole(unreadable_key(), connection)
        if self.api_key and key != self.api_key:
            return await self.whole(unknown_key(), connection)
        if self.scope and scope != self.scope:
            return await self.whole(wrong_scope(), connection)
        token = f"token-{uuid4().hex}"
        self._tokens.add(token)
        until = int(time.time() * 1000) + 30 * 60 * 1000
        return await connection.whole(200, {"access_token": token, "expires_at": until})

    def _other(self, request: Received, path: str) -> Any:
        if path == "/models":
            names = (*self.models, *NOT_CHAT)
            return {
                "object": "list",
                "data": [{"id": name, "object": "model", "owned_by": "salutedevices"} for name in names],
            }
        if path == "/balance":
            left = self.packages or {}
            return {"balance": [{"usage": name, "value": value} for name, value in left.items()]}
        if path == "/tokens/count":
            return [
                {"object": "tokens", "tokens": len(text.split()), "characters": len(text)}
                for text in request.body["input"]
            ]
        if path == "/files":
            return self._keep(*_file_in(request))
        if path.startswith("/files/") and path.endswith("/delete"):
            name = path.split("/")[2]
            return {"id": name, "deleted": self.files.pop(name, None) is not None}
        return None

    def _keep(self, file_name: str, kind: str, content: bytes) -> dict[str, Any]:
        name = str(uuid4())
        self.files[name] = _UPLOADED[name] = (kind, content)
        return {
            "id": name,
            "object": "file",
            "bytes": len(content),
            "created_at": 0,
            "filename": file_name,
            "purpose": "general",
            "access_policy": "private",
        }

    async def _chat(self, request: Received, connection: Connection) -> None:
        body = request.body
        script = self.script_for(request, str(body["messages"][-1]["content"]))
        if script.error:
            return await self.whole(script, connection)
        if request.model not in self.models:
            return await self.whole(unknown_model(request.model), connection)
        if any(message["role"] == "system" for message in body["messages"][1:]):
            message = "Invalid params: system message must be the first message"
            return await self.whole(_failing(422, message), connection)
        missing = [
            name
            for each in body["messages"]
            for name in each.get("attachments", ())
            if name not in self.files
        ]
        if missing:
            return await self.whole(_failing(404, "No such file"), connection)
        for message in body["messages"]:
            if message["role"] == "function" and not isinstance(json.loads(message["content"]), dict):
                return await self.whole(_failing(422, "Invalid params: function content"), connection)
        return await self._stream(request, script, connection)

    async def _embed(self, request: Received, connection: Connection) -> None:
        texts = inputs_of(request.body)
        script = self.script_for(request, " ".join(texts))
        if not script.error and request.model not in EMBEDDING_MODELS:
            return await self.whole(unknown_model(request.model), connection)
        found = [vector_of(text) for text in texts] if script.vectors is None else script.vectors
        # Each vector says its own tokens, and there is no total.
        told = [len(text.split()) for text in texts] if script.usage is COUNTED else [0] * len(found)
        if script.usage is not None and script.usage is not COUNTED:
            told[0] = script.usage["prompt_tokens"]
        data = [
            {
                "object": "embedding",
                "index": at,
                "embedding": list(vector),
                "usage": {"prompt_tokens": tokens},
            }
            for at, (vector, tokens) in enumerate(zip(found, told, strict=False))
        ]
        answer = {"object": "list", "data": data, "model": request.model}
        return await self.in_one_piece(script, answer, connection)

    async def _stream(self, request: Received, script: Script, connection: Connection) -> None:
        await connection.begin()
        for thought in script.thoughts:
            delta = {"content": "", "reasoning_content": thought, "role": "assistant"}
            await connection.event(_chunk(request.model, delta))
        sent = 0
        async for piece in self.pieces(script, connection):
            await connection.event(_chunk(request.model, {"content": piece, "role": "assistant"}))
            sent += 1
        for name, arguments in script.tool_calls[:1]:
            called = {"name": name, "arguments": dict(arguments)}
            delta = {"content": "", "function_call": called, "functions_state_id": str(uuid4())}
            await connection.event(_chunk(request.model, delta))
        if script.stream_error is not None:
            await connection.event(script.stream_error)
        elif script.finish is not None:
            finish = script.finish or ("function_call" if script.tool_calls else "stop")
            last = _chunk(request.model, {"content": ""}, finish)
            if script.usage is not None:
                last["usage"] = _counted(script, request, sent)
            await connection.event(last)
            await connection.event("[DONE]")
        await connection.end()


def _chunk(model: str, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice: dict[str, Any] = {"delta": delta, "index": 0}
    if finish is not None:
        choice["finish_reason"] = finish
    return {"choices": [choice], "created": 0, "model": f"{model}:2.0.28.2", "object": "chat.completion"}


def _counted(script: Script, request: Received, sent: int) -> Any:
    if script.usage is not COUNTED:
        return script.usage
    words = sum(len(str(message["content"]).split()) for message in request.body["messages"])
    return usage(prompt=words, completion=sent)


def _file_in(request: Received) -> tuple[str, str, bytes]:
    """Name, type and content of the file in a form."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + request.data)
    parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
    assert parts["purpose"].get_payload() == "general"
    file = parts["file"]
    content = file.get_payload(decode=True)
    assert isinstance(content, bytes)
    return str(file.get_filename()), file.get_content_type(), content
