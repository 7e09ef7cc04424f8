"""What binds a key to its place: the host it may be sent to, checked at every use."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from core.accounts.checks import host_of
from core.accounts.tables import ProviderKey
from core.accounts.vault import Vault
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.access import clean_url
from core.providers.credentials import Credential
from core.providers.gigachat import AUTH_URL_SETTING
from core.providers.registry import ProviderRegistry

OPENED = 1_000  # decrypted keys in memory


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A row of provider_keys outside of its transaction; `secret` is sealed, `public_only` as in Credential."""

    id: int
    user_id: int
    provider: str
    label: str
    secret: str = field(repr=False)
    host: str
    base_url: str | None
    options: Mapping[str, str]
    public_only: bool

    @classmethod
    def of(cls, row: ProviderKey, owner_is_admin: bool) -> "StoredKey":
        return cls(
            row.id,
            row.user_id,
            row.provider,
            row.label,
            row.secret,
            row.host,
            row.base_url,
            dict(row.options or {}),
            public_only=row.base_url is not None and not owner_is_admin,
        )


class KeyBinding:
    """Opens a stored key only where it belongs. Keeps what it opened, so that a call decrypts nothing."""

    def __init__(self, vault: Vault, registry: ProviderRegistry) -> None:
        self._vault = vault
        self._registry = registry
        self._opened: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = Lock()

    def context(self, user_id: int, provider: str, host: str, base_url: str | None) -> str:
        """What the vault seals into a secret: moved to another user, provider or host, it does not open.

        The address a key brought along is in it with its scheme, and so is the host where GigaChat takes the
        key itself, which is not the one it answers at.
        """
        sign_in = self._registry.sign_in_address(provider)
        auth_host = host_of(clean_url(sign_in, AUTH_URL_SETTING)) if sign_in else ""
        places = provider, host, str(user_id), base_url or "", auth_host
        return "|".join(places)

    def host_now(self, provider: str) -> str:
        """The host of a provider's address as it is set now; AppError(VALIDATION) when it has none."""
        host = self._host(provider)
        if host is None:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("{provider} has no address yet. Give the key a base URL, or add a server of its own."),
                provider=self._registry.info(provider).label,
            )
        return host

    def open(self, key: StoredKey) -> Credential | None:
        """The key, decrypted; None when its provider has no address. AppError(WRONG_KEY) when the provider is at
        another host now than the key was stored for, or when the vault does not open it."""
        host = self._place_now(key)
        if host is None:
            return None
        if host != key.host:
            raise AppError(
                ErrorKind.WRONG_KEY,
                N_(
                    "The key “{label}” was stored for {host}; {provider} is now at {other}. Add the key again to "
                    "use it there."
                ),
                label=key.label,
                host=key.host,
                provider=self._registry.info(key.provider).label,
                other=host,
            )
        plain = self._unsealed(key.secret, self.context(key.user_id, key.provider, key.host, key.base_url))
        return Credential(key.id, key.label, plain, key.base_url, key.options, key.public_only)

    def is_open(self, key: StoredKey) -> bool:
        """Whether `open` gives the key, and decrypts nothing because it did before."""
        if self._place_now(key) != key.host:
            return False
        place = key.secret, self.context(key.user_id, key.provider, key.host, key.base_url)
        with self._lock:
            return place in self._opened

    def _unsealed(self, token: str, context: str) -> str:
        place = token, context
        with self._lock:
            plain = self._opened.get(place)
        if plain is None:
            plain = self._vault.unseal(token, context)
            with self._lock:
                self._opened[place] = plain
                if len(self._opened) > OPENED:
                    self._opened.popitem(last=False)
        return plain

    def _place_now(self, key: StoredKey) -> str | None:
        return host_of(key.base_url) if key.base_url else self._host(key.provider)

    def _host(self, provider: str) -> str | None:
        address = self._registry.address(provider)
        if address is None:
            return None
        name = self._registry.environment_key(provider) or provider
        return host_of(clean_url(address, name))
