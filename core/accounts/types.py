"""What crosses the accounts' door."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.errors import AppError


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks: every query is scoped by `id`."""

    id: int
    username: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key that a user added, without the key itself: `masked` is all that is ever shown of it.

    `host` is the only one it is sent to, `base_url` the address it brought along, None for the provider's own.
    `in_use`: the newest active one of its provider, which calls are made with. `options`: the provider's
    further settings (GigaChat: scope). `checked_at`, `check_error`: the last test, and what was wrong then.
    """

    id: int
    provider: str
    label: str
    masked: str
    host: str
    base_url: str | None
    options: Mapping[str, str]
    is_active: bool
    in_use: bool
    created_at: datetime
    last_used_at: datetime | None
    checked_at: datetime | None
    check_error: AppError | None


@dataclass(frozen=True, slots=True)
class EndpointInfo:
    """An OpenAI-compatible server of the workspace. `provider_id` is its id as a provider and never changes.

    `is_free`: its calls cost an explicit 0.
    """

    id: int
    provider_id: str
    label: str
    base_url: str
    is_free: bool
