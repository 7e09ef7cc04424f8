"""What an SDK raises, said once in our words: a kind, a sentence a person can act on, and no secret.

An adapter raises what is made here outside its `except`, so that the SDK's exception, which holds the request
with the key in its headers, is not chained to it and reaches no log.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.refusals import Refusal

_SHOWN = 300  # characters of what a provider says that are worth showing

_SECRETS = re.compile(
    r"(?P<name>\b(?:key|api[_-]?key|x-goog-api-key|access_token|authorization)\b[\"']?\s*[=:]\s*[\"']?)(?:Bearer\s+)?[^\s\"'&,;)]+"
    r"|(?P<bearer>\bBearer\s+)[^\s\"',;)]+"
    r"|\b(?:sk|gsk|xai|AIza|AQ\.)[-_A-Za-z0-9*.]{8,}",
    re.IGNORECASE,
)

_REFUSED: dict[ErrorKind, str] = {
    ErrorKind.WRONG_KEY: N_("{provider} did not accept the API key. Check {setting}. It said: {detail}"),
    ErrorKind.BILLING: N_(
        "{provider} says that the balance or quota of this key is used up. Top it up or change the plan, "
        "then try again. It said: {detail}"
    ),
    ErrorKind.RATE_LIMIT: N_(
        "{provider} takes no more requests right now. Wait a minute or pick another model. It said: {detail}"
    ),
    ErrorKind.UNKNOWN_MODEL: N_(
        "{provider} has no model “{model}” for this key. Pick another model. It said: {detail}"
    ),
    ErrorKind.VALIDATION: N_(
        "{provider} cannot work with the schema in this request. Change it or pick another model. It said: {detail}"
    ),
    ErrorKind.INVALID_CONTEXT: N_(
        "The conversation is too long for {model}. Start a new chat or shorten the message. "
        "{provider} said: {detail}"
    ),
    ErrorKind.SAFETY: N_("{provider} declined for safety reasons. Rephrase the message. It said: {detail}"),
    ErrorKind.FORBIDDEN: N_("{provider} does not serve the region this server is in. It said: {detail}"),
    ErrorKind.TIMEOUT: N_("{provider} took too long (HTTP {status}). Try again. It said: {detail}"),
    ErrorKind.UNREACHABLE: N_(
        "There is no AI service at {url} (HTTP {status}). Check {url_setting}; with most local servers "
        "the address ends in /v1."
    ),
}
_TOO_LONG_TO_EMBED = N_(
    "The input is too long for {model}. Split it into shorter texts. {provider} said: {detail}"
)
_RATE_LIMIT_KNOWN = N_(
    "{provider} takes no more requests right now. Try again in {seconds} s or pick another model. "
    "It said: {detail}"
)
_BROKEN = N_("{provider} has trouble of its own (HTTP {status}). Try again in a moment. It said: {detail}")
_REFUSED_OTHERWISE = N_("{provider} refused the request (HTTP {status}): {detail}")
_REPORTED = N_("{provider} reported an error: {detail}")
_SILENT = N_("{provider} sent nothing for {seconds} s. Try again, or pick a faster model.")
_UNREACHABLE = N_("Cannot reach {provider} at {url}: {detail}. Check the connection and {url_setting}.")
_CERTIFICATE = N_(
    "The certificate of {url} is not trusted: {detail}. Check {url_setting}, or make this machine trust "
    "the authority that issued it."
)
_CUT = N_("The connection to {provider} broke off in the middle of the answer. Try again.")
_GARBAGE = N_(
    "{provider} answered with something that cannot be read. Check {url_setting} ({url}). Details: {detail}"
)


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the sentences about a failed call need to know. `secrets` never appear in one."""

    provider: str
    model: str
    url: str
    setting: str
    url_setting: str
    timeout_seconds: float
    secrets: tuple[str, ...] = field(default=(), repr=False)


