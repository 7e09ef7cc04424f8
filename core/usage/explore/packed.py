"""Sums of whole months from `usage_months`, and of the other days of a range from `usage_daily`.

A year of a dozen models is a hundred rows instead of thousands: what is left of the time goes into numbers, not rows.
"""

from typing import Any

import numpy as np
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from core.usage.columns import DAILY, MONTHS, SUMS
from core.usage.event_batch import as_date
from core.usage.explore.columns import FIGURES, Columns, coded, columns_of, together
from core.usage.explore.rolled_rows import (
    Under,
    fetched,
    group_of,
    spans,
    sums,
    sums_by_day,
    under,
    waiting_days,
    within,
)
from core.usage.explore.types import Dimension, Selection
from core.usage.months import DAYS
from core.usage.shapes import DAY, MONTH

# Where each of FIGURES stands in a day's sums.
_ORDER = [SUMS.index(name) for name in FIGURES]


def read_columns(session: Session, selection: Selection, by: Dimension | None, coarse: bool) -> Columns:
    """Of a selection by anything but facets. `coarse`: models need not be told apart."""
    rows = under(session, selection, by)
    days = waiting_days(session)
    parts = [(DAY, selection.start, selection.end)]
    if days is not None:
        parts = spans(selection.start, selection.end, but=days)
    found: list[Columns] = []
    for kind, first, last in parts:
        # A statement each: a database would rather read everything between two ranges than look twice.
        table, read = (MONTHS, _packed) if kind == MONTH else (DAILY, _daily)
        condition = and_(within(table, selection, rows), table.c.day.between(first, last))
        found.append(read(session, condition, rows, by, coarse))
    return found[0] if len(found) == 1 else together(found)


def _packed(session: Session, condition: Any, _rows: Under, by: Dimension | None, _coarse: bool) -> Columns:
    c = MONTHS.c
    statement = select(c.day, group_of(MONTHS, by), c.currency, c.provider, c.model, c.days).where(condition)
    stored = fetched(session, statement)
    days, groups, in_currencies, providers, models, packed = (
        zip(*stored, strict=True) if stored else ((),) * 6
    )
    part = DAYS.unpack(packed)
    firsts = np.array([as_date(day).toordinal() for day in days], np.int64)
    values, of = coded(groups)
    currencies, in_currency = coded(in_currencies)
    behind, of_model = coded(zip(providers, models, strict=True))
    return Columns(
        firsts[part.owner] + part.slot - 1,
        values,
        of[part.owner],
        currencies,
        in_currency[part.owner],
        behind,
        of_model[part.owner],
        part.values[:, _ORDER],
    )


def _daily(session: Session, condition: Any, rows: Under, by: Dimension | None, coarse: bool) -> Columns:
    if coarse and by is None and (found := sums_by_day(session, condition)) is not None:
        return columns_of(found)
    # Nothing becomes coarser by adding up when the group says which model it is.
    coarse = coarse and by is not Dimension.MODEL
    return columns_of(sums(session, DAILY, condition, group_of(DAILY, by), coarse, rows.is_told_apart(by)))
