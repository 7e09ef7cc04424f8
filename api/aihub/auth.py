"""/api/auth: signing in and out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from pydantic import Field

from api.cookies import forget_session, set_session
from api.identity import Caller, Hub, visitor_of
from api.schemas import ERRORS, Answer, Body
from core.accounts.types import SignedIn

router = APIRouter(prefix="/api/auth", tags=["auth"], responses=ERRORS)


class Credentials(Body):
    email: Annotated[str, Field(min_length=1, max_length=254, examples=["user@example.com"])]
    password: Annotated[str, Field(min_length=1, max_length=1_000, examples=["strong_password"])]


class AccessToken(Answer):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a kind, no secret


@router.post("/token")
def sign_in_by_form(
    request: Request,
    response: Response,
    hub: Hub,
    username: Annotated[
        str,
        Form(min_length=1, max_length=254, description="The e-mail address.", examples=["user@example.com"]),
    ],
    password: Annotated[str, Form(min_length=1, max_length=1_000, examples=["strong_password"])],
) -> AccessToken:
    """Sign in with the form of OAuth2."""
    return _signed_in(request, response, hub.members.sign_in.sign_in(username, password, visitor_of(request)))


@router.post("/login")
def sign_in(request: Request, response: Response, hub: Hub, body: Credentials) -> AccessToken:
    """Sign in with JSON. The answer also sets the cookies `sessionid` and `csrftoken`."""
    signed_in = hub.members.sign_in.sign_in(body.email, body.password, visitor_of(request))
    return _signed_in(request, response, signed_in)


@router.post("/logout", status_code=204)
def sign_out(response: Response, hub: Hub, caller: Caller) -> None:
    """Revoke the session of the token, and the token with it."""
    if caller.session_id is not None:
        hub.members.sessions.revoke(caller.account.id, caller.session_id)
    forget_session(response)


def _signed_in(request: Request, response: Response, signed_in: SignedIn) -> AccessToken:
    set_session(request, response, signed_in)
    response.headers["Cache-Control"] = "no-store"
    return AccessToken(access_token=signed_in.access_token)
