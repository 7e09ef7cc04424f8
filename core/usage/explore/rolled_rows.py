"""Roll-up rows of a selection: which users and sources they stand under, and what they are grouped by."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    String,
    Table,
    and_,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from core.usage.columns import DAILY, EVENTS, PENDING
from core.usage.explore.columns import FIGURES, Row
from core.usage.explore.conditions import model_pairs
from core.usage.explore.ranges import periods_of
from core.usage.explore.types import Dimension, Interval, Selection
from core.usage.shapes import DAY, MONTH
from core.usage.tables import ALL_SOURCES, ALL_USERS
from core.usage.types import Source

REAL = tuple(source.value for source in Source if source is not Source.SAMPLE)
_FEW = 5_000


@dataclass(frozen=True, slots=True)
class Under:
    """The users and sources whose rows are read: together they hold each call of a selection once."""

    users: tuple[int, ...]
    sources: tuple[str, ...]

    @property
    def is_one(self) -> bool:
        return len(self.users) == len(self.sources) == 1

    def is_told_apart(self, by: Dimension | None) -> bool:
        """Whether each row is a row of the answer, by day and model: none is to be added to another."""
        several = {Dimension.USER: len(self.users), Dimension.SOURCE: len(self.sources)}
        return all(count == 1 or dimension is by for dimension, count in several.items())


def under(session: Session, selection: Selection, by: Dimension | None) -> Under:
    """Rows of all users and all sources where they will do."""
    return Under(_users(session, selection, by), _sources(selection, by))


def _users(session: Session, selection: Selection, by: Dimension | None) -> tuple[int, ...]:
    asked = tuple(int(value) for value in selection.values(Dimension.USER))
    if selection.scope is not None:
        return (selection.scope,) if not asked or selection.scope in asked else ()
    if asked:
        # Row 0 is everybody's, and nobody's id.
        return tuple(user for user in dict.fromkeys(asked) if user != ALL_USERS)
    return users_of(session) if by is Dimension.USER else (ALL_USERS,)


def users_of(session: Session) -> tuple[int, ...]:
    """All users with calls: one look into the index for each."""
    found: list[int] = []
    last = ALL_USERS
    statement = select(func.min(DAILY.c.user_id))
    while (user := session.execute(statement.where(DAILY.c.user_id > last)).scalar_one()) is not None:
        found.append(user)
        last = user
    return tuple(found)


def _sources(selection: Selection, by: Dimension | None) -> tuple[str, ...]:
    asked = selection.values(Dimension.SOURCE)
    if selection.sample:
        return (Source.SAMPLE.value,) if not asked or Source.SAMPLE in asked else ()
    if asked:
        return tuple(source for source in asked if source != Source.SAMPLE)
    return REAL if by is Dimension.SOURCE else (ALL_SOURCES,)


def within(table: Table, selection: Selection, rows: Under) -> ColumnElement[bool]:
    """Which rows of a roll-up belong to a selection, whatever their day."""
    found: list[Any] = [table.c.user_id.in_(rows.users), table.c.source.in_(rows.sources)]
    if rows.is_one:
        found = [table.c.user_id == rows.users[0], table.c.source == rows.sources[0]]
    if providers := selection.values(Dimension.PROVIDER):
        found.append(table.c.provider.in_(providers))
    if models := selection.values(Dimension.MODEL):
        found.append(model_pairs(table.c, models))
    return and_(*found)


def group_of(table: Table, by: Dimension | None) -> ColumnElement[str]:
    """What the rows of a roll-up are grouped by, when that is no facet."""
    columns: dict[Dimension, ColumnElement[Any]] = {
        Dimension.PROVIDER: table.c.provider,
        Dimension.MODEL: table.c.provider + "/" + table.c.model,
        Dimension.SOURCE: table.c.source,
        Dimension.USER: cast(table.c.user_id, String),
    }
    return columns[by] if by is not None and by in columns else literal("")


def sums(
    session: Session,
    table: Table,
    condition: ColumnElement[bool],
    group: ColumnElement[str],
    coarse: bool = False,
    is_told_apart: bool = False,
) -> list[Row]:
    """Rows of a roll-up as rows of sums. `coarse`: models are added up; otherwise nothing is when rows are told apart
    already."""
    day: ColumnElement[Any] = type_coerce(table.c.day, NullType())
    named = group.label("grouped")
    figures: Sequence[Any] = [table.c[name] for name in FIGURES]
    key = [table.c.day, table.c.provider, table.c.model, table.c.currency, named]
    if coarse:
        key = [table.c.day, table.c.currency, named]
    if is_told_apart and not coarse:
        # Nothing to group: the rows are the answer.
        behind = (table.c.provider, table.c.model)
        return fetched(session, select(day, named, table.c.currency, *figures, *behind).where(condition))
    figures = [cast(func.sum(each), BigInteger) for each in figures]
    apart = () if coarse else (table.c.provider, table.c.model)
    statement = select(day, named, table.c.currency, *figures, *apart).where(condition)
    return fetched(session, statement.group_by(*key))


def sums_by_day(session: Session, condition: ColumnElement[bool]) -> list[Row] | None:
    """The days of `usage_daily` as one group each; None when some day has calls in several currencies.

    By the day alone rows are added up as they come; by day and currency a database sorts all of them first.
    """
    day: ColumnElement[Any] = type_coerce(DAILY.c.day, NullType())
    figures = [cast(func.sum(DAILY.c[name]), BigInteger) for name in FIGURES]
    named = (literal(""), func.min(DAILY.c.currency), *figures, func.max(DAILY.c.currency))
    rows = fetched(session, select(day, *named).where(condition).group_by(DAILY.c.day))
    if any(row[2] != row[-1] for row in rows):
        return None
    return [row[:-1] for row in rows]


def fetched(session: Session, statement: Any) -> list[Any]:
    """Rows as the driver has them: for thousands of them SQLAlchemy's own take as long as the statement."""
    result = session.connection().execute(statement)
    assert result.cursor is not None, "a SELECT has rows"
    rows: list[Any] = list(result.cursor.fetchall())
    result.close()
    return rows


