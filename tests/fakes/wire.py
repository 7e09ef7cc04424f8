"""HTTP/1.1 as far as the fakes need it: one request read, one response written, byte by byte if need be."""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from tests.fakes.script import Received


class WatchedReader(asyncio.StreamReader):
    """Tells that the client has left without reading, which would take the first byte of its next request."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.ended = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.ended.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.ended.set()


class Connection:
    """Writes one response."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def whole(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """A complete response; a str is sent as HTML, all else as JSON."""
        text = isinstance(body, str)
        data = (body if text else json.dumps(body)).encode()
        kind = "text/html" if text else "application/json"
        self._head(status, {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})})
        self._writer.write(data)
        await self._writer.drain()

    async def half(self) -> None:
        """The beginning of a response whose end is promised."""
        self._head(200, {"Content-Type": "application/json", "Content-Length": "1000"})
        self._writer.write(b'{"object": "list", ')
        await self._writer.drain()

    async def begin(self) -> None:
        """The head of an event stream."""
        self._head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
        await self._writer.drain()

    async def event(self, data: Any) -> None:
        """One server-sent event; a str goes as it is."""
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        await self.send(f"data: {text}\n\n".encode())

    async def send(self, data: bytes) -> None:
        """Raw bytes of the stream."""
        self._writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await self._writer.drain()

    async def end(self) -> None:
        """The end of the stream."""
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    def _head(self, status: int, headers: dict[str, str]) -> None:
        phrase = next((known.phrase for known in HTTPStatus if known == status), "")  # 529 has none
        lines = [f"HTTP/1.1 {status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())


async def read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    data = await reader.readexactly(int(headers.get("content-length", 0)))
    path, _, query = target.partition("?")
    return Received(method, path, query, headers, _body(headers, data), data)


def _body(headers: Mapping[str, str], data: bytes) -> Any:
    """Parsed JSON; None without a body, and where it is a form or a file."""
    kind = headers.get("content-type", "")
    is_form = kind.startswith(("application/x-www-form-urlencoded", "multipart/"))
    return json.loads(data) if data and not is_form else None