def scrub(text: str, *secrets: str) -> str:
    """`text` on one line, without the secrets or anything that looks like a key, about 300 characters long."""
    line = " ".join(text[:20_000].split())
    for secret in secrets:
        if secret:
            line = line.replace(secret, "***").replace(quote(secret, safe=""), "***")
    line = _SECRETS.sub(lambda found: f"{found['name'] or found['bearer'] or ''}***", line)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def shown_url(url: str) -> str:
    """`url` as it may be shown: no user, password, query or fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def refused(facts: CallFacts, refusal: Refusal) -> AppError:
    """The failure that a provider's error answer means."""
    kind = refusal.kind
    template = _REFUSED.get(kind)
    if kind is ErrorKind.RATE_LIMIT and refusal.seconds is not None:
        template = _RATE_LIMIT_KNOWN
    elif kind is ErrorKind.FORBIDDEN:
        kind = ErrorKind.PROVIDER  # FORBIDDEN is about the rights of our own users
    elif template is None:
        template = (_BROKEN if refusal.status >= 500 else _REFUSED_OTHERWISE) if refusal.status else _REPORTED
    # A translator may leave a field out, so all sentences get the same ones; `seconds` only where it is known.
    params: dict[str, str | int] = {"status": refusal.status}
    if refusal.seconds is not None:
        params["seconds"] = refusal.seconds
    return _failure(kind, template or _REPORTED, facts, refusal.detail or f"HTTP {refusal.status}", **params)


def broken(facts: CallFacts, error: BaseException, *, started: bool) -> AppError:
    """The failure that an exception means which is no answer of the provider.

    `started`: the answer had begun, so a lost connection is a cut stream and not an unreachable host.
    """
    import ssl

    # Our own transport's word, which an SDK has taken for a connection that broke.
    own = next((each for each in _chain(error) if isinstance(each, AppError)), None)
    if own is not None:
        return own
    seconds = max(1, round(facts.timeout_seconds))
    transport = _http_errors("TransportError")
    cause = next((e for e in _chain(error) if isinstance(e, (*transport, ssl.SSLError))), error)
    detail = str(cause) or type(cause).__name__
    unreachable = _http_errors("ConnectError", "ConnectTimeout", "UnsupportedProtocol", "ProxyError")
    if any(isinstance(e, ssl.SSLCertVerificationError) for e in _chain(error)):
        return _failure(ErrorKind.CERTIFICATE, _CERTIFICATE, facts, detail)
    if isinstance(cause, unreachable):
        return _failure(ErrorKind.UNREACHABLE, _UNREACHABLE, facts, detail)
    if isinstance(cause, (*_http_errors("TimeoutException"), TimeoutError)):
        return _failure(ErrorKind.TIMEOUT, _SILENT, facts, detail, seconds=seconds)
    if isinstance(cause, (*transport, OSError)):
        if started:
            return cut_stream(facts)
        return _failure(ErrorKind.UNREACHABLE, _UNREACHABLE, facts, detail)
    if isinstance(cause, (ValueError, TypeError, AttributeError, LookupError, *_http_errors("RequestError"))):
        return garbage(facts, detail)
    return _failure(ErrorKind.PROVIDER, _REPORTED, facts, f"{type(cause).__name__}: {detail}")


def too_long_to_embed(failure: AppError) -> AppError:
    """`failure` in the words of an embedding call, which has no conversation to shorten."""
    if failure.kind is not ErrorKind.INVALID_CONTEXT:
        return failure
    return AppError(failure.kind, _TOO_LONG_TO_EMBED, **failure.params)


def cut_stream(facts: CallFacts) -> AppError:
    """The stream ended before the model did."""
    return _failure(ErrorKind.CUT_STREAM, _CUT, facts, "")


def garbage(facts: CallFacts, detail: str) -> AppError:
    """The answer is not what the protocol promises."""
    return _failure(ErrorKind.BAD_ANSWER, _GARBAGE, facts, detail)


def _failure(kind: ErrorKind, template: str, facts: CallFacts, detail: str, **params: str | int) -> AppError:
    return AppError(
        kind,
        template,
        provider=facts.provider,
        model=scrub(facts.model, *facts.secrets),
        url=shown_url(facts.url),
        setting=facts.setting,
        url_setting=facts.url_setting,
        detail=scrub(detail, *facts.secrets).rstrip("."),
        **params,
    )


def _http_errors(*names: str) -> tuple[type[BaseException], ...]:
    """The exceptions of these names, of httpx2 and, once an SDK has brought it, of httpx."""
    import httpx2

    libraries = (httpx2, sys.modules.get("httpx"))
    return tuple(getattr(library, name) for library in libraries if library for name in names)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__
