"""How an account comes to be, by whatever door: signing up, an administrator, or the command line."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from core.accounts.passwords import Passwords
from core.accounts.tables import User
from core.accounts.types import Profile
from core.accounts.user_checks import clean_email, clean_password, clean_username
from core.accounts.user_rows import alone, has_members, local_user, profile_of, refuse_taken
from core.store.unit_of_work import UnitOfWork


def add_account(
    unit: UnitOfWork,
    passwords: Passwords,
    email: str,
    username: str,
    password: str,
    *,
    is_admin: bool = False,
    allowed: Callable[[Session], None] = lambda _session: None,
) -> Profile:
    """A new account; the first one that can sign in is an administrator, and takes over the local account when
    there is one. `allowed` raises when nobody may come in. AppError(VALIDATION) for what cannot be taken."""
    email, username = clean_email(email), clean_username(username)
    password = clean_password(password, email, username)

    def check(session: Session) -> None:
        allowed(session)
        refuse_taken(session, email, username)

    with unit.read() as session:
        # Before the hashing, which is dear, and once more when nobody can come in between.
        check(session)
    hashed = passwords.hash(password)
    with unit.write() as session:
        alone(session, unit.dialect)
        check(session)
        is_first = not has_members(session)
        user = local_user(session) if is_first else None
        if user is None:
            # The first one is also whoever sits at this machine, whichever door was opened first: the pages without
            # sign-in and the programs have one ledger.
            user = new_user(username, email, is_admin=is_first or is_admin, is_local=is_first)
            session.add(user)
        user.username, user.email, user.password_hash = username, email, hashed
        session.flush()
        return profile_of(user)


def new_user(username: str, email: str | None, *, is_admin: bool, is_local: bool = False) -> User:
    """The row of an account that can be used from now on."""
    return User(
        username=username,
        email=email,
        is_admin=is_admin,
        is_active=True,
        is_local=is_local,
        created_at=datetime.now(UTC),
    )
