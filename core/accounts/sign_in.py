"""Signing in with e-mail address and password. It takes tens of milliseconds: call it off the event loop."""

from core.accounts.passwords import Passwords
from core.accounts.sessions import SessionService
from core.accounts.throttle import Counter, Throttle, of_account, of_address
from core.accounts.types import SignedIn, Visitor
from core.accounts.user_rows import user_by_email, user_of
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import folded, storable
from core.store.unit_of_work import UnitOfWork

MAX_TYPED = 1_000


class SignInService:
    """Neither the answer nor the time it takes tells whether an e-mail address has an account here."""

    def __init__(
        self, unit: UnitOfWork, passwords: Passwords, throttle: Throttle, sessions: SessionService
    ) -> None:
        self._unit = unit
        self._passwords = passwords
        self._throttle = throttle
        self._sessions = sessions

    def sign_in(self, email: str, password: str, visitor: Visitor | None = None) -> SignedIn:
        """A new session. AppError(UNAUTHORIZED) when the two do not belong together, AppError(RATE_LIMIT) after
        too many failures, AppError(FORBIDDEN) for an account that was switched off."""
        visitor = visitor or Visitor()
        email = storable(email[:MAX_TYPED])
        counters = _counters(email, visitor)
        self._throttle.attempt(counters)
        with self._unit.read() as session:
            user = user_by_email(session, email)
            user_id, encoded = (user.id, user.password_hash) if user else (0, None)
        # Outside of any transaction: it would hold the only writer's place.
        if not self._passwords.verify(encoded, password) or encoded is None:
            raise _wrong()
        fresh = self._passwords.rehash(encoded, password)
        with self._unit.write() as session:
            self._throttle.succeeded(session, counters)
            user = user_of(session, user_id)
            if user.password_hash != encoded:
                # It was changed in this very moment: the old one opens nothing any more.
                raise _wrong()
            user.password_hash = fresh or encoded
            is_active = user.is_active
            signed_in = self._sessions.open(session, user, visitor) if is_active else None
        if signed_in is None:
            raise AppError(
                ErrorKind.FORBIDDEN, N_("This account is switched off. Ask an administrator to switch it on.")
            )
        return signed_in


def _counters(email: str, visitor: Visitor) -> tuple[Counter, ...]:
    account = of_account(folded(email))
    return (account, of_address(visitor.address)) if visitor.address else (account,)


def _wrong() -> AppError:
    return AppError(
        ErrorKind.UNAUTHORIZED, N_("The e-mail address or the password is wrong. Check both, then try again.")
    )
