"""Where keys and addresses come from, as the registry sees it; whoever keeps them implements `KeySource`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.providers.types import Provider

WORKSPACE = 0
"""In the place of a user's id: the environment's keys alone. Real ids start at 1."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that a user added for one provider, decrypted.

    `label` names it in sentences. `base_url` is the address it was stored for, None for the provider's
    own one. `options` are the provider's further settings (GigaChat: scope). `public_only`: whoever named the
    address is no administrator, so that it is called only where it is public.
    """

    key_id: int
    label: str
    api_key: str = field(repr=False)
    base_url: str | None = None
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    public_only: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server under a name of its own; `provider_id` is its id everywhere.

    `is_free`: its calls cost an explicit 0, because it runs on the user's own machines.
    """

    provider_id: str
    label: str
    base_url: str
    is_free: bool


class KeySource(Protocol):
    """Keys and endpoints that were added while AIHub ran. From any thread; quick enough for every call."""

    def credential(self, user_id: int, provider_id: str) -> Credential | None:
        """The key in use of a user for a provider; None when the user has none that is active.

        AppError when there is one that cannot be used: it cannot be decrypted, or was stored for
        another host than the address the provider has now.
        """
        ...

    def in_memory(self, user_id: int, provider_id: str) -> bool:
        """Whether `credential`, asked right after, answers without the database."""
        ...

    def endpoints_in_memory(self) -> bool:
        """Whether `endpoints`, asked right after, answers without the database."""
        ...

    def note_use(self, key_id: int) -> None:
        """A call is being made with a key; quick, and never an error."""
        ...

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints of the workspace, oldest first."""
        ...


class NoKeys:
    """Nothing was added: the environment's keys are all there are."""

    def credential(self, user_id: int, provider_id: str) -> Credential | None:
        return None

    def in_memory(self, user_id: int, provider_id: str) -> bool:
        return True

    def endpoints_in_memory(self) -> bool:
        return True

    def note_use(self, key_id: int) -> None:
        """There is none to note."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a provider for one user. `key_ref` is a fingerprint of the key (16 hex digits, nothing can
    be read from it), equal for equal keys: rate limits and circuit breakers count by it.

    `concurrent_streams`: what the provider is known to allow such a key, None for no known limit.
    """

    provider: Provider
    key_ref: str
    key_id: int | None = None
    concurrent_streams: int | None = None
