"""Sessions: who is signed in, from where, and until when.

A session lasts 14 days from its last use and 90 days in all; its JWT a day at most, and only while it runs.
"""

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.accounts.proof import hash_of, new_secret
from core.accounts.session_tokens import SessionTokens
from core.accounts.tables import User, UserSession
from core.accounts.types import Account, Identity, SessionInfo, SignedIn, Visitor
from core.accounts.user_rows import profile_of
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import storable
from core.store.unit_of_work import UnitOfWork

UNUSED_FOR = timedelta(days=14)
IN_ALL = timedelta(days=90)
JWT_FOR = timedelta(days=1)
SEEN_EVERY = timedelta(minutes=1)  # a session in constant use costs one small write a minute
MAX_AGENT, MAX_ADDRESS = 200, 45


class SessionService:
    """Every verb but `identify…` is scoped by `user_id`: another user's session looks like none.

    Each look goes to the database: what was revoked in one process is revoked in all of them at once.
    """

    def __init__(
        self,
        unit: UnitOfWork,
        tokens: SessionTokens,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._unit = unit
        self._tokens = tokens
        self._now = now

    def open(self, session: Session, user: User, visitor: Visitor) -> SignedIn:
        """A new session of a user who has proved to be one, in the caller's transaction."""
        now = self._now()
        session.execute(delete(UserSession).where(UserSession.expires_at <= now))
        secret = new_secret()
        row = UserSession(
            id=uuid.uuid4().hex,
            user_id=user.id,
            secret_hash=hash_of(secret),
            user_agent=_one_line(visitor.user_agent, MAX_AGENT),
            address=_one_line(visitor.address or "", MAX_ADDRESS),
            created_at=now,
            last_seen_at=now,
            expires_at=now + UNUSED_FOR,
        )
        session.add(row)
        session.flush()
        return SignedIn(
            profile_of(user),
            _info(row),
            secret,
            self._tokens.issue(user.id, row.id, now, now + JWT_FOR),
            self._tokens.csrf(row.id),
        )

    def identify(self, secret: str) -> Identity:
        """Who a session id (the `sessionid` cookie, `Authorization: Session`) belongs to. AppError(UNAUTHORIZED)
        when there is no such session, it has ended, or its account was switched off."""
        return self._running(UserSession.secret_hash == hash_of(secret))

    def identify_jwt(self, token: str) -> Identity:
        """The same by a JWT, which is good for as long as its session and no longer."""
        claim = self._tokens.read(token)
        if claim is None:
            raise _signed_out()
        own = UserSession.user_id == claim.user_id if 0 < claim.user_id < 2**63 else False
        return self._running(UserSession.id == storable(claim.session_id), own)

    def csrf_token(self, identity: Identity) -> str:
        """The CSRF token of a session, for the `csrftoken` cookie. A personal token has none."""
        return self._tokens.csrf(identity.session_id) if identity.session_id else ""

    def check_csrf(self, identity: Identity, token: str | None) -> None:
        """For an unsafe request that came with a cookie. AppError(FORBIDDEN) without the session's own token."""
        if identity.session_id is None or not self._tokens.is_csrf(identity.session_id, token or ""):
            raise AppError(
                ErrorKind.FORBIDDEN,
                N_("The request carries no valid CSRF token. Reload the page, then try again."),
            )

    def list(self, user_id: int) -> tuple[SessionInfo, ...]:
        """The user's running sessions, the one used last first."""
        running = (UserSession.user_id == user_id, UserSession.expires_at > self._now())
        latest = (UserSession.last_seen_at.desc(), UserSession.created_at.desc(), UserSession.id)
        with self._unit.read() as session:
            return tuple(map(_info, session.scalars(select(UserSession).where(*running).order_by(*latest))))

    def revoke(self, user_id: int, session_id: str) -> None:
        """Sign out one session, and its JWT with it; AppError(NOT_FOUND)."""
        own = (UserSession.user_id == user_id, UserSession.id == storable(session_id))
        with self._unit.write() as session:
            gone = session.execute(delete(UserSession).where(*own).returning(UserSession.expires_at)).first()
        if gone is None or gone[0] <= self._now():
            raise AppError(
                ErrorKind.NOT_FOUND, N_("This session was not found. It may have ended; reload the page.")
            )

    def revoke_others(self, user_id: int, keep: str | None) -> int:
        """Sign out every session of a user but one (None: every one); how many there were."""
        with self._unit.write() as session:
            return end_sessions(session, user_id, keep)

    def _running(self, *which: object) -> Identity:
        now = self._now()
        columns = (
            UserSession.id,
            UserSession.created_at,
            UserSession.last_seen_at,
            User.id,
            User.username,
            User.is_admin,
        )
        running = (*which, UserSession.expires_at > now, User.is_active.is_(True))
        with self._unit.read() as session:
            found = session.execute(
                select(*columns).join(User, User.id == UserSession.user_id).where(*running)  # pyright: ignore[reportArgumentType]
            ).one_or_none()
        if found is None:
            raise _signed_out()
        session_id, created_at, seen_at, user_id, username, is_admin = found
        if now - seen_at >= SEEN_EVERY:
            self._seen(session_id, now, created_at)
        return Identity(Account(user_id, username, is_admin), session_id)

    def _seen(self, session_id: str, now: datetime, created_at: datetime) -> None:
        stale = UserSession.last_seen_at <= now - SEEN_EVERY
        seen = {"last_seen_at": now, "expires_at": min(now + UNUSED_FOR, created_at + IN_ALL)}
        # A database that is busy just now is no reason to turn somebody away.
        with suppress(AppError), self._unit.write() as session:
            session.execute(update(UserSession).where(UserSession.id == session_id, stale).values(seen))


def end_sessions(session: Session, user_id: int, keep: str | None = None) -> int:
    """Delete a user's sessions but one, in the caller's transaction; how many there were."""
    own = UserSession.user_id == user_id
    others = (own, UserSession.id != storable(keep)) if keep else (own,)
    return len(session.scalars(delete(UserSession).where(*others).returning(UserSession.id)).all())


def _info(row: UserSession) -> SessionInfo:
    return SessionInfo(row.id, row.user_agent, row.address, row.created_at, row.last_seen_at, row.expires_at)


def _one_line(text: str, longest: int) -> str:
    printable = "".join(char if char.isprintable() else " " for char in storable(text[: 2 * longest]))
    return printable.strip()[:longest]


def _signed_out() -> AppError:
    return AppError(
        ErrorKind.UNAUTHORIZED, N_("You are not signed in, or no longer. Sign in, then try again.")
    )
