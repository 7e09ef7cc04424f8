"""Server-sent events: how they are framed, and an answer that sends them."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.types import Send

KEEP_ALIVE_SECONDS = 15.0
"""Silence after which a comment is sent, so that nothing on the way takes the connection for dead."""

KEEP_ALIVE = b": keep-alive\n\n"

_HEADERS = {
    "Cache-Control": "no-store",
    # Some proxies gather an answer before they pass it on.
    "X-Accel-Buffering": "no",
}
# JSON escapes CR and LF by itself. These end no line of an event stream, but some clients split text at them.
_OTHER_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `data` becomes JSON on one line, `id` what a client sends back as Last-Event-ID."""

    name: str
    data: Mapping[str, Any]
    id: str

    def frame(self) -> bytes:
        """As it goes over the wire."""
        data = json.dumps(self.data, ensure_ascii=False, allow_nan=False).translate(_OTHER_LINE_ENDS)
        return f"event: {self.name}\nid: {self.id}\ndata: {data}\n\n".encode()


class EventStream(StreamingResponse):
    """Sends events as they come, and a comment for each None. A client that leaves closes the generator at once."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[Event | None], status_code: int = 200) -> None:
        self._frames = _frames(events)
        super().__init__(self._frames, status_code, headers=_HEADERS)

    async def stream_response(self, send: Send) -> None:
        """See StreamingResponse, which leaves the closing to the garbage collector."""
        async with aclosing(self._frames):
            await super().stream_response(send)


async def _frames(events: AsyncGenerator[Event | None]) -> AsyncGenerator[bytes]:
    async with aclosing(events):
        async for event in events:
            yield KEEP_ALIVE if event is None else event.frame()
