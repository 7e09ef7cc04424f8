"""One figure over time: what a chart of it, or a program, asks for. It reads a fifth of what `explore` reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, func, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from core.usage.columns import DAILY
from core.usage.explore.assemble import COUNTS, positions
from core.usage.explore.rolled_rows import fetched, group_of, under, within
from core.usage.explore.types import Dimension, Measures, Period, Selection

TOKENS, COST, SAVED = "tokens", "cost", "saved"
FIGURES = (TOKENS, *COUNTS, COST, SAVED)
Lines = dict[tuple[str, str], tuple[int, ...]]
"""By value of the group and currency ("" for what is no money): a number for each period."""


def read_lines(
    session: Session, selection: Selection, by: Dimension, periods: Sequence[Period], figure: str
) -> Lines:
    """From `usage_daily`; for a dimension that is no facet."""
    rows = under(session, selection, by)
    day: ColumnElement[Any] = type_coerce(DAILY.c.day, NullType())
    condition = within(DAILY, selection, rows) & DAILY.c.day.between(selection.start, selection.end)
    key = [day, group_of(DAILY, by).label("grouped"), DAILY.c.currency]
    statement = select(*key, _column(figure)).where(condition)
    if by is not Dimension.MODEL or not rows.is_told_apart(by):
        statement = select(*key, cast(func.sum(_column(figure)), BigInteger)).where(condition)
        statement = statement.group_by(DAILY.c.day, "grouped", DAILY.c.currency)
    at = positions(periods)
    found: dict[tuple[str, str], list[int]] = {}
    money = figure in (COST, SAVED)
    for moment, group, currency, number in fetched(session, statement):
        name = (group, currency if money else "")
        line = found.get(name)
        if line is None:
            line = found[name] = [0] * len(periods)
        line[at[moment]] += number
    return {name: tuple(line) for name, line in found.items()}


def lines_of(groups: Mapping[str, Sequence[Measures]], figure: str) -> Lines:
    """The same from points that were read already."""
    found: Lines = {}
    for group, points in groups.items():
        if figure not in (COST, SAVED):
            found[group, ""] = tuple(getattr(point, figure) for point in points)
            continue
        amounts = [point.costs if figure == COST else point.saved for point in points]
        for currency in sorted({name for each in amounts for name in each}):
            found[group, currency] = tuple(each.get(currency, 0) for each in amounts)
    return found


def without_zeros(lines: Lines) -> Lines:
    """Only the lines on which something stands."""
    return {name: line for name, line in lines.items() if any(line)}


def _column(figure: str) -> ColumnElement[Any]:
    if figure == TOKENS:
        return DAILY.c.input_tokens + DAILY.c.output_tokens
    return DAILY.c[{COST: "cost_nano", SAVED: "saved_nano"}.get(figure, figure)]
