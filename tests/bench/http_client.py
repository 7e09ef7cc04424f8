"""An HTTP/1.1 client that costs next to nothing, so that the server is what is measured. For our own servers only."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection that is kept open; requests on it come one after the other."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._port = port
        self._fixed = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    async def request(self, method: str, path: str, body: object = None) -> Answered:
        """The whole answer."""
        status, headers = await self._send(method, path, body)
        if headers.get("transfer-encoding") == "chunked":
            return Answered(status, b"".join([piece async for piece in self._chunks()]))
        assert self._reader is not None
        return Answered(status, await self._reader.readexactly(int(headers.get("content-length", 0))))

    async def events(self, method: str, path: str, body: object = None) -> AsyncIterator[dict[str, str]]:
        """The server-sent events of an answer, each with its `id`, `event` and `data`. ValueError for another one."""
        status, headers = await self._send(method, path, body)
        if headers.get("transfer-encoding") != "chunked":
            assert self._reader is not None
            text = await self._reader.readexactly(int(headers.get("content-length", 0)))
            raise ValueError(f"{status}: {text[:500]!r}")
        left = b""
        async for piece in self._chunks():
            *whole, left = (left + piece).split(b"\n\n")
            for block in whole:
                lines = [line.partition(": ") for line in block.decode().split("\n") if line[:1] != ":"]
                if lines:
                    yield {name: value for name, _, value in lines}

    async def _send(self, method: str, path: str, body: object) -> tuple[int, dict[str, str]]:
        assert self._reader is not None
        assert self._writer is not None
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{self._fixed}"
        kind = "Content-Type: application/json\r\n" if data else ""
        self._writer.write(f"{head}{kind}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        return int(first.split()[1]), {name.lower(): value.strip().lower() for name, _, value in pairs}

    async def _chunks(self) -> AsyncIterator[bytes]:
        assert self._reader is not None
        while size := int(await self._reader.readline(), 16):
            yield await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
