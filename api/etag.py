"""What has not changed is not sent twice: ETags on JSON answers to GET."""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.surfaces import Surface, surface_of

MAX_BYTES = 2**20
"""Larger answers go out as they come, without an ETag."""

_VARY = ("Authorization", "Cookie", "Accept-Language")
_KEPT_BY_304 = {"etag", "cache-control", "vary", "set-cookie", "date", "expires"}


class ETags:
    """Middleware: a 200 in JSON of a known, moderate length gets an ETag, and `If-None-Match` an empty 304.

    Streams have no length and pass untouched, and so does what says `Cache-Control: no-store`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or surface_of(scope["path"]) is Surface.OPENAI
            or scope["path"] == "/metrics"
        ):
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        await self._app(scope, receive, _Answer(send, known).send)


class _Answer:
    """One answer, held back until its whole body is there."""

    def __init__(self, send: Send, known: str) -> None:
        self._send = send
        self._known = known
        self._start: Message | None = None
        self._body: list[bytes] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_taken(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._finish(self._start, b"".join(self._body))

    async def _finish(self, start: Message, body: bytes) -> None:
        # Weak: a proxy may compress what we hashed.
        etag = f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
        headers = MutableHeaders(scope=start)
        headers["etag"] = etag
        headers.setdefault("cache-control", "private, no-cache")
        for name in _VARY:
            headers.add_vary_header(name)
        if _matches(self._known, etag):
            kept = [(name, value) for name, value in start["headers"] if name.decode() in _KEPT_BY_304]
            start, body = {**start, "status": 304, "headers": kept}, b""
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _is_taken(start: Message) -> bool:
    if start["status"] != 200:
        return False
    headers = Headers(raw=start["headers"])
    length = headers.get("content-length", "")
    return (
        headers.get("content-type", "").partition(";")[0].strip() == "application/json"
        and length.isdecimal()
        and int(length) <= MAX_BYTES
        and "etag" not in headers
        and "no-store" not in headers.get("cache-control", "")
    )


def _matches(known: str, etag: str) -> bool:
    tags = [each.strip() for each in known.split(",")]
    return "*" in tags or etag in tags or etag.removeprefix("W/") in tags
