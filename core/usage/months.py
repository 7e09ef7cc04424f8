"""The sums of `usage_daily` by month: the rows of `usage_months`, and how calls are added to them."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.usage.columns import DAILY, KEY, MONTHS, SUMS, sources_of
from core.usage.event_batch import EventBatch
from core.usage.merging import Kind, Shares, merge
from core.usage.sparse import Entries, Layout, added_up, entries
from core.usage.tables import ALL_USERS

DAYS = Layout(tuple((name, "<i8") for name in SUMS))
"""The slot is the day of the month; then its sums."""
MONTH_ROWS = Kind(MONTHS, KEY, {"days": DAYS}, lives_by="days")
_ROWS = select(*(DAILY.c[name] for name in (*KEY, *SUMS))).order_by(*(DAILY.c[name] for name in KEY))
# Of these at a time.
_CHUNK = 10_000


def add_to_months(session: Session, batch: EventBatch, sign: int) -> None:
    """Add calls to the months of all their keys, or with -1 take them out again."""
    merge(session, MONTH_ROWS, month_shares(batch, sign))


def month_shares(batch: EventBatch, sign: int = 1) -> Shares:
    """What calls add to the rows of all their keys."""
    codes: dict[tuple[Any, ...], int] = {}
    owners = np.full((len(batch.keys), 4), -1, np.int64)
    slots = np.empty(len(batch.keys), np.int64)
    for position, (user_id, source, day, *rest) in enumerate(batch.keys):
        slots[position] = day.day
        pairs = ((user, name) for user in (ALL_USERS, user_id) for name in sources_of(source))
        for column, pair in enumerate(pairs):
            owners[position, column] = codes.setdefault((*pair, day.replace(day=1), *rest), len(codes))
    part = added_up([Entries(batch.of, slots[batch.of], batch.sums * sign)])
    return Shares(list(codes), {"days": part.of(owners)})


def pack_all(session: Session) -> None:
    """Make all rows anew from `usage_daily`; no call may wait in `usage_pending`. In constant memory."""
    session.execute(delete(MONTHS))
    _pack(session, _ROWS)


def pack_month(session: Session, first: date) -> None:
    """The same for the month that begins with `first`."""
    session.execute(delete(MONTHS).where(MONTHS.c.day == first))
    last = (first + timedelta(31)).replace(day=1) - timedelta(1)
    _pack(session, _ROWS.where(DAILY.c.day.between(first, last)))


def _pack(session: Session, statement: Any) -> None:
    for month in _months(session, statement):
        codes: dict[tuple[Any, ...], int] = {}
        owners: list[int] = []
        for user_id, source, day, *rest in (row[: len(KEY)] for row in month):
            owners.append(codes.setdefault((user_id, source, day.replace(day=1), *rest), len(codes)))
        sums = np.array([row[len(KEY) :] for row in month], np.int64)
        packed = DAYS.pack([entries(owners, [row[2].day for row in month], sums)], len(codes))
        names = (*(each.name for each in MONTHS.columns),)
        rows = [dict(zip(names, (*key, days), strict=True)) for key, days in zip(codes, packed, strict=True)]
        session.connection().execute(insert(MONTHS), rows)


def _months(session: Session, statement: Any) -> Iterator[list[Any]]:
    """The rows of a statement, those of a user, a source and a month at a time."""
    rows = session.execute(statement.execution_options(yield_per=_CHUNK))

    def month(row: Any) -> tuple[int, str, int, int]:
        day: date = row[2]
        return row[0], row[1], day.year, day.month

    for _, found in groupby(rows, month):
        yield list(found)
