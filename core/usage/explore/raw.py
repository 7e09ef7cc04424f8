"""Sums over the calls themselves: plainly right whatever is asked, and as slow as there are calls.

The roll-ups are held against these, read the calls they do not hold yet with these, and leave to these what no
roll-up knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from core.usage.columns import EVENTS, sums_over
from core.usage.event_batch import QUARTER, as_date, epoch
from core.usage.explore.buckets import LATENCY_EDGES, LENGTH_EDGES, Counts, bucket_of, nothing
from core.usage.explore.columns import FIGURES, Row
from core.usage.explore.conditions import conditions, value_of
from core.usage.explore.types import Dimension, Selection
from core.usage.types import CallStatus

HOURS = 7 * 24


@dataclass(slots=True)
class Latencies:
    """Calls by bucket of milliseconds."""

    latency: Counts = field(default_factory=nothing)
    first_token: Counts = field(default_factory=nothing)


@dataclass(slots=True)
class Shapes:
    """`hours`: requests, tokens and errors of each hour of the week. `lengths`: for each bucket its calls.
    `priced` and `costs`: the same for the calls with a price, by currency."""

    hours: Any = field(default_factory=lambda: np.zeros((HOURS, 3), np.int64))
    latencies: Latencies = field(default_factory=Latencies)
    lengths: Counts = field(default_factory=nothing)
    priced: dict[str, Counts] = field(default_factory=dict[str, Counts])
    costs: dict[str, Counts] = field(default_factory=dict[str, Counts])

    def add_length(self, slot: int, calls: int, priced: int, currency: str, nano: int) -> None:
        self.lengths[slot] += calls
        if priced:
            self.priced.setdefault(currency, nothing())[slot] += priced
            self.costs.setdefault(currency, nothing())[slot] += nano


def timed_one_by_one(calls: FromClause) -> ColumnElement[bool]:
    """Calls that say how long one takes: not a day in one row, not an answer from the cache."""
    return and_(calls.c.requests == 1, calls.c.from_cache.is_(False))


def finished(calls: FromClause) -> ColumnElement[bool]:
    """Calls whose latency and length are those of a whole answer."""
    return and_(calls.c.status == CallStatus.COMPLETED.value, timed_one_by_one(calls))


def hour_of(seconds: int, zone: ZoneInfo) -> int:
    """The hour on the clocks of `zone`, `seconds` since 1970."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone).hour


def read_rows(
    session: Session, selection: Selection, by: Dimension | None, calls: FromClause = EVENTS
) -> list[Row]:
    """A row for each day, group, model and currency, with the provider and the model at its end: apart as in
    roll-ups, so that each amount is rounded where theirs is when it is converted."""
    group, origin = value_of(calls, by)
    sums = sums_over(calls)
    key = (calls.c.day, calls.c.provider, calls.c.model, calls.c.currency)
    columns: list[Any] = [sums[name] for name in FIGURES]
    columns += (calls.c.provider, calls.c.model)
    statement = select(
        type_coerce(calls.c.day, NullType()), group.label("grouped"), calls.c.currency, *columns
    )
    statement = statement.select_from(origin).where(conditions(calls, selection))
    return list(session.execute(statement.group_by(*key, "grouped")))


def read_latencies(
    session: Session, selection: Selection, by: Dimension | None, calls: FromClause = EVENTS
) -> dict[str, Latencies]:
    """How long calls took, by group."""
    group, origin = value_of(calls, by)
    found: dict[str, Latencies] = {}
    measured = {
        "latency": (calls.c.latency_ms, finished(calls)),
        "first_token": (calls.c.first_token_ms, timed_one_by_one(calls)),
    }
    for name, (column, counted) in measured.items():
        statement = select(group.label("grouped"), column, func.count()).select_from(origin)
        statement = statement.where(conditions(calls, selection), counted, column.is_not(None))
        for value, milliseconds, count in session.execute(statement.group_by("grouped", column)):
            latencies = found.setdefault(value, Latencies())
            getattr(latencies, name)[bucket_of(LATENCY_EDGES, milliseconds)] += count
    return found


def read_shapes(session: Session, selection: Selection, zone: ZoneInfo, calls: FromClause = EVENTS) -> Shapes:
    """How the calls are spread."""
    shapes = Shapes(latencies=read_latencies(session, selection, None, calls).get("", Latencies()))
    within = conditions(calls, selection)
    _read_hours(session, shapes, within, zone, calls)
    priced = case((calls.c.cost_nano.is_not(None), 1), else_=0)
    statement = select(
        calls.c.output_tokens,
        calls.c.currency,
        func.count(),
        cast(func.sum(priced), BigInteger),
        cast(func.sum(func.coalesce(calls.c.cost_nano, 0)), BigInteger),
    ).where(within, finished(calls))
    for tokens, currency, *figures in session.execute(
        statement.group_by(calls.c.output_tokens, calls.c.currency)
    ):
        count, with_price, nano = figures
        shapes.add_length(bucket_of(LENGTH_EDGES, tokens), count, with_price, currency, nano)
    return shapes


def _read_hours(
    session: Session, shapes: Shapes, within: ColumnElement[bool], zone: ZoneInfo, calls: FromClause
) -> None:
    seconds = epoch(calls.c.occurred_at, session.get_bind().dialect.name)
    quarter = (seconds - seconds % QUARTER).label("quarter")
    failed = case((calls.c.status == CallStatus.FAILED.value, 1), else_=0)
    sums = (func.count(), func.sum(calls.c.input_tokens + calls.c.output_tokens), func.sum(failed))
    raw_day: ColumnElement[Any] = type_coerce(calls.c.day, NullType())
    statement: Select[Any] = select(raw_day, quarter, *(cast(each, BigInteger) for each in sums)).where(
        within, calls.c.requests == 1
    )
    days: dict[Any, int] = {}
    rows: list[Any] = list(session.execute(statement.group_by(calls.c.day, "quarter")))
    for day, moment, *figures in rows:
        if day not in days:
            days[day] = as_date(day).weekday()
        shapes.hours[days[day] * 24 + hour_of(moment, zone)] += figures


def add_latencies(to: dict[str, Latencies], more: Mapping[str, Latencies], sign: int = 1) -> None:
    """Add the calls of `more` to those of `to`, or with -1 take them away."""
    for value, latencies in more.items():
        known = to.setdefault(value, Latencies())
        known.latency = known.latency + sign * latencies.latency
        known.first_token = known.first_token + sign * latencies.first_token
