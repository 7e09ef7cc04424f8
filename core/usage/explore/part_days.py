"""Which days have calls of a bar or a cell of `Patterns`: the roll-ups tell, without reading the calls."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.usage.columns import EVENTS
from core.usage.event_batch import as_date
from core.usage.explore.buckets import LATENCY_EDGES, LENGTH_EDGES, bucket_of
from core.usage.explore.part_types import Part, Spread
from core.usage.explore.ranges import periods_of
from core.usage.explore.rolled_rows import fetched, under
from core.usage.explore.statements import spread
from core.usage.explore.types import Dimension, Interval, Selection
from core.usage.explore.waiting import Waiting
from core.usage.shapes import DAY, HISTOGRAM, HOURS, LENGTHS
from core.usage.sparse import Layout

_STORED: dict[Spread, tuple[str, Layout]] = {
    Spread.LATENCY: ("latency", HISTOGRAM),
    Spread.FIRST: ("first_token", HISTOGRAM),
    Spread.LENGTH: ("lengths", LENGTHS),
    Spread.HOUR: ("hours", HOURS),
}
# Days of more models are looked through whole: one index after the other would have to be sorted together.
_FEW_MODELS = 3
# So many calls are looked through in less time than another statement takes.
_FEW_CALLS = 2_000


@dataclass(frozen=True, slots=True)
class Days:
    """Days that have, or may have, such calls, the last one first; of `models` alone, or of any."""

    days: tuple[date, ...]
    models: tuple[str, ...] = ()


def guided_days(session: Session, selection: Selection, part: Part, zone: ZoneInfo) -> Iterator[Days]:
    """The days that the roll-ups name, a month at a time from the last one, and those whose calls they lack."""
    waiting = Waiting(session, zone).days()
    if waiting is None:
        yield from all_days(session, selection)
        return
    if part.of is Spread.HOUR:
        waiting = {day for day in waiting if part.low // 24 <= day.weekday() <= (part.high - 1) // 24}
    taken = 1
    months = periods_of(selection.start, selection.end, Interval.MONTH)
    while months:
        # One, then two, four, and so on: most pages are full after the first.
        taken = min(len(months), taken * 2) if months[-1].end != selection.end else 1
        start, end = months[-taken].start, months[-1].end
        months = months[:-taken]
        known, calls = _known(session, selection, part, start, end)
        for day in waiting:
            if start <= day <= end:
                # Of any model.
                known[day] = {}
        yield from _together(known, calls, part, zone)


def _together(
    known: dict[date, dict[str, None]], calls: Counter[date], part: Part, zone: ZoneInfo
) -> Iterator[Days]:
    """Days as statements: one for many quiet days, and for each busy one. `calls`: how many each day has."""
    days: list[date] = []
    looked_through = 0
    for day in sorted(known, reverse=True):
        looked_through += sum(calls[each] for each in _between(day, days[-1] if days else day))
        if days and (looked_through > _FEW_CALLS or not _alike(part, days[0], day, zone)):
            yield _one(days, known)
            days, looked_through = [], calls[day]
        days.append(day)
    if days:
        yield _one(days, known)


def _between(day: date, last: date) -> Iterator[date]:
    """From `day` to before `last`, or `day` alone."""
    ordinals = range(day.toordinal(), max(last.toordinal(), day.toordinal() + 1))
    return map(date.fromordinal, ordinals)


def _alike(part: Part, one: date, other: date, zone: ZoneInfo) -> bool:
    """Whether the hours of a cell are at the same time of both days in UTC."""
    if part.of is not Spread.HOUR:
        return True
    offset = offset_of(one, zone)
    return part.high == part.low + 1 and offset is not None and offset == offset_of(other, zone)


def _one(days: list[date], known: dict[date, dict[str, None]]) -> Days:
    models = {model for day in days for model in known[day]}
    few = len(models) <= _FEW_MODELS and all(known[day] for day in days)
    return Days(tuple(days), tuple(sorted(models)) if few else ())


def _known(
    session: Session, selection: Selection, part: Part, start: date, end: date
) -> tuple[dict[date, dict[str, None]], Counter[date]]:
    """Which days have such calls, and of which models; and about how many calls of any kind each day has. Facets are
    left to the calls."""
    column, layout = _STORED[part.of]
    rows = under(session, selection, Dimension.MODEL)
    statement = spread(rows.shape, Dimension.MODEL, ("day", column))
    stored = fetched(session, statement, {**rows.values(start, end), "span": DAY})
    found: dict[date, dict[str, None]] = {}
    if not stored:
        return found, Counter()
    first, last = _slots(part)
    entries = layout.unpack([row[2] for row in stored])
    counts = entries.values[:, 0]
    hits = (entries.slot >= first) & (entries.slot <= last) & (counts > 0)
    totals = np.bincount(entries.owner, counts, len(stored)).tolist()
    by_day = Counter[Any]()
    for (_model, day, _column), total in zip(stored, totals, strict=True):
        by_day[day] += int(total)
    calls = Counter({as_date(day): total for day, total in by_day.items()})
    for owner in np.unique(entries.owner[hits]).tolist():
        model, day, _column = stored[owner]
        found.setdefault(as_date(day), {})[model] = None
    return found, calls


def _slots(part: Part) -> tuple[int, int]:
    """The first and the last slot that may hold such calls."""
    if part.of is Spread.HOUR:
        return part.low, part.high - 1
    edges = LENGTH_EDGES if part.of is Spread.LENGTH else LATENCY_EDGES
    return bucket_of(edges, part.low), bucket_of(edges, part.high - 1)


def offset_of(day: date, zone: ZoneInfo) -> int | None:
    """By how many seconds the clocks are ahead of UTC on that day; None when they are changed on it."""
    begin = datetime.combine(day, time(), zone).utcoffset() or timedelta()
    end = datetime.combine(day, time(), zone) + timedelta(1)
    return None if end.utcoffset() != begin else int(begin.total_seconds())


def all_days(session: Session, selection: Selection) -> Iterator[Days]:
    """From the last day with any calls to the first one."""
    ends = session.execute(
        select(
            select(func.min(EVENTS.c.day)).scalar_subquery(), select(func.max(EVENTS.c.day)).scalar_subquery()
        )
    ).one()
    if ends[0] is None:
        return
    day, first = min(selection.end, ends[1]), max(selection.start, ends[0])
    while day >= first:
        yield Days((day,))
        if day == date.min:
            return
        day -= timedelta(1)
