"""Report days in SQL: which day a call belongs to in a time zone, and the months in which a range of days lies."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Interval,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from core.store.base import UtcDateTime
from core.usage.columns import EVENTS

CHUNK = 20_000
"""Ids a statement: a few tenths of a second each, so that progress is seen and a stop is heard."""
DATING, ADDING_UP = 1, 15
"""How much of the work on a call is seeing to its day, and how much adding it up: what progress is counted in."""


class _Within(FunctionElement[bool]):
    """`column >= first AND column < last`, for a database that keeps calls by month; nothing to SQLite, whose
    indexes know the day and not the moment."""

    type = Boolean()
    inherit_cache = True


@compiles(_Within)
def _within(element: _Within, compiler: SQLCompiler, **options: Any) -> str:
    column, first, last = (compiler.process(each, **options) for each in element.clauses)
    return f"({column} >= {first} AND {column} < {last})"


@compiles(_Within, "sqlite")
def _within_sqlite(element: _Within, compiler: SQLCompiler, **options: Any) -> str:
    return "1"


def in_days(start: date, end: date, calls: Any = EVENTS) -> ColumnElement[bool]:
    """The calls of the report days `start` to `end`, both included, of any zone; `calls` has the columns of
    `usage_events`. It also says so in UTC, so that PostgreSQL reads the months concerned and no others."""
    # No zone is further from UTC than a day.
    first, last = _midnight(start, -1), _midnight(end, 2)
    bound = _Within(calls.c.occurred_at, literal(first, UtcDateTime()), literal(last, UtcDateTime()))
    return and_(calls.c.day.between(start, end), bound)


def _midnight(day: date, days: int) -> datetime:
    """A day's midnight in UTC, some days on; the ends of the calendar stay where they are."""
    ordinal = min(max(day.toordinal() + days, date.min.toordinal()), date.max.toordinal())
    return datetime.combine(date.fromordinal(ordinal), datetime.min.time(), UTC)


def assign_days(session: Session, zone: ZoneInfo, progress: Callable[[int], None] | None = None) -> int:
    """Give every call its day in `zone`; returns how many moved. `progress` is told how many more were seen."""
    calls, first, last = session.execute(
        select(func.count(), func.min(EVENTS.c.id), func.max(EVENTS.c.id))
    ).one()
    moved = seen = 0
    if not calls:
        return moved
    right = day_in(session, zone)
    for start in range(first, last + 1, CHUNK):
        end = min(start + CHUNK, last + 1)
        moved += session.connection().execute(moving(right, start, end)).rowcount
        if progress is not None:
            # Ids have gaps: what is told adds up to the calls all the same.
            now = calls * (end - first) // (last + 1 - first)
            progress(now - seen)
            seen = now
    return moved


def misplaced(right: ColumnElement[date], start: int, end: int) -> ColumnElement[bool]:
    """The calls with ids from `start` to before `end` that do not lie in the day that is `right`."""
    return and_(EVENTS.c.id >= start, EVENTS.c.id < end, EVENTS.c.day != right)


def moving(right: ColumnElement[date], start: int, end: int) -> Any:
    """The statement that gives them that day."""
    return update(EVENTS).where(misplaced(right, start, end)).values(day=right)


def assign_days_of(session: Session, zone: ZoneInfo, batch: str) -> None:
    """Give the calls of one batch, which nothing counts yet, their days in `zone`."""
    session.execute(update(EVENTS).where(EVENTS.c.batch == batch).values(day=day_in(session, zone)))


def day_in(session: Session, zone: ZoneInfo) -> ColumnElement[date]:
    """The day of a call in `zone`, as SQL for the calls that are there now.

    The zone's own clock changes are spelled out as Python knows them: the database server may know other ones.
    """
    first, last = session.execute(
        select(func.min(EVENTS.c.occurred_at), func.max(EVENTS.c.occurred_at))
    ).one()
    earlier, latest = _offsets(zone, first, last) if first is not None else ([], timedelta())
    sqlite = session.get_bind().dialect.name == "sqlite"
    as_sql = _seconds_sqlite if sqlite else _interval
    offset: ColumnElement[Any] = as_sql(latest)
    if earlier:
        whens = [
            (EVENTS.c.occurred_at < literal(end, UtcDateTime()), as_sql(value)) for end, value in earlier
        ]
        offset = case(*whens, else_=offset)
    if sqlite:
        # Without the fraction, which SQLite would round, and with it the last moment of a day into the next.
        moment = func.substr(type_coerce(EVENTS.c.occurred_at, NullType()), 1, 19)
        return func.date(moment, offset, type_=Date())
    return cast(func.timezone("UTC", EVENTS.c.occurred_at) + offset, Date)


def _seconds_sqlite(offset: timedelta) -> ColumnElement[Any]:
    return literal_column(f"'{int(offset.total_seconds()):+d} seconds'")


def _interval(offset: timedelta) -> ColumnElement[Any]:
    return cast(literal(offset, Interval()), Interval())


def _offsets(
    zone: ZoneInfo, first: datetime, last: datetime
) -> tuple[list[tuple[datetime, timedelta]], timedelta]:
    """From `first` to `last`: up to which moment the clock stood how far from UTC, in order; how far at the end."""
    found: list[tuple[datetime, timedelta]] = []
    moment, step = first.replace(microsecond=0), timedelta(days=1)
    offset = _offset(zone, moment)
    while moment <= last:
        after = moment + step
        if (then := _offset(zone, after)) != offset:
            found.append((_change(zone, moment, after), offset))
            offset = then
        moment = after
    return found, offset


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second in which the clock is set, between two moments."""
    old = _offset(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def lock_recording(session: Session) -> None:
    """Nobody records calls until the transaction ends, and who does so now is waited for; reading goes on.

    After `folding.lock`. Who had a call written, but not yet its roll-ups, would add them to a day that was.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"LOCK TABLE {EVENTS.name} IN SHARE ROW EXCLUSIVE MODE"))


def wait_for_locks(session: Session) -> None:
    """However long they are held: for what is done at start, and not for somebody who looks at a page."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL lock_timeout = 0"))
