"""Which rows of `usage_daily`, and which calls, a selection leaves: by user, source, provider and model."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from core.usage.columns import DAILY, EVENTS
from core.usage.explore.types import Dimension, Selection, Where
from core.usage.tables import ALL_SOURCES, ALL_USERS
from core.usage.types import Source

KEPT = frozenset({Dimension.PROVIDER, Dimension.MODEL, Dimension.SOURCE, Dimension.USER})
"""What the roll-up by day knows of a call."""


def left_out(where: Where) -> tuple[Dimension, ...]:
    """The dimensions of `where` that a roll-up by day cannot filter by; they are not applied."""
    return tuple(dimension for dimension, values in where if values and dimension not in KEPT)


def daily_rows(asked: Selection) -> ColumnElement[bool]:
    """The roll-ups of a selection. With several users or sources a day, model and currency has several rows."""
    users, sources = _users(asked), _sources(asked)
    return and_(
        DAILY.c.user_id.in_(users or [ALL_USERS]) if asked.scope is None else DAILY.c.user_id.in_(users),
        DAILY.c.day.between(asked.start, asked.end),
        DAILY.c.source.in_(sources if _names_sources(asked) else [ALL_SOURCES]),
        *_models(asked, DAILY),
    )


def conditions_on_calls(asked: Selection) -> list[ColumnElement[bool]]:
    """The conditions on calls, but for their days and users."""
    conditions = _models(asked, EVENTS)
    if _names_sources(asked):
        conditions.append(EVENTS.c.source.in_(_sources(asked)))
    else:
        conditions.append(EVENTS.c.source != Source.SAMPLE.value)
    return conditions


def users_of(session: Session, asked: Selection, days: Sequence[date]) -> list[int]:
    """The users with calls that have no price on `days`: those named, or all there are."""
    if named := _users(asked):
        return named
    source = Source.SAMPLE.value if asked.sample else ALL_SOURCES
    with_some = and_(DAILY.c.day.in_(days), DAILY.c.source == source, DAILY.c.unpriced > 0)
    return list(
        session.scalars(select(DAILY.c.user_id).where(with_some, DAILY.c.user_id > ALL_USERS).distinct())
    )


def _users(asked: Selection) -> list[int]:
    """The users that are named; a scope leaves nobody else."""
    named = [int(value) for value in asked.values(Dimension.USER) if value.isdecimal() and len(value) < 19]
    if asked.scope is None:
        wanted = [user for user in named if user > ALL_USERS]
        # A filter that names nobody finds nobody.
        return wanted or ([-1] if asked.values(Dimension.USER) else [])
    return [asked.scope] if asked.scope in named or not asked.values(Dimension.USER) else []


def _names_sources(asked: Selection) -> bool:
    return asked.sample or bool(asked.values(Dimension.SOURCE))


def _sources(asked: Selection) -> list[str]:
    named = asked.values(Dimension.SOURCE) or (Source.SAMPLE.value,)
    return [name for name in named if (name == Source.SAMPLE.value) == asked.sample and name]


def _models(asked: Selection, table: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if providers := asked.values(Dimension.PROVIDER):
        conditions.append(table.c.provider.in_(providers))
    if models := asked.values(Dimension.MODEL):
        pairs: Sequence[tuple[str, str, str]] = [value.partition("/") for value in models]
        conditions.append(
            or_(*(and_(table.c.provider == first, table.c.model == last) for first, _, last in pairs))
        )
    return conditions
