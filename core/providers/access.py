"""A provider's key and address as the settings hold them: cleaned and checked before any request."""

import ipaddress
import re
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from core.errors import AppError, ErrorKind
from core.i18n import N_

_PRIVATE_NAMES = (".local", ".localhost", ".lan", ".internal", ".home.arpa")
# What containers call the machine they run on.
_OWN_NAMES = ("host.docker.internal", "host.containers.internal")


@dataclass(frozen=True, slots=True)
class Access:
    """How to get into a provider. `setting` and `url_setting` name the variables to correct when it fails."""

    api_key: str = field(repr=False)
    base_url: str = field(repr=False)  # may hold a password
    setting: str
    url_setting: str
    timeout_seconds: float = 120
    public_only: bool = False  # see public_hosts

    def cleaned(self) -> "Access":
        """The same, trimmed; AppError when the key or the address cannot be right."""
        api_key = clean_key(self.api_key, self.setting)
        return replace(self, api_key=api_key, base_url=clean_url(self.base_url, self.url_setting))


def clean_key(key: str, setting: str) -> str:
    """The trimmed key. A newline or a Cyrillic letter in it would fail deep inside the HTTP client."""
    key = key.strip()
    if not key:
        raise AppError(
            ErrorKind.NO_KEY,
            N_("There is no API key in {setting}. Set it in the environment or in .env, then restart AIHub."),
            setting=setting,
        )
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise AppError(
            ErrorKind.WRONG_KEY,
            N_("The key in {setting} has a space, a line break or a letter that no key has. Copy it again."),
            setting=setting,
        )
    return key


def clean_url(url: str, setting: str) -> str:
    """The trimmed address without a slash at its end; it must be an http(s) one with a host."""
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise AppError(
            ErrorKind.UNREACHABLE,
            N_("{setting} is not a web address. It should look like http://127.0.0.1:11434/v1."),
            setting=setting,
        )
    return url


def is_own_network(url: str) -> bool:
    """Whether `url` names this machine or a private network: nobody bills for a call to it."""
    try:
        host = (urlsplit(url.strip()).hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        # A name without a dot, as containers give each other, is never a public one.
        return bool(host) and ("." not in host or host in _OWN_NAMES or host.endswith(_PRIVATE_NAMES))
    return address.is_loopback or address.is_private
