"""What GigaChat and its sign-in server refuse, and what to do about it."""

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from typing import cast

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.failures import CallFacts, broken, garbage, refused, scrub, shown_url
from core.providers.gigachat_key import SCOPES
from core.providers.refusals import Refusal, retry_after_seconds

_CERTIFICATE = N_(
    "The certificate of {url} is not trusted on this machine: {detail}. GigaChat's servers have theirs from the "
    "Russian Trusted Root CA (Минцифры): install that one, or save it to a file and set GIGACHAT_CA_BUNDLE_FILE to "
    "it. For development only, GIGACHAT_VERIFY_SSL=False skips the check."
)
_WRONG_SCOPE = N_(
    "GigaChat does not give this key ({setting}) the scope {scope}. Set the scope (GIGACHAT_SCOPE, or beside the key) "
    "to the one GigaChat Studio shows for the project: {scopes}. It said: {detail}"
)
_WRONG_KEY = N_(
    "GigaChat does not know the key in {setting}. Copy the “Authorization key” again from the API settings of the "
    "project in GigaChat Studio; making a new one there ends the old one. It said: {detail}"
)
_USED_UP = N_(
    "The token packages of this GigaChat key are used up. Buy a new one in GigaChat Studio, or wait until the free "
    "one is renewed."
)
_BAD_CALL = N_(
    "GigaChat asked for a function with arguments that make no sense. Try again, or take the functions out of the "
    "request."
)


def refusal_of(error: Exception) -> Refusal | None:
    """The error answer inside an exception of the SDK, if it is one."""
    from gigachat.exceptions import ResponseError
    from pydantic import ValidationError

    if isinstance(error, ResponseError):
        return Refusal(error.status_code, _parsed(error.content), retry_after_seconds(error.headers or {}))
    if isinstance(error, ValidationError):
        # Inside a stream the SDK takes an error object for a chunk without the fields of one.
        for problem in error.errors(include_url=False, include_context=False):
            found = cast("object", problem["input"])
            if isinstance(found, Mapping) and "message" in found and "choices" not in found:
                body = cast("Mapping[str, object]", found)
                status = body.get("status", body.get("code"))
                return Refusal(status if isinstance(status, int) and 400 <= status < 600 else 0, body)
    return None


def failure_of(facts: CallFacts, error: Exception, scope: str | None, *, started: bool) -> AppError:
    """The failure that an exception of the SDK means. `scope`: the one signed in with, when that is what failed.

    `started`: see `broken`.
    """
    import httpx

    for cause in _chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            detail = scrub(cause.verify_message or str(cause), *facts.secrets).rstrip(".")
            return AppError(ErrorKind.CERTIFICATE, _CERTIFICATE, url=shown_url(facts.url), detail=detail)
    if type(error) is httpx.TransportError:
        return garbage(facts, str(error))  # the SDK's own word for an answer that is no event stream
    refusal = refusal_of(error)
    if refusal is None:
        return broken(facts, error, started=started)
    special = _at_sign_in(facts, scope, refusal) if scope is not None else None
    return special or refused(facts, refusal)


def _at_sign_in(facts: CallFacts, scope: str, refusal: Refusal) -> AppError | None:
    """What only the sign-in server can have against a key; None when it is nothing special."""
    said = refusal.detail
    if refusal.status == 400 and re.search("scope", said, re.IGNORECASE):
        kind, template = ErrorKind.WRONG_SCOPE, _WRONG_SCOPE
    elif refusal.status in (400, 401, 403):
        kind, template = ErrorKind.WRONG_KEY, _WRONG_KEY
    else:
        return None
    detail = scrub(said or f"HTTP {refusal.status}", *facts.secrets).rstrip(".")
    return AppError(
        kind, template, setting=facts.setting, scope=scope, scopes=", ".join(SCOPES), detail=detail
    )


def used_up() -> AppError:
    """Nothing is left of any package."""
    return AppError(ErrorKind.BILLING, _USED_UP)


def bad_call() -> AppError:
    """The model's own error: what it wanted to call a function with cannot be used."""
    return AppError(ErrorKind.BAD_ANSWER, _BAD_CALL)


def address_of(error: BaseException) -> str | None:
    """Which address failed, as far as the exceptions of the SDK and its HTTP client tell."""
    for cause in _chain(error):
        # httpx keeps the request where its property raises when there is none.
        address = getattr(cause, "url", None) or getattr(getattr(cause, "_request", None), "url", None)
        if address is not None:
            return str(address)
    return None


def is_same_address(one: str, other: str) -> bool:
    """Whether two URLs are one, however their port and host are written."""
    import httpx

    return httpx.URL(one) == httpx.URL(other)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and what led to it."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _parsed(content: bytes | None) -> object:
    text = (content or b"").decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
