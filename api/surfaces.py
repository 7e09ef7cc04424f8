"""Which of the surfaces a path belongs to, and what each of their requests goes through.

One application serves them all, beside the pages: AIHub under /api, the Gemini app under /api/v1/gemini and
/gemini, the OpenAI-compatible front under /v1, WebSockets under /ws, and the pages of signing in.
"""

import re
import uuid
from enum import StrEnum

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OURS = ("/api", "/gemini", "/v1", "/ws", "/metrics", "/sign-in", "/sign-up", "/sign-out")
_GEMINI = "/api/v1/gemini"
# What the Gemini app's pages call, and what answers in the same shapes.
_ACTIONS = (
    "/gemini",
    *(f"{_GEMINI}/{each}" for each in ("api", "send-message", "test-api-key", "sessions")),
)
REQUEST_ID = "x-request-id"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Surface(StrEnum):
    """A family of paths with error shapes of its own."""

    AIHUB = "aihub"
    GEMINI_APP = "gemini_app"
    GEMINI_ACTION = "gemini_action"
    OPENAI = "openai"


def surface_of(path: str) -> Surface:
    """The surface that answers at `path`."""
    if any(_is_below(path, prefix) for prefix in _ACTIONS):
        return Surface.GEMINI_ACTION
    if _is_below(path, _GEMINI):
        return Surface.GEMINI_APP
    return Surface.OPENAI if _is_below(path, "/v1") else Surface.AIHUB


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


class Surfaces:
    """Middleware: hands what is below our prefixes to `api`, and everything else to the pages.

    A path answers with and without its trailing slash, without a redirect.
    """

    def __init__(self, app: ASGIApp, api: ASGIApp) -> None:
        self._pages = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if scope["type"] not in {"http", "websocket"} or not any(_is_below(path, each) for each in _OURS):
            await self._pages(scope, receive, send)
        else:
            await self._api(scope, receive, send)


class WithoutSlash:
    """Middleware: `/api/threads/` is `/api/threads`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if len(path) > 1 and path.endswith("/"):
            scope = {**scope, "path": path.rstrip("/") or "/"}
        await self._app(scope, receive, send)


class WithRequestId:
    """Middleware: every answer carries `X-Request-ID`, the caller's own when it has a plain one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        await self._app(scope, receive, with_id)
