"""Whether the roll-ups are what the calls add up to, and whether each call lies in its day: counted, not claimed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.usage.columns import DAILY, EVENTS, KEY, SUMS, sources_of, sums_over
from core.usage.days import day_in, in_days
from core.usage.tables import ALL_SOURCES, ALL_USERS
from core.usage.verify_finer import Mismatch, compare_month

MOST_DIFFERENCES = 100

_Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of one roll-up: what it says, and what the calls add up to. `user_id` ALL_USERS and `source`
    ALL_SOURCES are the rows that add up all of them. `figure` is one of SUMS, of a finer roll-up with its facet or the
    place in its array before it; costs are nano-units of `currency`."""

    user_id: int
    source: str
    day: date
    provider: str
    model: str
    currency: str
    figure: str
    rolled_up: int
    counted: int

    @property
    def of_all_users(self) -> bool:
        return self.user_id == ALL_USERS

    @property
    def of_all_sources(self) -> bool:
        return self.source == ALL_SOURCES


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check of the days `start` to `end` came to. `calls` were read, `figures` compared, `misplaced` calls
    lie in another day than the report zone says; `found` differences, of which the first are named."""

    start: date
    end: date
    calls: int
    figures: int
    misplaced: int
    found: int
    differences: tuple[Difference, ...]

    @property
    def all_well(self) -> bool:
        return not self.found and not self.misplaced


def verify(
    session: Session, zone: ZoneInfo, start: date, end: date, progress: Callable[[int], None] | None = None
) -> Findings:
    """Compare the roll-ups of the days `start` to `end`, both included, with sums over their calls.

    The sums of days, and those by facet, hour, latency and length. Month by month, these day by day, so that memory
    does not grow with the range; the session should see one moment throughout. `progress` is told how many more days
    were compared.
    """
    right = day_in(session, zone)
    calls = figures = misplaced = found = 0
    named: list[Difference] = []
    for first, last in months(start, end):
        days = in_days(first, last)
        calls += session.execute(select(func.count()).where(days)).scalar_one()
        misplaced += session.execute(select(func.count()).where(days, EVENTS.c.day != right)).scalar_one()
        for key, ours, theirs in _compared_days(session, first, last):
            figures += len(SUMS)
            for name, one, other in zip(SUMS, ours, theirs, strict=True):
                if one != other:
                    found += 1
                    if len(named) < MOST_DIFFERENCES:
                        named.append(Difference(*key, figure=name, rolled_up=one, counted=other))
        for finer in compare_month(session, zone, first, last):
            figures += finer.figures
            found += len(finer.mismatches)
            named += map(_difference, finer.mismatches[: MOST_DIFFERENCES - len(named)])
            if progress is not None:
                progress(1)
    return Findings(start, end, calls, figures, misplaced, found, tuple(named))


def wrong_days(
    session: Session, zone: ZoneInfo, first: date, last: date, progress: Callable[[int], None]
) -> set[date]:
    """The days `first` to `last` of one month of which a figure is wrong; the last one, too, if the month's is.
    `progress` is told how many more calls were looked at."""
    found = {key[_DAY] for key, ours, theirs in _compared_days(session, first, last) if ours != theirs}
    for finer in compare_month(session, zone, first, last):
        if finer.mismatches:
            found.add(finer.day)
        progress(finer.calls)
    return found


def _compared_days(session: Session, first: date, last: date) -> Iterator[tuple[_Key, list[int], list[int]]]:
    """Each key of `usage_daily` that there is or should be: what stands there, and what the calls come to."""
    counted, rolled = _counted(session, in_days(first, last)), _rolled_up(session, first, last)
    for key in sorted(counted.keys() | rolled.keys()):
        yield key, rolled.get(key, _NOTHING), counted.get(key, _NOTHING)


_NOTHING = [0] * len(SUMS)
_DAY = KEY.index("day")


def _difference(mismatch: Mismatch) -> Difference:
    key = {name: mismatch.key.get(name, "") for name in KEY}
    return Difference(**key, figure=mismatch.figure, rolled_up=mismatch.rolled_up, counted=mismatch.counted)


def months(start: date, end: date) -> Iterator[tuple[date, date]]:
    """First and last day of each month of a range."""
    first = start
    while first <= end:
        last = min(end, (first.replace(day=1) + timedelta(31)).replace(day=1) - timedelta(1))
        yield first, last
        first = last + timedelta(1)


def _rolled_up(session: Session, first: date, last: date) -> dict[_Key, list[int]]:
    columns = [DAILY.c[name] for name in (*KEY, *SUMS)]
    rows = session.execute(select(*columns).where(DAILY.c.day.between(first, last)))
    return {tuple(row[: len(KEY)]): list(row[len(KEY) :]) for row in rows}


def _counted(session: Session, days: Any) -> dict[_Key, list[int]]:
    """The same from the calls: those of each user and source also under all users and all sources."""
    key = [EVENTS.c[name] for name in KEY]
    sums = sums_over(EVENTS)
    statement = select(*key, *(sums[name] for name in SUMS)).where(days).group_by(*key)
    found: dict[_Key, list[int]] = {}
    for row in session.execute(statement):
        user_id, source, *others = row[: len(KEY)]
        for user in (ALL_USERS, user_id):
            for name in sources_of(source):
                total = found.setdefault((user, name, *others), list(_NOTHING))
                for position, figure in enumerate(row[len(KEY) :]):
                    total[position] += figure
    return found
