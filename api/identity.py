"""Who asks: a JWT or a personal token as Bearer, or a session by its header or cookie."""

from typing import Annotated

from fastapi import Depends, Request, params
from fastapi.security import HTTPBearer

from core.accounts.tokens import is_token
from core.accounts.types import Identity, Scope, Visitor
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.services import Services, current

SESSION_COOKIE, CSRF_COOKIE, CSRF_HEADER = "sessionid", "csrftoken", "X-CSRFToken"
_SAFE = {"GET", "HEAD", "OPTIONS"}
_FOR_DOCS = HTTPBearer(auto_error=False, description="A JWT of /api/auth/login, or a personal API token.")


def services() -> Services:
    """Everything a route may ask."""
    return current()


Hub = Annotated[Services, Depends(services)]


def by_bearer(request: Request, hub: Hub, _docs: Annotated[object, Depends(_FOR_DOCS)]) -> Identity:
    """Who the Bearer value belongs to. AppError(UNAUTHORIZED). Runs off the event loop: it asks the database."""
    kind, _space, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    if kind.lower() != "bearer" or not value:
        raise AppError(
            ErrorKind.UNAUTHORIZED,
            N_("Sign in first: send the token of /api/auth/login as `Authorization: Bearer …`."),
        )
    members = hub.members
    return members.tokens.identify(value) if is_token(value) else members.sessions.identify_jwt(value)


Caller = Annotated[Identity, Depends(by_bearer)]


def needs(scope: Scope) -> params.Depends:
    """For the `dependencies` of a route: a personal token must reach that far."""

    def check(caller: Caller) -> None:
        caller.require(scope)

    return params.Depends(check)


def by_session(request: Request, hub: Hub) -> Identity:
    """Who the session of the request belongs to: `Authorization: Session <id>`, else the cookie, which needs the
    CSRF token for anything that changes something. AppError(UNAUTHORIZED), AppError(FORBIDDEN)."""
    header = request.headers.get("authorization")
    cookie = request.cookies.get(SESSION_COOKIE)
    sessions = hub.members.sessions
    if header:
        kind, _space, value = header.partition(" ")
        if kind.lower() != "session" or not value.strip():
            raise _no_credentials()
        return _session(hub, value.strip())
    if not cookie:
        raise _no_credentials()
    identity = _session(hub, cookie)
    if request.method not in _SAFE:
        sessions.check_csrf(identity, request.headers.get(CSRF_HEADER))
    return identity


SessionCaller = Annotated[Identity, Depends(by_session)]


def visitor_of(request: Request) -> Visitor:
    """Where a request comes from."""
    return Visitor(request.client.host if request.client else None, request.headers.get("user-agent", ""))


def _session(hub: Services, secret: str) -> Identity:
    try:
        return hub.members.sessions.identify(secret)
    except AppError as error:
        if error.kind is not ErrorKind.UNAUTHORIZED:
            raise
        raise AppError(ErrorKind.UNAUTHORIZED, N_("Invalid session.")) from None


def _no_credentials() -> AppError:
    return AppError(ErrorKind.UNAUTHORIZED, N_("Authentication credentials were not provided."))
