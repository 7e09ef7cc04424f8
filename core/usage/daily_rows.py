"""The sums of days: how calls are added to the rows of `usage_daily`, and what these add up to."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, cast, delete, func, insert, literal, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.usage.columns import DAILY, EVENTS, KEY, SUMS, sources_of, sums_over
from core.usage.days import in_days
from core.usage.tables import ALL_SOURCES, ALL_USERS
from core.usage.types import Source

_DIALECTS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}


def add_to_roll_ups(session: Session, sums: Iterable[dict[str, Any]], sign: int = 1) -> None:
    """Add sums by user and source (or take them out again) to the rows of that user and of all users, of
    that source and of all sources."""
    totals: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sums:
        for user_id in (ALL_USERS, row["user_id"]):
            for source in sources_of(row["source"]):
                key = (user_id, source, *(row[name] for name in KEY[2:]))
                nothing: dict[str, Any] = {**dict(zip(KEY, key, strict=True)), **dict.fromkeys(SUMS, 0)}
                total = totals.setdefault(key, nothing)
                for name in SUMS:
                    total[name] += sign * row[name]
    if totals:
        # In key order, so that two writers on PostgreSQL never wait for each other in a circle.
        ordered = [totals[key] for key in sorted(totals)]
        session.connection().execute(_add_to_daily(session.get_bind().dialect.name), ordered)


def add_up_days(session: Session, day: date | None = None) -> None:
    """Make all rows anew, or those of one day, from the calls, whose days are right."""
    calls, rows = (in_days(day, day), DAILY.c.day == day) if day is not None else (true(), true())
    session.execute(delete(DAILY).where(rows))
    for sums in (sums_of_events(calls), _sums_of_sources(rows), _sums_of_users(rows)):
        session.execute(insert(DAILY).from_select([*KEY, *SUMS], sums))


def remove_empty(session: Session, sums: Sequence[Mapping[str, Any]]) -> None:
    """Remove the rows whose last call was among those of `sums`, which were taken out."""
    session.execute(delete(DAILY).where(_rows_of(sums), DAILY.c.requests == 0))


def sums_of_events(condition: Any) -> Any:
    """The statement that sums events by roll-up key."""
    key = [EVENTS.c[name] for name in KEY]
    return select(*key, *sums_over(EVENTS).values()).where(condition).group_by(*key)


def _sums_of_sources(rows: ColumnElement[bool]) -> Any:
    """All sources but sample data, from the roll-ups of each; at ten million calls that saves minutes."""
    others = [DAILY.c[name] for name in KEY if name != "source"]
    sums = [cast(func.sum(DAILY.c[name]), BigInteger) for name in SUMS]
    real = DAILY.c.source != Source.SAMPLE.value
    return select(others[0], literal(ALL_SOURCES), *others[1:], *sums).where(rows, real).group_by(*others)


def _sums_of_users(rows: ColumnElement[bool]) -> Any:
    """All users, from the roll-ups of each."""
    others = [DAILY.c[name] for name in KEY[1:]]
    sums = [cast(func.sum(DAILY.c[name]), BigInteger) for name in SUMS]
    return select(literal(ALL_USERS), *others, *sums).where(rows).group_by(*others)


def _rows_of(sums: Sequence[Mapping[str, Any]]) -> ColumnElement[bool]:
    """The part of `usage_daily` in which sums stand."""
    days = [row["day"] for row in sums]
    return and_(
        DAILY.c.user_id.in_({ALL_USERS, *(row["user_id"] for row in sums)}),
        DAILY.c.source.in_({name for row in sums for name in sources_of(row["source"])}),
        DAILY.c.day.between(min(days), max(days)),
    )


@lru_cache
def _add_to_daily(dialect: str) -> Any:
    statement = _DIALECTS[dialect].insert(DAILY)
    added = {name: DAILY.c[name] + statement.excluded[name] for name in SUMS}
    return statement.on_conflict_do_update(index_elements=list(KEY), set_=added)
