"""/api/auth: signing in and out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from pydantic import Field

from api.identity import CSRF_COOKIE, SESSION_COOKIE, Caller, Hub, visitor_of
from api.schemas import ERRORS, Answer, Body
from core.accounts.types import SignedIn

router = APIRouter(prefix="/api/auth", tags=["auth"], responses=ERRORS)


class Credentials(Body):
    email: Annotated[str, Field(min_length=1, max_length=254, examples=["user@example.com"])]
    password: Annotated[str, Field(min_length=1, max_length=1_000, examples=["strong_password"])]


class Token(Answer):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a kind, no secret


@router.post("/token")
def sign_in_by_form(
    request: Request,
    response: Response,
    hub: Hub,
    username: Annotated[str, Form(min_length=1, max_length=254, description="The e-mail address.")],
    password: Annotated[str, Form(min_length=1, max_length=1_000)],
) -> Token:
    """Sign in with the form of OAuth2."""
    return _signed_in(request, response, hub.members.sign_in.sign_in(username, password, visitor_of(request)))


@router.post("/login")
def sign_in(request: Request, response: Response, hub: Hub, body: Credentials) -> Token:
    """Sign in with JSON. The answer also sets the cookies `sessionid` and `csrftoken`."""
    signed_in = hub.members.sign_in.sign_in(body.email, body.password, visitor_of(request))
    return _signed_in(request, response, signed_in)


@router.post("/logout", status_code=204)
def sign_out(response: Response, hub: Hub, caller: Caller) -> None:
    """Revoke the session of the token, and the token with it."""
    if caller.session_id is not None:
        hub.members.sessions.revoke(caller.account.id, caller.session_id)
    for cookie in (SESSION_COOKIE, CSRF_COOKIE):
        response.delete_cookie(cookie)


def _signed_in(request: Request, response: Response, signed_in: SignedIn) -> Token:
    secure = request.url.scheme == "https"
    ends = signed_in.session.expires_at
    response.set_cookie(
        SESSION_COOKIE, signed_in.secret, expires=ends, httponly=True, samesite="lax", secure=secure
    )
    # Readable: a page sends it back as a header, which no other site can.
    response.set_cookie(CSRF_COOKIE, signed_in.csrf_token, expires=ends, samesite="lax", secure=secure)
    response.headers["Cache-Control"] = "no-store"
    return Token(access_token=signed_in.access_token)
