"""What roll-ups are asked, as statements that are made once: to make one takes longer than to have it answered.

Their bound values are those of `Under.values`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    String,
    Table,
    and_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

from core.usage.columns import DAILY, MONTHS, SHAPES
from core.usage.explore.columns import FIGURES
from core.usage.explore.types import Dimension

_SHAPES = 256


@dataclass(frozen=True, slots=True)
class Shape:
    """What a statement is made by: whether one user and one source are asked for, whether providers are named, and
    how many models."""

    is_one: bool
    providers: bool
    models: int


def within(table: FromClause, shape: Shape) -> ColumnElement[bool]:
    """Which rows of a roll-up belong to a selection."""
    c = table.c
    found: list[ColumnElement[bool]] = [c.day.between(bindparam("first"), bindparam("last"))]
    if shape.is_one:
        found += [c.user_id == bindparam("user"), c.source == bindparam("source")]
    else:
        found += [_in(c.user_id, "users"), _in(c.source, "sources")]
    if shape.providers:
        found.append(_in(c.provider, "providers"))
    if shape.models:
        pairs = (
            and_(
                c.provider == bindparam(f"named_provider_{number}"),
                c.model == bindparam(f"named_model_{number}"),
            )
            for number in range(shape.models)
        )
        found.append(or_(*pairs))
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
    table: Table,
    condition: ColumnElement[bool],
    group: ColumnElement[str],
    coarse: bool = False,
    is_told_apart: bool = False,
) -> Any:
    """Rows of a roll-up as rows of sums. `coarse`: models are added up; otherwise nothing is when rows are told apart
    already."""
    day: ColumnElement[Any] = type_coerce(table.c.day, NullType())
    named = group.label("grouped")
    figures: Sequence[Any] = [table.c[name] for name in FIGURES]
    behind = (table.c.provider, table.c.model)
    if is_told_apart and not coarse:
        # Nothing to group: the rows are the answer.
        return select(day, named, table.c.currency, *figures, *behind).where(condition)
    apart = () if coarse else behind
    figures = [cast(func.sum(each), BigInteger) for each in figures]
    statement = select(day, named, table.c.currency, *figures, *apart).where(condition)
    return statement.group_by(table.c.day, table.c.currency, named, *apart)


@lru_cache(_SHAPES)
def daily_sums(shape: Shape, by: Dimension | None, coarse: bool, is_told_apart: bool) -> Any:
    """Rows of sums from `usage_daily`."""
    return sums(DAILY, within(DAILY, shape), group_of(DAILY, by), coarse, is_told_apart)


@lru_cache(_SHAPES)
def sums_by_day(shape: Shape) -> Any:
    """The days of `usage_daily` as one group each, with the last of a day's currencies at the end.

    By the day alone rows are added up as they come; by day and currency a database sorts all of them first.
    """
    day: ColumnElement[Any] = type_coerce(DAILY.c.day, NullType())
    figures = [cast(func.sum(DAILY.c[name]), BigInteger) for name in FIGURES]
    named = (literal(""), func.min(DAILY.c.currency), *figures, func.max(DAILY.c.currency))
    return select(day, *named).where(within(DAILY, shape)).group_by(DAILY.c.day)


@lru_cache(_SHAPES)
def packed_months(shape: Shape, by: Dimension | None) -> Any:
    """First day, group, currency, provider, model and days of each row of `usage_months`."""
    c = MONTHS.c
    return select(c.day, group_of(MONTHS, by), c.currency, c.provider, c.model, c.days).where(
        within(MONTHS, shape)
    )


@lru_cache(_SHAPES)
def spread(shape: Shape, by: Dimension | None, columns: tuple[str, ...]) -> Any:
    """The group and some columns of `usage_shapes`; `span` is bound, too."""
    wanted = [group_of(SHAPES, by).label("grouped"), *(SHAPES.c[name] for name in columns)]
    return select(*wanted).where(within(SHAPES, shape), SHAPES.c.span == bindparam("span"))


def _in(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return column.in_(bindparam(name, expanding=True))
