"""Personal API tokens: for programs, named, with scopes and an end; shown once and kept as a hash."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from core.accounts.checks import clean_label
from core.accounts.proof import hash_of, new_secret
from core.accounts.tables import ApiToken, User
from core.accounts.types import Account, Identity, NewToken, Scope, TokenInfo
from core.accounts.user_rows import user_of
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.unit_of_work import UnitOfWork

PREFIX = "aihub_"
HINT = len(PREFIX) + 4
MOST = 100  # tokens an account
LONGEST_DAYS = 3_650
USED_EVERY = timedelta(minutes=1)  # a token in constant use costs one small write a minute
USUAL = frozenset({Scope.CHAT, Scope.READ, Scope.WRITE})


def is_token(text: str) -> bool:
    """Whether a Bearer value is a personal token rather than a JWT."""
    return text.startswith(PREFIX)


class TokenService:
    """Every verb but `identify` is scoped by `user_id`; nobody reads another's tokens, administrators neither."""

    def __init__(self, unit: UnitOfWork, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._unit = unit
        self._now = now

    def list(self, user_id: int) -> tuple[TokenInfo, ...]:
        """A user's tokens, the oldest first, expired ones too."""
        own = select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id)
        with self._unit.read() as session:
            return tuple(map(_info, session.scalars(own)))

    def create(
        self,
        user_id: int,
        name: str,
        scopes: Collection[str] = USUAL,
        expires_in_days: int | None = None,
    ) -> NewToken:
        """A new token. `scopes`: names of Scope; without `expires_in_days` (1 to 3650) it has no end."""
        name, allowed = clean_label(name), _clean_scopes(scopes)
        if expires_in_days is not None and not 1 <= expires_in_days <= LONGEST_DAYS:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("A token ends after 1 to {count} days, or never."),
                count=LONGEST_DAYS,
            )
        now, secret = self._now(), new_secret(PREFIX)
        with self._unit.write() as session:
            user_of(session, user_id)
            count = session.scalar(select(func.count()).where(ApiToken.user_id == user_id))
            if (count or 0) >= MOST:
                raise AppError(
                    ErrorKind.VALIDATION,
                    N_("There are {count} tokens already. Delete one that is no longer used."),
                    count=MOST,
                )
            row = ApiToken(
                user_id=user_id,
                name=name,
                hint=secret[:HINT],
                secret_hash=hash_of(secret),
                scopes=sorted(allowed),
                created_at=now,
                expires_at=now + timedelta(days=expires_in_days) if expires_in_days is not None else None,
            )
            session.add(row)
            session.flush()
            return NewToken(_info(row), secret)

    def revoke(self, user_id: int, token_id: int) -> None:
        """Delete a token: it opens nothing from now on. AppError(NOT_FOUND)."""
        gone = None
        # An id from outside may be more than the column holds, which PostgreSQL refuses.
        if 0 < token_id < 2**63:
            own = (ApiToken.id == token_id, ApiToken.user_id == user_id)
            with self._unit.write() as session:
                gone = session.scalar(delete(ApiToken).where(*own).returning(ApiToken.id))
        if gone is None:
            raise AppError(
                ErrorKind.NOT_FOUND,
                N_("This token was not found. It may have been deleted; reload the page."),
            )

    def identify(self, secret: str) -> Identity:
        """Whose token it is and what it may do. AppError(UNAUTHORIZED) when it is unknown, revoked, expired, or
        its account was switched off."""
        now = self._now()
        columns = (ApiToken.id, ApiToken.scopes, ApiToken.last_used_at, User.id, User.username, User.is_admin)
        valid = (
            ApiToken.secret_hash == hash_of(secret),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
            User.is_active.is_(True),
        )
        with self._unit.read() as session:
            wanted = select(*columns).join(User, User.id == ApiToken.user_id).where(*valid)
            found = session.execute(wanted).one_or_none()
        if found is None:
            raise AppError(
                ErrorKind.UNAUTHORIZED,
                N_("This token is not valid, or no longer. Make a new one: POST /api/tokens."),
            )
        token_id, scopes, used_at, user_id, username, is_admin = found
        if used_at is None or now - used_at >= USED_EVERY:
            self._used(token_id, now)
        return Identity(Account(user_id, username, is_admin), None, frozenset(map(Scope, scopes)))

    def _used(self, token_id: int, now: datetime) -> None:
        stale = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - USED_EVERY)
        # A database that is busy just now is no reason to turn a program away.
        with suppress(AppError), self._unit.write() as session:
            session.execute(update(ApiToken).where(ApiToken.id == token_id, stale).values(last_used_at=now))


def _clean_scopes(scopes: Collection[str]) -> frozenset[Scope]:
    known = {scope.value: scope for scope in Scope}
    for name in scopes:
        if name not in known:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("There is no scope “{scope}”. Pick from: {scopes}."),
                scope=str(name)[:40],
                scopes=", ".join(known),
            )
    if not scopes:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("A token without a scope may do nothing. Pick from: {scopes}."),
            scopes=", ".join(known),
        )
    return frozenset(known[name] for name in scopes)


def _info(row: ApiToken) -> TokenInfo:
    scopes = frozenset(map(Scope, row.scopes))
    return TokenInfo(row.id, row.name, row.hint, scopes, row.created_at, row.expires_at, row.last_used_at)