def spans(start: date, end: date, but: Collection[date] = ()) -> list[tuple[str, date, date]]:
    """A range as whole months, and the days before and after them: kind, first and last day of each. The months of
    the days `but` are days, too."""
    without = {(day.year, day.month) for day in but}
    found: list[tuple[str, date, date]] = []
    for period in periods_of(start, end, Interval.MONTH):
        next_month = (
            (period.start.replace(day=1) + timedelta(32)).replace(day=1) if _has_next(period.start) else None
        )
        whole = period.start.day == 1 and next_month is not None and period.end == next_month - timedelta(1)
        kind = MONTH if whole and (period.start.year, period.start.month) not in without else DAY
        if found and found[-1][0] == kind:
            found[-1] = (kind, found[-1][1], period.end)
        else:
            found.append((kind, period.start, period.end))
    return found


def _has_next(day: date) -> bool:
    return (day.year, day.month) < (date.max.year, date.max.month)


def waiting(session: Session) -> list[int] | None:
    """The ids of the calls that wait to be folded; None for so many that nobody wants to name them."""
    ids = list(session.execute(select(PENDING.c.event_id).limit(_FEW + 1)).scalars())
    return ids if len(ids) <= _FEW else None


def waiting_days(session: Session) -> set[date] | None:
    """The days in which those calls lie; None for so many calls that it takes long to tell."""
    ids = waiting(session)
    if not ids:
        return None if ids is None else set()
    return set(session.execute(select(EVENTS.c.day).where(EVENTS.c.id.in_(ids)).distinct()).scalars())


def pending_calls(session: Session) -> Any:
    """The calls that wait to be folded, as something to select from in place of all calls; None without any."""
    ids = waiting(session)
    if ids is not None and not ids:
        return None
    # Found by their ids before anything else is asked of them: the days of a range would find too many.
    chosen = EVENTS.c.id.in_(ids if ids is not None else select(PENDING.c.event_id))
    return select(EVENTS).where(chosen).cte("pending").prefix_with("MATERIALIZED")
