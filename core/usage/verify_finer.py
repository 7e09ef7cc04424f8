"""Whether the finer roll-ups are what the calls they hold add up to: by facet, by hour, by latency and length.

A day at a time: what is held in memory grows with the calls of one day and the models of one month.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.usage.columns import EVENTS, MONTHS, PENDING, SHAPES
from core.usage.days import in_days
from core.usage.event_batch import EventBatch, batch_of, batch_statement
from core.usage.facets import FACET_KEY, FACET_ROWS, facet_shares
from core.usage.folding import CHUNK
from core.usage.merging import Key, Kind, Shares, stored_rows
from core.usage.months import MONTH_ROWS, month_shares
from core.usage.shapes import DAY, MONTH, SHAPE_KEY, SHAPE_ROWS, shape_shares
from core.usage.sparse import Entries, Layout, added_up
from core.usage.tables import ALL_SOURCES, ALL_USERS

# Keys whose rows are looked up at a time.
_KEYS = 5_000
_SPAN, _SHAPE_DAY, _FACET_DAY = SHAPE_KEY.index("span"), SHAPE_KEY.index("day"), FACET_KEY.index("day")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A row's figure: `key` by column name, what is stored, and what the calls come to."""

    key: dict[str, Any]
    figure: str
    rolled_up: int
    counted: int


@dataclass(slots=True)
class Compared:
    """How many figures of `day` were compared with how many calls, and those that differ."""

    day: date
    calls: int = 0
    figures: int = 0
    mismatches: list[Mismatch] = field(default_factory=list[Mismatch])


@dataclass(slots=True)
class _Rows:
    """What rows should hold, added up call by call."""

    kind: Kind
    keys: dict[Key, int] = field(default_factory=dict[Key, int])
    parts: dict[str, Entries] = field(default_factory=dict[str, Entries])
    sums: Any = None

    def add(self, shares: Shares | None, chosen: Iterable[int] | None = None) -> None:
        """Add what calls give, or of it the keys at the positions `chosen`."""
        if shares is None:
            return
        wanted = range(len(shares.keys)) if chosen is None else chosen
        places = np.full(len(shares.keys), -1, np.int64)
        for at in wanted:
            places[at] = self.keys.setdefault(shares.keys[at], len(self.keys))
        for name, part in shares.parts.items():
            moved = part.of(places[:, None])
            known = self.parts.get(name)
            self.parts[name] = added_up([moved] if known is None else [known, moved])
        if shares.sums is not None:
            sums = np.zeros((len(self.keys), shares.sums.shape[1]), np.int64)
            if self.sums is not None:
                sums[: len(self.sums)] = self.sums
            sums[places] += shares.sums
            self.sums = sums


def compare_month(session: Session, zone: ZoneInfo, first: date, last: date) -> Iterator[Compared]:
    """Compare the finer roll-ups of the days `first` to `last` of one month, with an answer after each of them. Those
    of the month itself are compared with the last, if that is the whole month."""
    month, packed, whole = _Rows(SHAPE_ROWS), _Rows(MONTH_ROWS), _is_whole(first, last)
    counts = {kind.table.name: _rows_by_day(session, kind, first, last) for kind in (SHAPE_ROWS, FACET_ROWS)}
    busy = {*session.scalars(select(EVENTS.c.day).where(in_days(first, last)).distinct())}
    busy.update(*counts.values())
    for day in (first + timedelta(each) for each in range((last - first).days + 1)):
        shapes, facets, found = _Rows(SHAPE_ROWS), _Rows(FACET_ROWS), Compared(day)
        for batch in batches_of(session, day, zone) if day in busy else ():
            found.calls += len(batch.of)
            shares = shape_shares(batch)
            spans = [key[_SPAN] for key in shares.keys]
            shapes.add(shares, [at for at, span in enumerate(spans) if span == DAY])
            if whole:
                month.add(shares, [at for at, span in enumerate(spans) if span == MONTH])
                packed.add(month_shares(batch))
            facets.add(facet_shares(batch))
        for rows in (shapes, facets):
            there = _compare(session, rows, found)
            _compare_number(found, rows.kind, day, there, counts[rows.kind.table.name].get(day, 0))
        if whole and day == last:
            for rows, stored in (
                (month, select(func.count()).where(SHAPES.c.span == MONTH, SHAPES.c.day == first)),
                (packed, select(func.count()).where(MONTHS.c.day == first)),
            ):
                there = _compare(session, rows, found)
                _compare_number(found, rows.kind, first, there, session.execute(stored).scalar_one())
        yield found


