"""Under which names the hub answers, and whose pages may ask it: against DNS rebinding and other sites' requests."""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import refusal
from api.web import sentence
from core.errors import AppError, ErrorKind
from core.i18n import N_

UNKNOWN_HOST = N_(
    "AIHub does not answer under this name. Open it by its IP address, or have the name added to "
    "AIHUB_ALLOWED_HOSTS."
)
_SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
_PORTS = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}


def host_name(scope: Scope) -> str:
    """The name or address in the Host header, without port and brackets; empty when there is none."""
    host = Headers(scope=scope).get("host", "")
    if host.startswith("["):
        return host[1 : host.index("]")] if "]" in host else host
    return host.partition(":")[0]


def is_address(host: str) -> bool:
    """Whether a host is an IP address and no name: an address cannot be made to mean another machine."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


class AllowedHosts:
    """Middleware: answers under IP addresses, `localhost`, and the given `names` only. `language`: the hub's own."""

    def __init__(self, app: ASGIApp, names: Collection[str] = (), language: str | None = None) -> None:
        self._app = app
        self._language = language
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or self._is_allowed(host_name(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await sentence(scope, UNKNOWN_HOST, 400, self._language)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "unknown host"})

    def _is_allowed(self, host: str) -> bool:
        return host.lower().rstrip(".") in self._names or is_address(host)


class SameOrigin:
    """Middleware: what a page of another site sends is refused, wherever the browser would add our cookie to it.

    That is every WebSocket and every request that may change something. A program sends no Origin, and one with
    an Authorization header leans on no cookie: both pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_checked(scope) or _is_same_origin(Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            error = AppError(ErrorKind.FORBIDDEN, N_("This request comes from a page of another site."))
            await refusal(scope, error)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "another origin"})


def _is_checked(scope: Scope) -> bool:
    return scope["type"] == "websocket" or (scope["type"] == "http" and scope["method"] not in _SAFE)


def _is_same_origin(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is None or "authorization" in headers:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    port = _PORTS.get(parts.scheme, "")
    host = headers.get("host", "").lower().removesuffix(port)
    return bool(host) and parts.netloc.lower().removesuffix(port) == host
