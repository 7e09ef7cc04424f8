"""Ranges of days: the periods of a chart, the range compared with, and what no report could have."""

import calendar
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.usage.explore.types import Compare, Dimension, Interval, Period, Selection
from core.usage.service import check_range
from core.usage.types import CallStatus, Source

_LONGEST_MONTH = 31
_KNOWN: dict[Dimension, frozenset[str]] = {
    Dimension.STATUS: frozenset(CallStatus),
    Dimension.SOURCE: frozenset(Source),
    Dimension.ERROR: frozenset({"", *ErrorKind}),
}


KEPT = 8
"""How many ranges are remembered: a page asks for the same few at every run, and one may be ten years of days."""


def checked(selection: Selection) -> Selection:
    """The selection, each value named once; AppError(VALIDATION) for a range or a value that is none."""
    check_range(selection.start, selection.end)
    where: list[tuple[Dimension, tuple[str, ...]]] = []
    for dimension, values in selection.where:
        for value in values:
            if not _can_be(dimension, value):
                raise AppError(
                    ErrorKind.VALIDATION,
                    N_("There is no {dimension} “{value}” to filter by. Remove that filter."),
                    dimension=dimension.value,
                    value=value[:100],
                )
        if values:
            where.append((dimension, tuple(dict.fromkeys(values))))
    return replace(selection, where=tuple(where))


def _can_be(dimension: Dimension, value: str) -> bool:
    if dimension in _KNOWN:
        return value in _KNOWN[dimension]
    if dimension is Dimension.USER or (dimension is Dimension.THREAD and value):
        # Above 18 digits no database has an id.
        return value.isascii() and value.isdigit() and len(value) <= 18
    if dimension is Dimension.MODEL:
        provider, slash, model = value.partition("/")
        return bool(provider and slash and model)
    return dimension is not Dimension.PROVIDER or bool(value)


@lru_cache(KEPT)
def periods_of(start: date, end: date, interval: Interval) -> tuple[Period, ...]:
    """The periods of a range; the first and the last are cut by it."""
    if interval is Interval.DAY:
        days = (date.fromordinal(each) for each in range(start.toordinal(), end.toordinal() + 1))
        return tuple(Period(day, day) for day in days)
    periods: list[Period] = []
    first = start
    while True:
        last = min(_last_of(first, interval), end)
        periods.append(Period(first, last))
        if last == end:
            return tuple(periods)
        first = last + timedelta(1)


def _last_of(day: date, interval: Interval) -> date:
    if interval is Interval.MONTH:
        return day.replace(day=calendar.monthrange(day.year, day.month)[1])
    # The calendar ends in the middle of a week.
    return date.fromordinal(min(day.toordinal() + 6 - day.weekday(), date.max.toordinal()))


def compared_with(start: date, end: date, compare: Compare) -> Period | None:
    """The range that a range is compared with."""
    if compare is Compare.PREVIOUS:
        length = (end - start).days + 1
        return Period(start - timedelta(length), start - timedelta(1))
    if compare is Compare.LAST_MONTH:
        if start.toordinal() <= _LONGEST_MONTH:
            # The calendar's first month has none before it.
            check_range(start, date.max)
        return Period(_month_before(start), _month_before(end))
    return None


def _month_before(day: date) -> date:
    last = day.replace(day=1) - timedelta(1)
    return last.replace(day=min(day.day, last.day))