def batches_of(session: Session, day: date, zone: ZoneInfo) -> Iterator[EventBatch]:
    """The calls of a day that the finer roll-ups hold."""
    statement = batch_statement(session.get_bind().dialect.name).add_columns(EVENTS.c.id)
    folded = EVENTS.c.id.not_in(select(PENDING.c.event_id))
    # Named as one day, so that its calls come in order from the index.
    statement = (
        statement.where(EVENTS.c.day == day, in_days(day, day), folded).order_by(EVENTS.c.id).limit(CHUNK)
    )
    part = statement
    while rows := session.execute(part).all():
        yield batch_of([row[:-1] for row in rows], zone)
        part = statement.where(EVENTS.c.id > rows[-1][-1])


def _compare(session: Session, rows: _Rows, found: Compared) -> int:
    """Compare rows with what is stored under their keys; returns how many of them are."""
    kind, keys, there = rows.kind, list(rows.keys), 0
    if not keys:
        return 0
    columns: list[Any] = [layout.pack([rows.parts[name]], len(keys)) for name, layout in kind.layouts.items()]
    if rows.sums is not None:
        columns += rows.sums.T.tolist()
    counted = list(zip(*columns, strict=True))
    names = (*kind.layouts, *kind.sum_names)
    nothing = (*(b"" for _ in kind.layouts), *(0 for _ in kind.sum_names))
    for start in range(0, len(keys), _KEYS):
        stored = stored_rows(session, kind, keys[start : start + _KEYS])
        there += len(stored)
        for at, key in enumerate(keys[start : start + _KEYS], start=start):
            ours, theirs = stored.get(key, nothing), counted[at]
            found.figures += len(names)
            if ours == theirs:
                continue
            named = dict(zip(kind.key_names, key, strict=True))
            for name, one, other in zip(names, ours, theirs, strict=True):
                if one != other:
                    found.mismatches.append(_mismatch(kind, named, name, one, other))
    return there


def _mismatch(kind: Kind, key: dict[str, Any], name: str, ours: Any, theirs: Any) -> Mismatch:
    prefix = f"{key['facet']} {key['value']}: " if "facet" in key else f"{key.get('span', MONTH)}: "
    layout = kind.layouts.get(name)
    if layout is None:
        return Mismatch(key, prefix + name, ours, theirs)
    (one, other), (slot, column) = _first_difference(layout, ours, theirs)
    return Mismatch(key, f"{prefix}{name} {slot} {column}", one, other)


def _first_difference(layout: Layout, ours: bytes, theirs: bytes) -> tuple[tuple[int, int], tuple[int, str]]:
    """The first number of two arrays that differs: the two, and where it stands."""
    stored, counted = (_cells(layout, each) for each in (ours, theirs))
    for where in sorted(stored.keys() | counted.keys()):
        one, other = stored.get(where, 0), counted.get(where, 0)
        if one != other:
            return (one, other), where
    # The same numbers, not as they are written.
    return (len(ours), len(theirs)), (0, "bytes")


def _cells(layout: Layout, stored: bytes) -> dict[tuple[int, str], int]:
    part = layout.unpack([stored])
    found: dict[tuple[int, str], int] = {}
    for slot, values in zip(part.slot.tolist(), part.values.tolist(), strict=True):
        for (name, _), value in zip(layout.columns, values, strict=True):
            found[slot, name] = found.get((slot, name), 0) + value
    return found


def _compare_number(found: Compared, kind: Kind, day: date, there: int, stored: int) -> None:
    """Rows beyond those that calls have keys of."""
    found.figures += 1
    if stored != there:
        key = {"user_id": ALL_USERS, "source": ALL_SOURCES, "day": day}
        found.mismatches.append(Mismatch(key, f"{kind.table.name}: rows", stored, there))


def _rows_by_day(session: Session, kind: Kind, first: date, last: date) -> dict[date, int]:
    table = kind.table
    statement = (
        select(table.c.day, func.count()).where(table.c.day.between(first, last)).group_by(table.c.day)
    )
    if table is SHAPES:
        statement = statement.where(SHAPES.c.span == DAY)
    return {row[0]: row[1] for row in session.execute(statement)}


def _is_whole(first: date, last: date) -> bool:
    return first.day == 1 and (last.toordinal() == date.max.toordinal() or (last + timedelta(1)).day == 1)
