"""Who asks: a JWT or a personal token as Bearer, or a session by its header or cookie."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, Request, params
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer

from core.accounts.types import SESSION_COOKIE, Identity, Scope, Visitor
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.services import Services, current

CSRF_COOKIE, CSRF_HEADER = "csrftoken", "X-CSRFToken"
_SAFE = {"GET", "HEAD", "OPTIONS"}
# These three decide nothing: the OpenAPI document learns from them how a request says who sends it.
_FOR_DOCS = HTTPBearer(
    scheme_name="bearer",
    bearerFormat="JWT or personal token",
    description="`Authorization: Bearer …` with a JWT of /api/auth/login, or a personal API token.",
    auto_error=False,
)
_HEADER_FOR_DOCS = APIKeyHeader(
    name="Authorization",
    scheme_name="session",
    description="`Authorization: Session …` with a session id, the value of the cookie `sessionid`.",
    auto_error=False,
)
_COOKIE_FOR_DOCS = APIKeyCookie(
    name=SESSION_COOKIE,
    scheme_name="sessionCookie",
    description="The cookie that signing in sets. What changes something also needs the value of the cookie "
    "`csrftoken` in the header `X-CSRFToken`.",
    auto_error=False,
)


BEARER: dict[str, Any] = {"security": [{_FOR_DOCS.scheme_name: []}]}
"""For the `openapi_extra` of a route that asks `bearer_of`."""


def services() -> Services:
    """Everything a route may ask."""
    return current()


async def _services() -> Services:
    # FastAPI would send the other one to a thread, for every request.
    return services()


Hub = Annotated[Services, Depends(_services)]


async def by_bearer(request: Request, hub: Hub, _docs: Annotated[object, Depends(_FOR_DOCS)]) -> Identity:
    """Who the Bearer value belongs to. AppError(UNAUTHORIZED). A thread asks the database, once a second."""
    return await bearer_of(request, hub)


async def bearer_of(request: Request, hub: Services) -> Identity:
    """`by_bearer` for a route asked so often that it does without dependencies; `BEARER` is for its document."""
    kind, _space, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    if kind.lower() != "bearer" or not value:
        raise AppError(
            ErrorKind.UNAUTHORIZED,
            N_("Sign in first: send the token of /api/auth/login as `Authorization: Bearer …`."),
        )
    bearers = hub.members.bearers
    return bearers.get(value) if bearers.has(value) else await to_thread.run_sync(bearers.get, value)


def identify_bearer(hub: Services, value: str) -> Identity:
    """Who a JWT or a personal token belongs to. AppError(UNAUTHORIZED). It asks the database, once a second."""
    return hub.members.bearers.get(value)


Caller = Annotated[Identity, Depends(by_bearer)]


def needs(scope: Scope) -> params.Depends:
    """For the `dependencies` of a route: a personal token must reach that far."""

    async def check(caller: Caller) -> None:
        caller.require(scope)

    return params.Depends(check)


def by_session(
    request: Request,
    hub: Hub,
    _header: Annotated[object, Depends(_HEADER_FOR_DOCS)],
    _cookie: Annotated[object, Depends(_COOKIE_FOR_DOCS)],
) -> Identity:
    """Who the session of the request belongs to: `Authorization: Session <id>`, else the cookie, which needs the
    CSRF token for anything that changes something. AppError(UNAUTHORIZED), AppError(FORBIDDEN)."""
    header = request.headers.get("authorization")
    cookie = request.cookies.get(SESSION_COOKIE)
    sessions = hub.members.sessions
    if header:
        kind, _space, value = header.partition(" ")
        if kind.lower() != "session" or not value.strip():
            raise _no_credentials()
        return identify_session(hub, value.strip())
    if not cookie:
        raise _no_credentials()
    identity = identify_session(hub, cookie)
    if request.method not in _SAFE:
        sessions.check_csrf(identity, request.headers.get(CSRF_HEADER))
    return identity


SessionCaller = Annotated[Identity, Depends(by_session)]


def visitor_of(request: Request) -> Visitor:
    """Where a request comes from."""
    return Visitor(request.client.host if request.client else None, request.headers.get("user-agent", ""))


def identify_session(hub: Services, secret: str) -> Identity:
    """Who a session id belongs to. AppError(UNAUTHORIZED). It asks the database."""
    try:
        return hub.members.sessions.identify(secret)
    except AppError as error:
        if error.kind is not ErrorKind.UNAUTHORIZED:
            raise
        raise AppError(ErrorKind.UNAUTHORIZED, N_("Invalid session.")) from None


def _no_credentials() -> AppError:
    return AppError(ErrorKind.UNAUTHORIZED, N_("Authentication credentials were not provided."))
