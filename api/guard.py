"""What stands in front of everything the server answers: local use stays local, and pages stay offline."""

from ipaddress import ip_address
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.hosts import host_name
from api.web import sentence
from core.i18n import N_

REFUSED = N_(
    "AIHub has no sign-in configured (AIHUB_AUTH=local), so it answers this machine only. "
    "Open it as http://127.0.0.1 on the machine it runs on."
)

# The browser asks no other host for anything, whatever a model's answer may hold.
_SOURCES = {
    "default-src": "'self'",
    # Streamlit's own front end needs the first two, and loads the scripts of our components from the third.
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
_HEADERS = {
    "content-security-policy": "; ".join(f"{kind} {source}" for kind, source in _SOURCES.items()),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Whether a host name or address (without port or brackets) can only mean this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


class LocalOnly:
    """Refuses callers from elsewhere, and names that are not this machine's (DNS rebinding).

    `language`: the hub's own.
    """

    def __init__(self, app: ASGIApp, language: str | None = None) -> None:
        self._app = app
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or _is_local(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await sentence(scope, REFUSED, 403, self._language)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "local use only"})


class OfflinePages:
    """Adds the headers that keep a page from loading anything from another host."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def _is_local(scope: Scope) -> bool:
    client: tuple[str, Any] | None = scope.get("client")
    return (client is None or is_loopback(client[0])) and is_loopback(host_name(scope))
