"""The rows of accounts: found by what people call them, never a deleted one."""

from collections.abc import Sequence

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from core.accounts.tables import User
from core.accounts.types import Account, Profile
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import folded


def user_of(session: Session, user_id: int) -> User:
    """An account by its id; AppError(NOT_FOUND), the same for a deleted one."""
    # An id from outside may be more than the column holds, which PostgreSQL refuses.
    found = session.get(User, user_id) if 0 < user_id < 2**63 else None
    if found is None or found.deleted_at is not None:
        raise AppError(ErrorKind.NOT_FOUND, N_("There is no such account."))
    return found


def everybody(session: Session, skip: int = 0, limit: int | None = None) -> Sequence[User]:
    """The accounts, the oldest first; `limit` None: every one."""
    accounts = select(User).where(User.deleted_at.is_(None)).order_by(User.id)
    return session.scalars(accounts.offset(skip).limit(limit)).all()


def user_by_email(session: Session, email: str) -> User | None:
    """The account with an e-mail address, compared without letter case."""
    return session.scalars(select(User).where(User.email_key == folded(email))).one_or_none()


def local_user(session: Session) -> User | None:
    """The account that this machine uses without sign-in."""
    return session.scalars(select(User).where(User.is_local.is_(True))).one_or_none()


def refuse_taken(session: Session, email: str | None, username: str | None, but: int | None = None) -> None:
    """AppError(VALIDATION) when another account has one of the two; `but`: the account that may keep them."""
    if email is not None and _is_taken(session, User.email_key == folded(email), but):
        raise AppError(
            ErrorKind.VALIDATION, N_("There is an account with this e-mail address. Sign in, or use another.")
        )
    if username is not None and _is_taken(session, User.username_key == folded(username), but):
        raise AppError(ErrorKind.VALIDATION, N_("This username is taken. Pick another."))


def refuse_without_admin(session: Session, user: User) -> None:
    """AppError(VALIDATION) when `user` is the only administrator who can sign in, and there are others to
    look after."""
    if not user.is_admin or not user.is_active:
        return
    others = (User.id != user.id, User.password_hash.is_not(None), User.deleted_at.is_(None))
    admins = exists().where(*others, User.is_admin.is_(True), User.is_active.is_(True))
    if session.scalar(select(exists().where(*others))) and not session.scalar(select(admins)):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("This is the only administrator. Make somebody else one first."),
        )


def has_members(session: Session) -> bool:
    """Whether anybody can sign in with a password."""
    members = select(exists().where(User.password_hash.is_not(None), User.deleted_at.is_(None)))
    return bool(session.scalar(members))


def alone(session: Session, dialect: str) -> None:
    """Until the transaction ends nobody else makes or changes an account: what was looked up stays true.
    SQLite has one writer anyway."""
    if dialect == "postgresql":
        session.execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))


def profile_of(user: User) -> Profile:
    """An account as its owner sees it."""
    return Profile(
        user.id,
        user.email,
        user.username,
        user.is_active,
        user.is_admin,
        user.password_hash is not None,
        user.created_at,
    )


def account_of(user: User) -> Account:
    """An account as every service wants it."""
    return Account(user.id, user.username, user.is_admin)


def _is_taken(session: Session, same: object, but: int | None) -> bool:
    found = session.scalars(select(User.id).where(same)).one_or_none()  # pyright: ignore[reportArgumentType]
    return found is not None and found != but
