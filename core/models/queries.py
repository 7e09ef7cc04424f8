"""The rows of preferences, each looked up in its owner's name."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from core.accounts.tables import User
from core.errors import AppError, ErrorKind
from core.generation.types import ModelRef
from core.i18n import N_
from core.models.tables import Preference
from core.models.types import PreferenceInfo

_TABLE = Preference.__table__
# Built once, and plain rows instead of mapped ones: this may stand between Enter and the first token.
_OF_USER = (
    select(_TABLE).where(_TABLE.c.user_id == bindparam("user_id")).order_by(_TABLE.c.provider, _TABLE.c.model)
)


def preferences_of(session: Session, user_id: int) -> tuple[PreferenceInfo, ...]:
    """A user's preferences by provider and model."""
    return tuple(info_of(row) for row in session.execute(_OF_USER, {"user_id": user_id}))


def preference_of(session: Session, user_id: int, provider: str, model: str) -> Preference | None:
    """One of a user's rows."""
    return session.scalars(
        select(Preference).where(
            Preference.user_id == user_id, Preference.provider == provider, Preference.model == model
        )
    ).one_or_none()


def preference_by_id(session: Session, user_id: int, preference_id: int) -> Preference:
    """AppError(NOT_FOUND), the same for another user's."""
    found = None
    # An id from outside may be more than the column holds, which PostgreSQL refuses.
    if 0 < preference_id < 2**63:
        found = session.scalars(
            select(Preference).where(Preference.id == preference_id, Preference.user_id == user_id)
        ).one_or_none()
    if found is None:
        raise not_found()
    return found


def not_found() -> AppError:
    return AppError(
        ErrorKind.NOT_FOUND,
        N_("These settings of a model were not found. They may have been deleted; reload the page."),
    )


def lock_user(session: Session, user_id: int) -> None:
    """Let a user's writers queue, so that two of them do not both make their model the default."""
    # Not in the way of rows that refer to the user.
    own = select(User.id).where(User.id == user_id).with_for_update(key_share=True)
    if session.scalar(own) is None:
        raise AppError(ErrorKind.NOT_FOUND, N_("This account was not found. Sign in again."))


def clear_default(session: Session, row: Preference) -> None:
    """No other model of the provider is the default."""
    session.execute(
        update(Preference)
        .where(
            Preference.user_id == row.user_id,
            Preference.provider == row.provider,
            Preference.id != row.id,
            Preference.is_default.is_(True),
        )
        .values(is_default=False, updated_at=row.updated_at)
    )


def fill(row: Preference, info: PreferenceInfo, now: datetime) -> None:
    """Write `info` into a row."""
    row.provider, row.model = info.provider, info.model
    row.max_tokens, row.temperature = info.max_tokens, info.temperature
    row.system_prompt = info.system_prompt
    row.is_default, row.use_cache = info.is_default, info.use_cache
    row.options = dict(info.options) or None
    row.fallbacks = [asdict(fallback) for fallback in info.fallbacks] or None
    row.updated_at = now


def info_of(row: Any) -> PreferenceInfo:
    """A row, mapped or plain, as it leaves the room."""
    fallbacks: Sequence[dict[str, str]] = row.fallbacks or ()
    return PreferenceInfo(
        provider=row.provider,
        model=row.model,
        max_tokens=row.max_tokens,
        temperature=row.temperature,
        system_prompt=row.system_prompt,
        is_default=row.is_default,
        use_cache=row.use_cache,
        options=row.options or {},
        fallbacks=tuple(ModelRef(**fallback) for fallback in fallbacks),
        id=row.id,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
