"""/sign-in, /sign-up and /sign-out: how people get to the pages where AIHUB_AUTH=password.

They are plain HTML from this server, so that nothing of the pages behind them has to be loaded first.
"""

import hmac
import secrets
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.cookies import forget_session, set_session
from api.identity import Hub, visitor_of
from api.return_path import HOME, safe_path
from api.sign_in_words import words
from api.web import page, reader_language
from core.accounts.types import SESSION_COOKIE, Identity
from core.errors import AppError, ErrorKind
from core.i18n import LANGUAGES, N_
from core.services import Services

FORM_COOKIE = "formtoken"
_LONGEST = 1_000

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]


@router.get("/sign-in")
def sign_in_page(request: Request, hub: Hub) -> Response:
    """The form; for somebody signed in, or where nobody need be, the page that was wanted."""
    if hub.settings.auth == "local" or _identity(request, hub) is not None:
        return _to(_wanted(request))
    if not hub.members.accounts.has_members() and hub.members.accounts.can_sign_up():
        return _to(_address("/sign-up", request))
    return _form(request, hub, "sign_in.html")


@router.post("/sign-in")
def sign_in(request: Request, hub: Hub, email: Text = "", password: Text = "", token: Text = "") -> Response:
    """Sign in and go where the person wanted to go; the form again, with a sentence, when that fails."""
    if hub.settings.auth == "local":
        return _to(HOME)
    try:
        _check_form(request, token)
        return _signed_in(request, hub, email, password)
    except AppError as error:
        return _form(request, hub, "sign_in.html", error, email=email)


@router.get("/sign-up")
def sign_up_page(request: Request, hub: Hub) -> Response:
    """The form for a new account, where AIHUB_SIGNUP allows one."""
    if hub.settings.auth == "local" or not hub.members.accounts.can_sign_up():
        return _to(_address("/sign-in", request))
    return _form(request, hub, "sign_up.html")


@router.post("/sign-up")
def sign_up(
    request: Request,
    hub: Hub,
    email: Text = "",
    username: Text = "",
    password: Text = "",
    token: Text = "",
) -> Response:
    """Make an account and sign in with it."""
    if hub.settings.auth == "local":
        return _to(HOME)
    try:
        _check_form(request, token)
        hub.members.accounts.sign_up(email[:_LONGEST], username[:_LONGEST], password[: _LONGEST + 1])
        return _signed_in(request, hub, email, password)
    except AppError as error:
        return _form(request, hub, "sign_up.html", error, email=email, username=username)


@router.get("/sign-out")
def sign_out_page(request: Request, hub: Hub) -> Response:
    """A button: a link that signs out by itself could be planted anywhere."""
    identity = _identity(request, hub)
    if hub.settings.auth == "local" or identity is None:
        return _to("/sign-in")
    csrf = hub.members.sessions.csrf_token(identity)
    return _form(request, hub, "sign_out.html", csrf=csrf, name=identity.account.username)


@router.post("/sign-out")
def sign_out(request: Request, hub: Hub, csrf: Text = "") -> Response:
    """Revoke the session, in every tab that uses it."""
    identity = _identity(request, hub)
    if hub.settings.auth == "local" or identity is None or identity.session_id is None:
        return _to("/sign-in")
    try:
        hub.members.sessions.check_csrf(identity, csrf)
    except AppError:
        return _to("/sign-out")
    hub.members.sessions.revoke(identity.account.id, identity.session_id)
    answer = _to("/sign-in")
    forget_session(answer)
    return answer


def _signed_in(request: Request, hub: Services, email: str, password: str) -> Response:
    signed_in = hub.members.sign_in.sign_in(email, password[: _LONGEST + 1], visitor_of(request))
    answer = _to(_wanted(request))
    set_session(request, answer, signed_in)
    answer.delete_cookie(FORM_COOKIE)
    return answer


def _identity(request: Request, hub: Services) -> Identity | None:
    try:
        return hub.members.sessions.identify(request.cookies.get(SESSION_COOKIE, ""))
    except AppError:
        return None


def _check_form(request: Request, token: str) -> None:
    """The form was ours: its token is the cookie's, which no other site can read or set."""
    kept = request.cookies.get(FORM_COOKIE, "")
    if not kept or not hmac.compare_digest(kept.encode(), token.encode("utf-8", "replace")):
        raise AppError(ErrorKind.FORBIDDEN, N_("This form had been open for too long. Send it once more."))


def _form(
    request: Request, hub: Services, template: str, error: AppError | None = None, **values: Any
) -> Response:
    language = reader_language(request, hub.settings.language)
    accounts = hub.members.accounts
    token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
    answer = page(
        template,
        error.status if error else 200,
        **{"email": "", "username": "", **values},
        words=words(language),
        language=language,
        languages=LANGUAGES,
        error=error.text(language) if error else "",
        token=token,
        is_first=not accounts.has_members(),
        can_sign_up=accounts.can_sign_up(),
        sign_in=_address("/sign-in", request),
        sign_up=_address("/sign-up", request),
        in_language={each: _address(request.url.path, request, each) for each in LANGUAGES},
    )
    secure = request.url.scheme == "https"
    answer.set_cookie(FORM_COOKIE, token, httponly=True, samesite="strict", secure=secure)
    if error is not None and "seconds" in error.params:
        answer.headers["Retry-After"] = str(error.params["seconds"])
    return answer


def _wanted(request: Request) -> str:
    return safe_path(request.query_params.get("next"))


def _address(path: str, request: Request, language: str | None = None) -> str:
    """Another page of signing in, with where to go afterwards and the language chosen so far."""
    query = {"next": _wanted(request), "lang": language or request.query_params.get("lang", "")}
    kept = {name: value for name, value in query.items() if value not in ("", HOME)}
    return f"{path}?{urlencode(kept)}" if kept else path


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, headers={"Cache-Control": "no-store"})
