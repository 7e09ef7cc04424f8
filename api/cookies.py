"""The cookies of a session: its secret, which no script can read, and its CSRF token, which pages send back."""

from fastapi import Request, Response

from api.identity import CSRF_COOKIE
from core.accounts.types import SESSION_COOKIE, SignedIn


def set_session(request: Request, response: Response, signed_in: SignedIn) -> None:
    """Sign the browser in: both cookies last as long as the session."""
    secure = request.url.scheme == "https"
    ends = signed_in.session.expires_at
    response.set_cookie(
        SESSION_COOKIE, signed_in.secret, expires=ends, httponly=True, samesite="lax", secure=secure
    )
    # Readable: a page sends it back as a header, which no other site can.
    response.set_cookie(CSRF_COOKIE, signed_in.csrf_token, expires=ends, samesite="lax", secure=secure)


def forget_session(response: Response) -> None:
    """Take both cookies back."""
    for cookie in (SESSION_COOKIE, CSRF_COOKIE):
        response.delete_cookie(cookie)
