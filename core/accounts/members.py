"""The services about people who sign in, built together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from core.accounts.administration import Administration
from core.accounts.passwords import Passwords
from core.accounts.service import AccountService
from core.accounts.session_tokens import SessionTokens
from core.accounts.sessions import SessionService
from core.accounts.sign_in import SignInService
from core.accounts.throttle import Throttle
from core.accounts.tokens import TokenService
from core.accounts.vault import Vault
from core.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Members:
    """Signing in, what somebody signed in holds, and what administrators do with others."""

    accounts: AccountService
    sign_in: SignInService
    sessions: SessionService
    tokens: TokenService
    administration: Administration


def open_members(
    unit: UnitOfWork,
    vault: Vault,
    signup: str,
    passwords: Passwords | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Members:
    """`signup`: see AccountService. `passwords` and `now` replace the cost of a hash and the clock, in tests."""
    passwords, throttle = passwords or Passwords(), Throttle(unit, now)
    sessions = SessionService(unit, SessionTokens(vault), now)
    return Members(
        accounts=AccountService(unit, passwords, throttle, signup),
        sign_in=SignInService(unit, passwords, throttle, sessions),
        sessions=sessions,
        tokens=TokenService(unit, now),
        administration=Administration(unit, passwords),
    )
