"""What crosses the accounts' door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.errors import AppError, ErrorKind
from core.i18n import N_

SESSION_COOKIE = "sessionid"
"""The cookie that holds a session's secret: the pages and the Gemini app know people by it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks: every query is scoped by `id`."""

    id: int
    username: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """An account as its owner and administrators see it. `has_password`: whether it can sign in at all."""

    id: int
    email: str | None
    username: str
    is_active: bool
    is_admin: bool
    has_password: bool
    created_at: datetime

    @property
    def account(self) -> Account:
        return Account(self.id, self.username, self.is_admin)


class Scope(StrEnum):
    """What a personal API token may do."""

    CHAT = "chat"  # ask models
    READ = "read"  # read threads, prompts, settings and statistics
    WRITE = "write"  # create, change and delete those
    ACCOUNT = "account"  # the profile, provider keys, sessions and tokens


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sent a request, and by what. `session_id`: the session it belongs to, None for a personal token.

    A session may do everything its account may; a token what its `scopes` name.
    """

    account: Account
    session_id: str | None
    scopes: frozenset[Scope] = frozenset(Scope)

    def require(self, scope: Scope) -> None:
        """AppError(FORBIDDEN) when a personal token does not reach that far."""
        if scope not in self.scopes:
            raise AppError(
                ErrorKind.FORBIDDEN,
                N_("This token may not do that. Make one with the scope “{scope}”."),
                scope=scope.value,
            )


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a sign-in comes from, as the surface sees it: the client's address and its User-Agent."""

    address: str | None = None
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A sign-in as its owner sees it. `last_seen_at` is exact to a minute; it ends at `expires_at` unless used."""

    id: str
    user_agent: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session. `secret` (the `sessionid` cookie) and `access_token` (the JWT) are shown this once."""

    profile: Profile
    session: SessionInfo
    secret: str = field(repr=False)
    access_token: str = field(repr=False)
    csrf_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A personal API token without itself: `hint` is how it begins. `last_used_at` is exact to a minute."""

    id: int
    name: str
    hint: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made: the only time that `secret` is shown."""

    info: TokenInfo
    secret: str = field(repr=False)


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
    updated_at: datetime
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
