"""Sums of whole months from `usage_months`, and of the other days of a range from `usage_daily`.

A year of a dozen models is a hundred rows instead of thousands: what is left of the time goes into numbers, not rows.
"""

from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from core.usage.columns import SUMS
from core.usage.event_batch import as_date
from core.usage.explore.columns import FIGURES, Columns, coded, columns_of, together
from core.usage.explore.rolled_rows import Under, fetched, spans, under
from core.usage.explore.statements import daily_sums, packed_months, sums_by_day
from core.usage.explore.types import Dimension, Selection
from core.usage.explore.waiting import Waiting
from core.usage.months import DAYS
from core.usage.shapes import DAY, MONTH

# Where each of FIGURES stands in a day's sums.
_ORDER = [SUMS.index(name) for name in FIGURES]


def read_columns(
    session: Session, selection: Selection, by: Dimension | None, coarse: bool, waiting: Waiting
) -> Columns:
    """Of a selection by anything but facets. `coarse`: models need not be told apart."""
    rows = under(session, selection, by)
    days = waiting.days()
    parts = [(DAY, selection.start, selection.end)]
    if days is not None:
        parts = spans(selection.start, selection.end, but=days)
    # A statement each: a database would rather read everything between two ranges than look twice.
    found = [
        _packed(session, rows, rows.values(first, last), by)
        if kind == MONTH
        else _daily(session, rows, rows.values(first, last), by, coarse)
        for kind, first, last in parts
    ]
    return found[0] if len(found) == 1 else together(found)


def _packed(session: Session, rows: Under, values: dict[str, Any], by: Dimension | None) -> Columns:
    stored = fetched(session, packed_months(rows.shape, by), values)
    days, groups, in_currencies, providers, models, packed = (
        zip(*stored, strict=True) if stored else ((),) * 6
    )
    part = DAYS.unpack(packed)
    firsts = np.array([as_date(day).toordinal() for day in days], np.int64)
    named, of = coded(groups)
    currencies, in_currency = coded(in_currencies)
    behind, of_model = coded(zip(providers, models, strict=True))
    return Columns(
        firsts[part.owner] + part.slot - 1,
        named,
        of[part.owner],
        currencies,
        in_currency[part.owner],
        behind,
        of_model[part.owner],
        part.values[:, _ORDER],
    )


def _daily(
    session: Session, rows: Under, values: dict[str, Any], by: Dimension | None, coarse: bool
) -> Columns:
    if coarse and by is None:
        found = fetched(session, sums_by_day(rows.shape), values)
        # A day with calls in several currencies is none of these rows.
        if all(row[2] == row[-1] for row in found):
            return columns_of([row[:-1] for row in found])
    # Nothing becomes coarser by adding up when the group says which model it is.
    coarse = coarse and by is not Dimension.MODEL
    return columns_of(fetched(session, daily_sums(rows.shape, by, coarse, rows.is_told_apart(by)), values))
