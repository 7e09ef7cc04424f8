"""Bodies are refused before they fill the memory."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import refusal
from core.errors import AppError, ErrorKind
from core.i18n import N_

MAX_BODY = 32 * 2**20
"""Bytes: files travel in base64, and a conversation's come to 20 MB at most."""


class _TooLarge(Exception):
    pass


class _Exchange:
    """One request that is counted, and its answer, which is held back once there was too much of it."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._taken = 0
        self._begun = False

    @property
    def is_refused(self) -> bool:
        return self._taken > self._limit and not self._begun

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            if self._taken > self._limit:
                raise _TooLarge
        return message

    async def send(self, message: Message) -> None:
        if not self.is_refused:
            self._begun = True
            await self._send(message)


class BodyLimit:
    """Middleware: a request with more than `limit` bytes is answered with 413, also when it did not say so."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > self._limit:
            await self._refuse(scope, receive, send)
            return
        exchange = _Exchange(receive, send, self._limit)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except _TooLarge:
            if not exchange.is_refused:
                raise
        # Whatever the application made of a body that broke off, this is the reason.
        if exchange.is_refused:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = AppError(
            ErrorKind.VALIDATION,
            N_("The request is larger than {limit} MB. Send less at once."),
            limit=self._limit // 2**20,
        )
        await refusal(scope, error, status=413)(scope, receive, send)
