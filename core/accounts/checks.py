"""What people type about keys and servers: cleaned, or refused in one sentence that says what to do."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from core.accounts.masking import is_masked
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.access import clean_key, clean_url
from core.providers.gigachat_key import check_scope, clean_credentials
from core.providers.public_hosts import require_public
from core.rights import Actor
from core.store.text import storable

MAX_LABEL, MAX_URL, MAX_HOST, MAX_KEY = 100, 500, 255, 8_000
GIGACHAT = "gigachat"
SCOPE, CLIENT_ID = "scope", "client_id"


def clean_label(label: str) -> str:
    """1 to 100 characters on one line."""
    label = " ".join(storable(label).split())
    if not label:
        raise AppError(ErrorKind.VALIDATION, N_("The name is empty. Give it at least one character."))
    if len(label) > MAX_LABEL:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The name is too long. Keep it under {count} characters."),
            count=MAX_LABEL + 1,
        )
    return label


def clean_address(url: str) -> str:
    """A web address without a slash at its end. It may hold no password: it is stored and shown as it is."""
    url = storable(url)
    try:
        cleaned = clean_url(url, "")
    except AppError:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("“{url}” is not a web address. It should look like http://127.0.0.1:11434/v1."),
            url=_without_password(url.strip())[:100],
        ) from None
    if "@" in urlsplit(cleaned).netloc:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The address must not hold a name or a password. Leave out what stands before the @."),
        )
    if len(cleaned) > MAX_URL or len(host_of(cleaned)) > MAX_HOST:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The address is too long. Keep it under {count} characters."),
            count=MAX_URL + 1,
        )
    return cleaned


def own_address(actor: Actor, url: str | None) -> str | None:
    """The address somebody names for a key of theirs, cleaned; None for none. AppError(FORBIDDEN) unless it is public
    or an administrator names it: the hub calls it from inside its network."""
    if not url or not url.strip():
        return None
    address = clean_address(url)
    if not actor.is_admin:
        require_public(address)
    return address


def host_of(url: str) -> str:
    """`host` or `host:port` of a clean address, in lower case, without a password or the port of https.

    The one of http stays, so that what is bound to https://host is not sent to http://host in the clear.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".").lower()
    if ":" in host:
        host = f"[{host}]"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return host if parts.scheme == "https" and port == 443 else f"{host}:{port}"


def clean_options(provider: str, options: Mapping[str, str] | None) -> dict[str, str]:
    """The provider's further settings, checked; none but GigaChat has any."""
    found = {name: value.strip() for name, value in (options or {}).items() if value.strip()}
    known = (SCOPE, CLIENT_ID) if provider == GIGACHAT else ()
    for name in found:
        if name not in known:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("A key of {provider} has no option “{option}”. Leave it out."),
                provider=provider,
                option=name[:40],
            )
    if SCOPE in found:
        found[SCOPE] = check_scope(found[SCOPE])
    return found


def clean_secret(provider: str, label: str, key: str, client_id: str | None = None) -> str:
    """The key as it is to be sent; AppError when it cannot be one. Its sentences call it by its label."""
    name = f"“{label}”"
    if not key.strip():
        raise AppError(ErrorKind.VALIDATION, N_("The key is empty. Paste it from the provider’s page."))
    if is_masked(key):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("This is a masked key, with stars in the place of characters. Paste the whole key."),
        )
    if len(key) > MAX_KEY:
        raise AppError(ErrorKind.WRONG_KEY, N_("This is too long for a key. Copy the key alone."))
    if provider == GIGACHAT:
        return clean_credentials(key, name, client_id)
    return clean_key(key, name)


def _without_password(url: str) -> str:
    return url.rpartition("@")[2]
