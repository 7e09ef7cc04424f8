"""How calls are spread, by roll-up key: the arrays of `usage_shapes`, and how calls are added to them."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.usage.columns import SHAPES, sources_of
from core.usage.event_batch import EventBatch
from core.usage.explore.buckets import LATENCY_EDGES, LENGTH_EDGES
from core.usage.merging import Kind, Shares, merge
from core.usage.sparse import Entries, Ints, Layout, added_up, entries
from core.usage.tables import ALL_USERS

HISTOGRAM = Layout((("calls", "<u4"),))
HOURS = Layout((("requests", "<i8"), ("tokens", "<i8"), ("errors", "<i8")))
LENGTHS = Layout((("calls", "<u4"), ("priced", "<u4"), ("nano", "<i8")))
LAYOUTS = {"latency": HISTOGRAM, "first_token": HISTOGRAM, "hours": HOURS, "lengths": LENGTHS}
# Calls whose hour nobody knows: an import summed them up by the day.
NO_HOUR = 255
DAY, MONTH = "day", "month"
SHAPE_KEY = ("user_id", "source", "span", "day", "provider", "model", "currency")
SHAPE_ROWS = Kind(SHAPES, SHAPE_KEY, LAYOUTS, lives_by="hours")
MILLISECOND_EDGES = np.array(LATENCY_EDGES, np.int64)
_TOKEN_EDGES = np.array(LENGTH_EDGES, np.int64)


def histogram(owner: Ints, milliseconds: Ints, sign: int) -> Entries:
    """Calls by bucket of milliseconds; a negative number is none."""
    counts = milliseconds >= 0
    slots = np.searchsorted(MILLISECOND_EDGES, milliseconds[counts], "right")
    return added_up([entries(owner[counts], slots, np.full(len(slots), sign))])


def add_to_shapes(session: Session, batch: EventBatch, sign: int) -> None:
    """Add calls to the arrays of all their keys, or with -1 take them out again."""
    merge(session, SHAPE_ROWS, shape_shares(batch, sign))


def shape_shares(batch: EventBatch, sign: int = 1, spans: Sequence[str] = (DAY, MONTH)) -> Shares:
    """What calls add to the rows of all their keys."""
    # Once by key; only then for all users, all sources and the month.
    parts = {name: added_up([part]) for name, part in _parts(batch, sign).items()}
    keys, owners = _targets(batch.keys, spans)
    return Shares(keys, {name: part.of(owners) for name, part in parts.items()})


def _parts(batch: EventBatch, sign: int) -> dict[str, Entries]:
    whole = batch.is_whole
    hour = np.where(batch.requests == 1, batch.hour, NO_HOUR)
    priced = batch.is_priced[whole]
    lengths = np.searchsorted(_TOKEN_EDGES, batch.output[whole], "right")
    return {
        "latency": histogram(batch.of, batch.latency, sign),
        "first_token": histogram(batch.of, batch.first_token, sign),
        "hours": entries(batch.of, hour, batch.requests * sign, batch.tokens * sign, batch.sums[:, 1] * sign),
        "lengths": entries(
            batch.of[whole], lengths, np.full(len(lengths), sign), priced * sign, batch.sums[whole, 11] * sign
        ),
    }


def add_up_month(session: Session, first: date) -> None:
    """Make the rows of the month that begins with `first` anew from those of its days. A user at a time, so that
    memory does not grow with their number."""
    last = (first + timedelta(31)).replace(day=1) - timedelta(1)
    session.execute(delete(SHAPES).where(SHAPES.c.span == MONTH, SHAPES.c.day == first))
    days = (SHAPES.c.span == DAY, SHAPES.c.day.between(first, last))
    statement = select(*SHAPES.columns).where(*days)
    for user in session.execute(select(SHAPES.c.user_id).where(*days).distinct()).scalars().all():
        rows = session.execute(statement.where(SHAPES.c.user_id == user)).all()
        codes: dict[tuple[Any, ...], int] = {}
        owners = np.array(
            [
                codes.setdefault(
                    (row.user_id, row.source, MONTH, first, *row[4 : len(SHAPE_KEY)]), len(codes)
                )
                for row in rows
            ],
            np.int64,
        )
        columns: list[Any] = []
        for name, layout in LAYOUTS.items():
            part = layout.unpack([getattr(row, name) for row in rows])
            columns.append(layout.pack([Entries(owners[part.owner], part.slot, part.values)], len(codes)))
        names = (*SHAPE_KEY, *LAYOUTS)
        added = [
            dict(zip(names, (*key, *row), strict=True)) for key, *row in zip(codes, *columns, strict=True)
        ]
        session.connection().execute(insert(SHAPES), added)


def _targets(keys: Sequence[tuple[Any, ...]], spans: Sequence[str]) -> tuple[list[tuple[Any, ...]], Ints]:
    """The rows that calls of each key count in, and for each key their positions, -1 where there are fewer."""
    codes: dict[tuple[Any, ...], int] = {}
    owners = np.full((len(keys), 4 * len(spans)), -1, np.int64)
    for position, (user_id, source, day, *rest) in enumerate(keys):
        firsts = {DAY: day, MONTH: day.replace(day=1)}
        rows = (
            (user, name, span)
            for user in (ALL_USERS, user_id)
            for name in sources_of(source)
            for span in spans
        )
        for column, (user, name, span) in enumerate(rows):
            key = (user, name, span, firsts[span], *rest)
            owners[position, column] = codes.setdefault(key, len(codes))
    return list(codes), owners
