"""The rows of keys and endpoints, each key looked up in its owner's name."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.accounts.tables import Endpoint, ProviderKey, User
from core.accounts.types import EndpointInfo, KeyInfo
from core.errors import AppError, ErrorKind
from core.i18n import N_


def keys_of(session: Session, user_id: int) -> Sequence[ProviderKey]:
    """A user's keys, the oldest first, without deleted ones."""
    return session.scalars(
        select(ProviderKey)
        .where(ProviderKey.user_id == user_id, ProviderKey.deleted_at.is_(None))
        .order_by(ProviderKey.id)
    ).all()


def key_of(session: Session, user_id: int, key_id: int, *, deleted: bool = False) -> ProviderKey:
    """One key of a user, a deleted one when asked for. AppError(NOT_FOUND), the same for another user's."""
    gone = ProviderKey.deleted_at.is_not(None) if deleted else ProviderKey.deleted_at.is_(None)
    # An id from outside may be more than the column holds, which PostgreSQL refuses.
    found = None
    if 0 < key_id < 2**63:
        found = session.scalars(
            select(ProviderKey).where(ProviderKey.id == key_id, ProviderKey.user_id == user_id, gone)
        ).one_or_none()
    if found is None:
        raise AppError(
            ErrorKind.NOT_FOUND, N_("This key was not found. It may have been deleted; reload the page.")
        )
    return found


def owner_is_admin(session: Session, user_id: int) -> bool:
    """Whether the owner of keys may have the hub call any address, now."""
    return bool(session.scalar(select(User.is_admin).where(User.id == user_id)))


def refuse_more(session: Session, user_id: int, most: int) -> None:
    """AppError(VALIDATION) when a user has as many keys as can be kept."""
    kept = (ProviderKey.user_id == user_id, ProviderKey.deleted_at.is_(None))
    if (session.scalar(select(func.count()).select_from(ProviderKey).where(*kept)) or 0) >= most:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("There are {limit} keys already, which is the most. Delete one first."),
            limit=most,
        )


def newest_active(rows: Sequence[ProviderKey]) -> dict[str, ProviderKey]:
    """The key in use by provider; `rows` the oldest first."""
    return {row.provider: row for row in rows if row.is_active}


def purge(session: Session, now: datetime, undo_seconds: float) -> None:
    """Remove for good what can no longer be brought back."""
    session.execute(delete(ProviderKey).where(ProviderKey.deleted_at < now - timedelta(seconds=undo_seconds)))


def key_info(row: ProviderKey, *, in_use: bool, last_used_at: datetime | None) -> KeyInfo:
    """What is shown of a key."""
    error = None
    if row.check_error_kind is not None:
        kind = ErrorKind(row.check_error_kind)
        message = row.check_message or ""
        error = AppError(kind, message, **(row.check_params or {}))
    return KeyInfo(
        id=row.id,
        provider=row.provider,
        label=row.label,
        masked=row.masked,
        host=row.host,
        base_url=row.base_url,
        options=dict(row.options or {}),
        is_active=row.is_active,
        in_use=in_use,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_used_at=last_used_at or row.last_used_at,
        checked_at=row.checked_at,
        check_error=error,
    )


def all_endpoints(session: Session) -> Sequence[Endpoint]:
    """The endpoints, the oldest first."""
    return session.scalars(select(Endpoint).order_by(Endpoint.id)).all()


def endpoint_of(session: Session, endpoint_id: int) -> Endpoint:
    """One endpoint; AppError(NOT_FOUND)."""
    found = session.get(Endpoint, endpoint_id) if 0 < endpoint_id < 2**63 else None
    if found is None:
        raise AppError(
            ErrorKind.NOT_FOUND, N_("This server was not found. It may have been deleted; reload the page.")
        )
    return found


def endpoint_info(row: Endpoint) -> EndpointInfo:
    """An endpoint as it leaves the room."""
    return EndpointInfo(row.id, row.provider_id, row.label, row.base_url, row.is_free)
