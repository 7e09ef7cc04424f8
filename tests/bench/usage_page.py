"""The whole data of the usage page for a year: the same time however many calls stand behind it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text

from core.store.unit_of_work import UnitOfWork
from core.usage.explore.part_types import Part, Spread
from core.usage.explore.service import ExploreService
from core.usage.explore.types import Compare, Dimension, Exploration, Interval, Period, Selection, UsageReader
from core.usage.ledger import Ledger
from tests.bench import ledgers
from tests.bench.figures import Figure, milliseconds, say

_ROUNDS = 30
_WARM_UP = 2
# For all sizes of one figure together; a reader that scans is not waited for.
_MOST_SECONDS = 60.0
_MOST_RATIO = 1.5
_A_USER = "3"
_A_CALL_PAGE = 100
_QUICKEST = Part(Spread.LATENCY, 470, 512)
_AN_HOUR = Part(Spread.HOUR, 24 + 14, 24 + 15)


def names(sizes: dict[str, int]) -> tuple[str, ...]:
    """The figures that `measure` yields."""
    each = tuple(f"{name}.{size}" for name in QUESTIONS for size in sizes)
    return (*each, *(_ratio_name(name, list(sizes)[-1]) for name in QUESTIONS))


def page(reader: UsageReader, year: Selection) -> Exploration:
    """All that the page asks for when it opens: its figures and groups, why calls failed, what can be filtered by."""
    reader.values(year.scope, year.sample)
    return reader.explore(year, Dimension.MODEL, Interval.DAY, Compare.PREVIOUS, kinds=True)


Lines = tuple[tuple[Period, ...], Mapping[tuple[str, str], Sequence[int]]]


def series(reader: UsageReader, year: Selection) -> Lines:
    """What the chart by day and model draws."""
    return reader.series(year, Dimension.MODEL, Interval.DAY, "cost")


# Name, the most milliseconds it may take; None where nothing is promised.
QUESTIONS: dict[str, tuple[float | None, Callable[[UsageReader, Selection], object]]] = {
    "usage.page_year": (25.0, page),
    # Most years begin and end within a month.
    "usage.page_odd_year": (25.0, lambda reader, year: page(reader, _earlier(year, 12))),
    "usage.series_year": (10.0, series),
    "usage.filtered_year": (25.0, lambda reader, year: page(reader, _filtered(year))),
    "usage.drill_down": (15.0, lambda reader, year: reader.calls(_bar(year), limit=_A_CALL_PAGE)),
    # The same of a bar of Patterns, and of a cell of its week. In a quiet ledger that takes a year of roll-ups to find.
    "usage.drill_latency": (25.0, lambda reader, year: reader.calls(year, None, _A_CALL_PAGE, _QUICKEST)),
    "usage.drill_hour": (25.0, lambda reader, year: reader.calls(year, None, _A_CALL_PAGE, _AN_HOUR)),
    "usage.patterns_year": (None, lambda reader, year: reader.patterns(year)),
    "usage.top_users_year": (None, lambda reader, year: reader.top(year, Dimension.USER)),
}


def year_of(start: date, end: date) -> Selection:
    return Selection(None, start, end)


def reader_of(unit: UnitOfWork) -> UsageReader:
    return ExploreService(unit, Ledger(ZoneInfo("UTC")))


def measure(units: dict[str, UnitOfWork], year: Selection) -> Iterator[Figure]:
    """Every question at every size, and the largest size against the smallest."""
    smallest, *_, largest = units
    for unit in units.values():
        _check(reader_of(unit), year)
    for name, (most_ms, ask) in QUESTIONS.items():
        medians = _medians(units, lambda unit, ask=ask: ask(reader_of(unit), year))
        for size, value in medians.items():
            yield Figure(f"{name}.{size}", value, "ms", most_ms)
        ratio = medians[largest] / medians[smallest]
        # Behind the others stand fewer rows in a small ledger: their bound is in milliseconds.
        whole = name in ("usage.page_year", "usage.series_year")
        yield Figure(_ratio_name(name, largest), ratio, "ratio", _MOST_RATIO if whole else None)


def _medians(units: dict[str, UnitOfWork], ask: Callable[[UnitOfWork], object]) -> dict[str, float]:
    """Milliseconds by size. In turns, so that a machine that speeds up or slows down does so for all of them."""
    took: dict[str, list[float]] = {size: [] for size in units}
    begun = time.perf_counter()
    for round_ in range(_WARM_UP + _ROUNDS):
        for size, unit in units.items():
            seconds = _cold(unit, ask)
            if round_ >= _WARM_UP:
                took[size].append(seconds)
        if round_ >= _WARM_UP and time.perf_counter() - begun > _MOST_SECONDS:
            say(f"stopped after {round_ + 1 - _WARM_UP} of {_ROUNDS} rounds")
            break
    return {size: milliseconds(seconds) for size, seconds in took.items()}


def _cold(unit: UnitOfWork, ask: Callable[[UnitOfWork], object]) -> float:
    # A fresh connection holds no page of a table; opening it and reading the schema is not the question's work.
    unit.close()
    with unit.read() as session:
        session.execute(text("SELECT count(*) FROM sqlite_schema"))
    begun = time.perf_counter()
    ask(unit)
    return time.perf_counter() - begun


def _check(reader: UsageReader, year: Selection) -> None:
    """ValueError where parts do not add up to the whole, or a bar opens other calls than it is made of."""
    whole, filtered = page(reader, year), page(reader, _filtered(year))
    if whole.slow or filtered.slow:
        say("the calls themselves are read: no roll-up knows these questions")
    if sum(group.total.requests for group in whole.groups) != whole.total.requests:
        raise ValueError("the models do not add up to the total")
    alone = replace(year, where=((Dimension.MODEL, (_model(),)),))
    users = reader.explore(alone, Dimension.USER)
    of_user = next(group for group in users.groups if group.value == _A_USER)
    if filtered.total != of_user.total:
        raise ValueError("filtered by a user and a model is not that user's part of the model")
    bar = _bar(year)
    calls = reader.calls(bar, limit=_A_CALL_PAGE).calls
    expected = min(reader.explore(bar).total.requests, _A_CALL_PAGE)
    if len(calls) != expected or any(
        (call.day, call.model) != (bar.start, ledgers.A_MODEL) for call in calls
    ):
        raise ValueError(f"the bar opens {len(calls)} calls instead of {expected} of its day and model")


def _filtered(year: Selection) -> Selection:
    return replace(year, where=((Dimension.USER, (_A_USER,)), (Dimension.MODEL, (_model(),))))


def _earlier(year: Selection, days: int) -> Selection:
    return replace(year, start=year.start - timedelta(days), end=year.end - timedelta(days))


def _bar(year: Selection) -> Selection:
    """One model's bar of one day in the middle of the year."""
    middle = year.start + (year.end - year.start) / 2
    return replace(year, start=middle, end=middle, where=((Dimension.MODEL, (_model(),)),))


def _model() -> str:
    return f"{ledgers.A_PROVIDER}/{ledgers.A_MODEL}"


def _ratio_name(name: str, largest: str) -> str:
    return f"{name}.ratio_{largest}_to_10k"
