"""Who opens a WebSocket, asked again for as long as it is open."""

from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import WebSocket

from api.identity import identify_bearer, identify_session
from core.accounts.types import SESSION_COOKIE, Identity
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.services import Services

Credential = Callable[[Services], Identity]
"""Tells who it belongs to; AppError(UNAUTHORIZED) once it is revoked. It asks the database."""


def credential_of(socket: WebSocket) -> Credential | None:
    """What came with the handshake: `Authorization: Bearer` or `Session`, else the cookie; None without any."""
    header = socket.headers.get("authorization")
    if header is not None:
        kind, _space, value = header.partition(" ")
        return _of_header(kind.lower(), value.strip())
    cookie = socket.cookies.get(SESSION_COOKIE)
    return None if not cookie else lambda hub: identify_session(hub, cookie)


def of_token(token: str) -> Credential:
    """A JWT or a personal token from the first message."""
    return lambda hub: identify_bearer(hub, token)


def is_hijacking(socket: WebSocket) -> bool:
    """Whether a page of another host opened it in the name of whoever is signed in here.

    Browsers send the cookie along from any page, and always say which page it was.
    """
    if "authorization" in socket.headers or not socket.cookies.get(SESSION_COOKIE):
        return False
    host = socket.headers.get("host", "").lower()
    return not host or _host_of(socket.headers.get("origin", "")) != host


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _of_header(kind: str, value: str) -> Credential:
    if value and kind == "bearer":
        return of_token(value)
    if value and kind == "session":
        return lambda hub: identify_session(hub, value)
    return _nobody


def _nobody(_hub: Services) -> Identity:
    raise AppError(ErrorKind.UNAUTHORIZED, N_("Authentication credentials were not provided."))
