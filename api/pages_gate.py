"""Nothing of a page is reachable without a session, where AIHUB_AUTH=password."""

from urllib.parse import urlencode

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web import sentence
from core.accounts.types import SESSION_COOKIE
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.services import current

# Streamlit's own front end, the same for everybody: nothing of ours is in it. The other two it asks before it
# opens its WebSocket again, where it is told that its session has ended.
_FRONT_END = "/static/"
_ASKED_FIRST = {"/_stcore/health", "/_stcore/host-config"}
_SUBPROTOCOL = "streamlit"
_SIGNED_OUT = 1008
_TRY_LATER = 1013


class SignedInOnly:
    """Middleware in front of the pages.

    A browser that wants to go somewhere is sent to sign in first; everything else without a session is refused.
    On a WebSocket the session is asked for again before every message of the browser, so that a session that was
    revoked sets off no script and no callback any more, in whatever tab. `farewell`: the message that has
    Streamlit's front end load its page anew, which leads to signing in and back. `language`: the hub's own.
    """

    def __init__(self, app: ASGIApp, farewell: bytes, language: str | None = None) -> None:
        self._app = app
        self._farewell = farewell
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            allowed = _is_public(scope["path"]) or await _is_signed_in(scope)
        except AppError as error:
            await sentence(scope, error, 503, self._language)(scope, receive, send)
            return
        if allowed:
            await self._app(scope, receive, send)
        elif _is_navigation(scope):
            await RedirectResponse(_sign_in(scope), 303, {"Cache-Control": "no-store"})(scope, receive, send)
        else:
            await sentence(scope, N_("Sign in first."), 401, self._language)(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        code = await _reason_to_close(scope)
        if code is None:
            await self._while_signed_in(scope, receive, send)
        elif code == _SIGNED_OUT and _SUBPROTOCOL in scope.get("subprotocols", ()):
            # Accepted only to be told: a page cannot see why it is refused, and would ask for ever.
            await receive()
            await send({"type": "websocket.accept", "subprotocol": _SUBPROTOCOL})
            await self._end(send, code)
        else:
            await send({"type": "websocket.close", "code": code})

    async def _while_signed_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_closed = False

        async def checked() -> Message:
            nonlocal is_closed
            message = await receive()
            if message["type"] == "websocket.receive" and not is_closed:
                code = await _reason_to_close(scope)
                if code is not None:
                    is_closed = True
                    await self._end(send, code)
                    return {"type": "websocket.disconnect", "code": code}
            return message

        async def while_open(message: Message) -> None:
            # The page goes on for a moment; nobody is there any more to see it.
            if not is_closed:
                await send(message)

        await self._app(scope, checked, while_open)

    async def _end(self, send: Send, code: int) -> None:
        if code == _SIGNED_OUT:
            await send({"type": "websocket.send", "bytes": self._farewell})
        await send({"type": "websocket.close", "code": code})


def _is_public(path: str) -> bool:
    return path.startswith(_FRONT_END) or path in _ASKED_FIRST


async def _reason_to_close(scope: Scope) -> int | None:
    try:
        return None if await _is_signed_in(scope) else _SIGNED_OUT
    except AppError:
        return _TRY_LATER


async def _is_signed_in(scope: Scope) -> bool:
    """AppError when the database cannot tell."""
    cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
    secret = cookies.get(SESSION_COOKIE, "")
    return bool(secret) and await to_thread.run_sync(_is_session, secret)


def _is_session(secret: str) -> bool:
    try:
        current().members.sessions.identify(secret)
    except AppError as error:
        if error.kind is ErrorKind.UNAUTHORIZED:
            return False
        raise
    return True


def _is_navigation(scope: Scope) -> bool:
    if scope["method"] not in {"GET", "HEAD"}:
        return False
    headers = Headers(scope=scope)
    mode = headers.get("sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in headers.get("accept", "")


def _sign_in(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    wanted = raw.partition(b"?")[0].decode("latin-1")
    if query := scope.get("query_string", b"").decode("latin-1"):
        wanted += f"?{query}"
    return f"/sign-in?{urlencode({'next': wanted})}" if wanted != "/" else "/sign-in"
