"""Percentiles over time: each period's own histogram, by group."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from core.usage.event_batch import as_date
from core.usage.explore.buckets import PERCENTS, middle_of, percentiles
from core.usage.explore.columns import coded
from core.usage.explore.reading import Reading
from core.usage.explore.rolled import RolledReading
from core.usage.explore.rolled_rows import fetched, spans, under
from core.usage.explore.statements import spread
from core.usage.explore.types import Dimension, Interval, Percentiles, Period, Selection, Timing
from core.usage.shapes import DAY, HISTOGRAM
from core.usage.sparse import Ints, sums_by

Choose = Callable[[Selection, Dimension | None], Reading]
_Lines = dict[str, list[Timing]]


def read_timings(
    session: Session,
    selection: Selection,
    by: Dimension,
    interval: Interval,
    periods: Sequence[Period],
    choose: Choose,
) -> Mapping[str, Sequence[Timing]]:
    """For each group that was timed how long its calls took in each period. By a facet, and where calls wait to be
    folded, each period is asked for by itself."""
    reading = choose(selection, by)
    days = reading.waiting_days(session) if isinstance(reading, RolledReading) else None
    if days is None:
        found: _Lines = {}
        alone = range(len(periods))
    else:
        found = _rolled(session, selection, by, interval, periods)
        alone = [at for at, each in enumerate(periods) if any(each.start <= day <= each.end for day in days)]
    for place in alone:
        _read_one(session, selection, by, periods, place, choose, found)
    return {group: line for group, line in found.items() if any(map(_is_timed, line))}


def _read_one(
    session: Session,
    selection: Selection,
    by: Dimension,
    periods: Sequence[Period],
    place: int,
    choose: Choose,
    found: _Lines,
) -> None:
    period = periods[place]
    days = replace(selection, start=period.start, end=period.end)
    known = choose(days, by).latencies(session, days, by)
    for group in {*found, *known}:
        line = found.setdefault(group, [Timing()] * len(periods))
        latencies = known.get(group)
        line[place] = Timing()
        if latencies is not None:
            line[place] = Timing(percentiles(latencies.latency), percentiles(latencies.first_token))


def _is_timed(timing: Timing) -> bool:
    return bool(timing.latency.calls or timing.first_token.calls)


def _rolled(
    session: Session, selection: Selection, by: Dimension, interval: Interval, periods: Sequence[Period]
) -> _Lines:
    """From `usage_shapes` alone, in one go."""
    asked = under(session, selection, by)
    statement = spread(asked.shape, by, ("day", "latency", "first_token"))
    parts = [(DAY, selection.start, selection.end)]
    if interval is Interval.MONTH:
        parts = spans(selection.start, selection.end)
    rows: list[Any] = []
    for span, first, last in parts:
        rows += fetched(session, statement, {**asked.values(first, last), "span": span})
    if not rows:
        return {}
    groups, days, latency, first_token = zip(*rows, strict=True)
    names, of = coded(groups)
    starts = np.array([period.start.toordinal() for period in periods], np.int64)
    ordinals = {day: as_date(day).toordinal() for day in set(days)}
    places = np.searchsorted(starts, np.array([ordinals[day] for day in days], np.int64), "right") - 1
    points = of * len(periods) + places
    known = [_percentiles(points, column, len(names) * len(periods)) for column in (latency, first_token)]
    timings = [Timing(*both) for both in zip(*known, strict=True)]
    return {name: timings[at * len(periods) : (at + 1) * len(periods)] for at, name in enumerate(names)}


def _percentiles(points: Ints, stored: Sequence[bytes], count: int) -> list[Percentiles]:
    """Of the histograms of each point added up: as `buckets.percentiles`, for thousands of them at once."""
    part = HISTOGRAM.unpack(stored)
    code, values = sums_by(points[part.owner] * 256 + part.slot, part.values)
    calls = np.zeros(count, np.int64)
    np.add.at(calls, code // 256, values[:, 0])
    # The calls of all points in a row: a rank of one is its rank behind those of the points before.
    upto, before = np.cumsum(values[:, 0]), np.cumsum(calls) - calls
    timed = np.flatnonzero(calls)
    found = [Percentiles()] * count
    columns: list[Any] = [calls[timed].tolist()]
    for percent in PERCENTS:
        ranks = -(-calls[timed] * percent // 100)
        slots = code[np.searchsorted(upto, before[timed] + ranks)] % 256
        columns.append([middle_of(slot) for slot in slots.tolist()])
    for at, *figures in zip(timed.tolist(), *columns, strict=True):
        found[at] = Percentiles(*figures)
    return found
