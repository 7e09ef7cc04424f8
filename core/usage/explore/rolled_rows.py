"""Roll-up rows of a selection: which users and sources they stand under, and in which spans."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from core.usage.explore.ranges import periods_of
from core.usage.explore.seeks import users_with_calls
from core.usage.explore.statements import Shape
from core.usage.explore.types import Dimension, Interval, Selection
from core.usage.shapes import DAY, MONTH
from core.usage.tables import ALL_SOURCES, ALL_USERS
from core.usage.types import Source

REAL = tuple(source.value for source in Source if source is not Source.SAMPLE)


@dataclass(frozen=True, slots=True)
class Under:
    """The users and sources whose rows are read, together they hold each call of a selection once; and of these the
    providers and models ("provider/model") that are asked for, if any are named."""

    users: tuple[int, ...]
    sources: tuple[str, ...]
    providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    @property
    def shape(self) -> Shape:
        is_one = len(self.users) == len(self.sources) == 1
        return Shape(is_one, bool(self.providers), len(self.models))

    def values(self, first: date, last: date) -> dict[str, Any]:
        """What a statement of this shape is about, from `first` to `last`."""
        found: dict[str, Any] = {"first": first, "last": last}
        if self.shape.is_one:
            found |= {"user": self.users[0], "source": self.sources[0]}
        else:
            found |= {"users": self.users, "sources": self.sources}
        if self.providers:
            found["providers"] = self.providers
        for number, each in enumerate(self.models):
            found[f"named_provider_{number}"], _, found[f"named_model_{number}"] = each.partition("/")
        return found

    def is_told_apart(self, by: Dimension | None) -> bool:
        """Whether each row is a row of the answer, by day and model: none is to be added to another."""
        several = {Dimension.USER: len(self.users), Dimension.SOURCE: len(self.sources)}
        return all(count == 1 or dimension is by for dimension, count in several.items())


def under(session: Session, selection: Selection, by: Dimension | None) -> Under:
    """Rows of all users and all sources where they will do."""
    providers, models = selection.values(Dimension.PROVIDER), selection.values(Dimension.MODEL)
    return Under(_users(session, selection, by), _sources(selection, by), providers, models)


def _users(session: Session, selection: Selection, by: Dimension | None) -> tuple[int, ...]:
    asked = tuple(int(value) for value in selection.values(Dimension.USER))
    if selection.scope is not None:
        return (selection.scope,) if not asked or selection.scope in asked else ()
    if asked:
        # Row 0 is everybody's, and nobody's id.
        return tuple(user for user in dict.fromkeys(asked) if user != ALL_USERS)
    return users_with_calls(session) if by is Dimension.USER else (ALL_USERS,)


def _sources(selection: Selection, by: Dimension | None) -> tuple[str, ...]:
    asked = selection.values(Dimension.SOURCE)
    if selection.sample:
        return (Source.SAMPLE.value,) if not asked or Source.SAMPLE in asked else ()
    if asked:
        return tuple(source for source in asked if source != Source.SAMPLE)
    return REAL if by is Dimension.SOURCE else (ALL_SOURCES,)


def fetched(session: Session, statement: Any, values: dict[str, Any]) -> list[Any]:
    """Rows as the driver has them: for thousands of them SQLAlchemy's own take as long as the statement."""
    result = session.connection().execute(statement, values)
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
