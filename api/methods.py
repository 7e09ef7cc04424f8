"""HEAD and OPTIONS wherever something answers, and the whole truth in the `Allow` of a 405."""

from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ROUTED = ("route", "endpoint")


class Methods:
    """Middleware: HEAD is answered as GET is, without the body, and OPTIONS with the methods of an address.

    No answer has CORS headers: the page of another site learns nothing here, and may send nothing.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._routes = [route for route in routes if isinstance(route, Route)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        if method == "OPTIONS" and (allowed := self._allowed(scope["path"])):
            await Response(status_code=204, headers={"Allow": allowed})(scope, receive, send)
            return

        async def corrected(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 405:
                # The framework names those of one route, and an address may have several.
                MutableHeaders(scope=message)["Allow"] = self._allowed(scope["path"])
            await send(message)

        if method == "HEAD":
            await self._head(scope, receive, corrected)
        else:
            await self._app(scope, receive, corrected)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        head, as_get = _Head(send), {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, head.send)
        except (OSError, ClientDisconnect):
            if not head.is_sent:
                raise
        finally:
            # Who counts requests looks for their route here.
            scope.update({name: as_get[name] for name in _ROUTED if name in as_get})

    def _allowed(self, path: str) -> str:
        """The methods of the address that `path` is first found to be; empty when it is none."""
        of = next((each.path for each in self._routes if each.path_regex.match(path)), None)
        methods = {method for each in self._routes if each.path == of for method in each.methods or ()}
        if "GET" in methods:
            methods.add("HEAD")
        return ", ".join(sorted(methods | {"OPTIONS"})) if methods else ""


class _Head:
    """An answer without its body. Who would go on with it is told that the client is gone, as a server tells it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_sent = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._send(message)
            return
        if not self.is_sent:
            self.is_sent = True
            await self._send({"type": "http.response.body", "body": b""})
        if message.get("more_body", False):
            raise OSError("only the head was asked for")
