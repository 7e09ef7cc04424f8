"""The services about people who sign in, built together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from core.accounts.administration import Administration
from core.accounts.passwords import Passwords
from core.accounts.recent import Recent
from core.accounts.service import AccountService
from core.accounts.session_tokens import SessionTokens
from core.accounts.sessions import SessionService
from core.accounts.sign_in import SignInService
from core.accounts.throttle import Throttle
from core.accounts.tokens import TokenService, is_token
from core.accounts.types import Identity
from core.accounts.vault import Vault
from core.store.unit_of_work import UnitOfWork

REMEMBERED_SECONDS = 1.0  # until what another process revoked is refused here, too


@dataclass(frozen=True, slots=True)
class Members:
    """Signing in, what somebody signed in holds, and what administrators do with others.

    `bearers`: who a JWT or a personal token belongs to, asked of the database at most once a second; what any of
    these services changed counts at once. Its `get` raises as `identify_jwt` and `TokenService.identify`.
    """

    accounts: AccountService
    sign_in: SignInService
    sessions: SessionService
    tokens: TokenService
    administration: Administration
    bearers: Recent[str, Identity]


def open_members(
    unit: UnitOfWork,
    vault: Vault,
    signup: str,
    passwords: Passwords | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    remembered_seconds: float = REMEMBERED_SECONDS,
) -> Members:
    """`signup`: see AccountService. `passwords` and `now` replace the cost of a hash and the clock, in tests, and
    `remembered_seconds` how long `bearers` asks nobody."""

    def identify(bearer: str) -> Identity:
        return tokens.identify(bearer) if is_token(bearer) else sessions.identify_jwt(bearer)

    bearers = Recent(identify, remembered_seconds)
    # Whatever these services write may end a session or a token: nothing is remembered past it.
    unit = unit.telling(bearers.forget)
    passwords, throttle = passwords or Passwords(), Throttle(unit, now)
    sessions, tokens = SessionService(unit, SessionTokens(vault), now), TokenService(unit, now)
    return Members(
        accounts=AccountService(unit, passwords, throttle, signup),
        sign_in=SignInService(unit, passwords, throttle, sessions),
        sessions=sessions,
        tokens=tokens,
        administration=Administration(unit, passwords),
        bearers=bearers,
    )
