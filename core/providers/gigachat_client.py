"""The GigaChat SDK's client: what it is told explicitly, and the HTTP client it runs on."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.public_hosts import PublicOnly
from core.providers.sdk_adapter import watch

if TYPE_CHECKING:
    import httpx
    import httpx2
    from gigachat.client import GigaChatAsyncClient


@dataclass(frozen=True, slots=True)
class SignIn:
    """How GigaChat gives an access token for a key. `trusted` is a file of further certificates, PEM."""

    auth_url: str = field(repr=False)
    scope: str
    verify: bool
    trusted: Path | None


def sdk_client(
    http: "httpx.AsyncClient", base_url: str, sign_in: SignIn, credentials: str | None
) -> "GigaChatAsyncClient":
    """The SDK's client on `http`, in which no GIGACHAT_* variable of the environment has a say.

    No `credentials`: it signs in nowhere and sends its requests as they are, to look at them.
    """
    from gigachat.client import GigaChatAsyncClient
    from gigachat.models.auth import AccessToken
    from gigachat.settings import Settings

    # It warns of what it raises as well, and reports unreadable answers together with all that stands in them.
    logging.getLogger("gigachat").setLevel(logging.CRITICAL)

    class Client(GigaChatAsyncClient):
        def __init__(self) -> None:
            # Not the SDK's own start: it fills from the environment whatever is not given (another user, another
            # certificate, flags), and fails at a variable it cannot read even where that one is given.
            self._settings = Settings.model_construct(
                base_url=base_url,
                auth_url=sign_in.auth_url,
                credentials=credentials,
                scope=sign_in.scope,
                max_retries=0,
            )
            self._async_token_lock = asyncio.Lock()
            # One HTTP client for both servers: where a token is asked for, the address is an absolute one.
            self._aclient_instance = self._auth_aclient_instance = http
            if credentials is None:
                self._access_token = AccessToken(access_token="-", expires_at=0)  # noqa: S106  a token in name only

    return Client()


def http_client(
    base_url: str,
    sign_in: SignIn,
    seconds: tuple[float, float],
    transport: "httpx.AsyncBaseTransport | None",
    public_only: bool = False,
) -> "httpx.AsyncClient":
    """What the SDK sends its requests with. `seconds`: of silence, and until there is a connection.

    `transport` is in the place of the network; None for the network, with the certificates of `sign_in`.
    `public_only`: of the network, but for where a key is signed in; see PublicOnly.
    """
    import httpx

    sign_in_url = httpx.URL(sign_in.auth_url)
    certified = certificates(sign_in) if transport is None else True
    if transport is None and public_only:
        network = cast("httpx2.AsyncBaseTransport", httpx.AsyncHTTPTransport(verify=certified))
        guarded = PublicOnly(httpx, network, base_url, cast("httpx2.URL", sign_in_url))
        transport = cast("httpx.AsyncBaseTransport", guarded)

    async def answered(response: httpx.Response) -> None:
        # A token is no part of an answer: who has got one has not begun to be answered.
        if response.request.url != sign_in_url:
            response.aiter_lines = partial(_lines, response)
            await watch(cast("httpx2.Response", response))

    return httpx.AsyncClient(
        base_url=base_url,
        transport=transport,
        verify=certified,
        timeout=httpx.Timeout(seconds[0], connect=seconds[1]),
        follow_redirects=False,
        event_hooks={"response": [answered]},
    )


async def _lines(response: "httpx.Response") -> AsyncIterator[str]:
    """The lines of an event stream. httpx's own end at U+2028 too, which may stand in the middle of an answer."""
    rest = ""
    async for text in response.aiter_text():
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            yield line.removesuffix("\r")
    if rest:
        yield rest


def certificates(sign_in: SignIn) -> ssl.SSLContext:
    """What the servers' certificates are checked against; AppError(CERTIFICATE) when the file is no such thing."""
    import httpx

    context = httpx.create_ssl_context(verify=sign_in.verify)
    if sign_in.trusted is None or not sign_in.verify:
        return context
    try:
        # Beside the usual ones: the two servers need not have theirs from the same authority.
        context.load_verify_locations(sign_in.trusted)
    except (OSError, ValueError):
        pass
    else:
        return context
    raise AppError(
        ErrorKind.CERTIFICATE,
        N_(
            "GIGACHAT_CA_BUNDLE_FILE names no file with certificates that can be read ({file}). It should be the "
            "Russian Trusted Root CA as text that begins with BEGIN CERTIFICATE."
        ),
        file=str(sign_in.trusted)[:200],
    )
