"""What the REST surfaces have answered, in counts: cheap enough to be kept for every request."""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.surfaces import surface_of

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds: the upper bounds of the histogram's buckets; one more holds what took longer."""

UNMATCHED = "unmatched"
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class Kind:
    """Which requests are counted together. `route` is the template of a path, never the path: there are as many
    kinds as there are routes, whatever is asked. `status` is a class such as `2xx`."""

    surface: str
    route: str
    method: str
    status: str


@dataclass(slots=True)
class Tally:
    """Requests of one kind: how many took how long, by bucket, and all their seconds together."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


class RequestCounts:
    """The counts of one application. Written on its event loop only; a reader elsewhere may be one behind."""

    def __init__(self) -> None:
        self.tallies: dict[Kind, Tally] = {}
        self.refused: Counter[str] = Counter()  # 429 by surface
        self.streams = 0
        self.sockets = 0

    def add(self, kind: Kind, seconds: float) -> None:
        """One request has been answered."""
        tally = self.tallies.get(kind)
        if tally is None:
            tally = self.tallies[kind] = Tally()
        tally.buckets[bisect_left(BOUNDS, seconds)] += 1
        tally.seconds += seconds

    @contextmanager
    def open_socket(self) -> Generator[None]:
        """A WebSocket is open while the block runs."""
        self.sockets += 1
        try:
            yield
        finally:
            self.sockets -= 1


class CountsRequests:
    """Middleware: counts what comes by. Inside everything that copies the scope, or the route is not seen."""

    def __init__(self, app: ASGIApp, counts: RequestCounts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._count(scope, receive, send)
        elif scope["type"] == "websocket":
            with self._counts.open_socket():
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        counts, begun, seen = self._counts, time.perf_counter(), _Seen()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                if Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream"):
                    seen.streams = 1
                    counts.streams += 1
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            counts.streams -= seen.streams
            surface = surface_of(scope["path"]).value
            if seen.status == 429:
                counts.refused[surface] += 1
            kind = Kind(surface, _template(scope), _method(scope), f"{seen.status // 100}xx")
            counts.add(kind, time.perf_counter() - begun)


@dataclass(slots=True)
class _Seen:
    """What an answer turned out to be; an application that fails before it answers is answered with 500."""

    status: int = 500
    streams: int = 0


def _template(scope: Scope) -> str:
    route: Any = scope.get("route")
    template = getattr(route, "path", None)
    return template if isinstance(template, str) and template and "endpoint" in scope else UNMATCHED


def _method(scope: Scope) -> str:
    # A client may make up methods of its own, as many as it likes.
    return scope["method"] if scope["method"] in _METHODS else "other"
