"""Accounts: the one this machine uses without sign-in, those made by signing up, and what each says of itself.

How the two live together: whoever signs up first takes over the local account, with all that was done in it,
when there is one. So pages without sign-in and programs with a token are one user with one ledger, and a hub
that changes from AIHUB_AUTH=local to password keeps its owner.
"""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.accounts.new_accounts import add_account, new_user
from core.accounts.passwords import Passwords
from core.accounts.sessions import end_sessions
from core.accounts.throttle import Throttle, of_confirmation
from core.accounts.types import Account, Profile
from core.accounts.user_checks import LOCAL_USERNAME, clean_email, clean_password, clean_username
from core.accounts.user_rows import (
    account_of,
    alone,
    everybody,
    has_members,
    local_user,
    profile_of,
    refuse_taken,
    user_of,
)
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.rights import Actor, require_admin
from core.store.unit_of_work import UnitOfWork

OPEN, CLOSED = "open", "closed"


class AccountService:
    """One's own account, by its id. Whoever may not see an account gets NOT_FOUND, as for one that is not there.

    What takes a password hashes it, which takes tens of milliseconds: call that off the event loop.
    `signup`: first (only the first account), open, closed (see AIHUB_SIGNUP).
    """

    def __init__(
        self,
        unit: UnitOfWork,
        passwords: Passwords | None = None,
        throttle: Throttle | None = None,
        signup: str = "first",
    ) -> None:
        self._unit = unit
        self._passwords = passwords or Passwords()
        self._throttle = throttle or Throttle(unit)
        self._signup = signup

    def local_account(self) -> Account:
        """The account of whoever sits at this machine, made on first use."""
        found = self._find_local()
        if found is not None:
            return found
        try:
            with self._unit.write() as session:
                session.add(new_user(LOCAL_USERNAME, None, is_admin=True, is_local=True))
        except IntegrityError:
            # Another process started at the same moment and made it first: that one stands.
            pass
        made = self._find_local()
        assert made is not None
        return made

    def everyone(self, actor: Actor) -> tuple[Account, ...]:
        """All accounts by name: for administrators."""
        require_admin(actor)
        with self._unit.read() as session:
            return tuple(sorted(map(account_of, everybody(session)), key=lambda each: each.username))

    def names(self) -> dict[int, str]:
        """What all accounts are called, by id: for files of calls that somebody may see."""
        with self._unit.read() as session:
            return {each.id: each.username for each in everybody(session)}

    def has_members(self) -> bool:
        """Whether anybody can sign in with a password yet."""
        with self._unit.read() as session:
            return has_members(session)

    def can_sign_up(self) -> bool:
        """Whether `sign_up` would take somebody now."""
        with self._unit.read() as session:
            return self._is_open(session)

    def sign_up(self, email: str, username: str, password: str) -> Profile:
        """A new account; the first one is an administrator and takes over the local account. AppError(FORBIDDEN)
        when AIHUB_SIGNUP does not let anybody in, AppError(VALIDATION) for what cannot be taken."""
        return add_account(self._unit, self._passwords, email, username, password, allowed=self._allow)

    def profile(self, user_id: int) -> Profile:
        """One's own account; AppError(NOT_FOUND)."""
        with self._unit.read() as session:
            return profile_of(user_of(session, user_id))

    def update(
        self,
        user_id: int,
        *,
        email: str | None = None,
        username: str | None = None,
        password: str | None = None,
        keep_session: str | None = None,
    ) -> Profile:
        """Change what is not None, all or nothing. A new password signs out every session but `keep_session`;
        personal tokens stay. AppError(VALIDATION)."""
        email = clean_email(email) if email is not None else None
        username = clean_username(username) if username is not None else None
        before = self.profile(user_id)
        hashed = None
        if password is not None:
            names = email or before.email, username or before.username
            hashed = self._passwords.hash(clean_password(password, *names))
        with self._unit.write() as session:
            alone(session, self._unit.dialect)
            user = user_of(session, user_id)
            refuse_taken(session, email, username, but=user_id)
            user.email, user.username = email or user.email, username or user.username
            if hashed is not None:
                user.password_hash = hashed
                end_sessions(session, user_id, keep_session)
            session.flush()
            return profile_of(user)

    def confirm(self, user_id: int, password: str) -> None:
        """Ask for the password again before something grave. AppError(FORBIDDEN) when it is wrong,
        AppError(RATE_LIMIT) when it was wrong too often. An account without a password needs none."""
        with self._unit.read() as session:
            encoded = user_of(session, user_id).password_hash
        if encoded is None:
            return
        counter = (of_confirmation(user_id),)
        self._throttle.attempt(counter)
        if not self._passwords.verify(encoded, password):
            raise AppError(
                ErrorKind.FORBIDDEN, N_("This is not your password. Type the one you sign in with.")
            )
        with self._unit.write() as session:
            self._throttle.succeeded(session, counter)

    def _find_local(self) -> Account | None:
        with self._unit.read() as session:
            user = local_user(session)
            return account_of(user) if user else None

    def _is_open(self, session: Session) -> bool:
        return self._signup == OPEN or (self._signup != CLOSED and not has_members(session))

    def _allow(self, session: Session) -> None:
        if not self._is_open(session):
            raise AppError(
                ErrorKind.FORBIDDEN, N_("Sign-up is closed. Ask an administrator to make you an account.")
            )
