"""The report on any selection, however it is filtered."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.usage import queries
from core.usage.explore.columns import FIGURES
from core.usage.explore.rolled_facets import reading_of
from core.usage.explore.types import Selection
from core.usage.types import UsageReport

# Where a report's figures stand.
_AT = [FIGURES.index(name) for name in (*queries.COUNTS, "cost_nano")]


def read_selected(session: Session, selection: Selection, zone: ZoneInfo) -> UsageReport:
    """The report on a selection, each amount in its own currency: from roll-ups where they know it, else from the
    calls, as the explorer reads it."""
    first = selection.start - (selection.end - selection.start) - timedelta(1)
    earlier = replace(selection, start=first, end=selection.start - timedelta(1))
    rows, before = (_rows(session, each, zone) for each in (selection, earlier))
    return queries.report_of(selection.start, selection.end, rows, before)


def _rows(session: Session, selection: Selection, zone: ZoneInfo) -> list[tuple[Any, ...]]:
    """Its days, models and currencies as rows of a report, in their order."""
    found = reading_of(selection, None, zone).columns(session, selection, None).merged()
    columns: Any = (found.days, found.of_model, found.in_currency, found.figures[:, _AT])
    rows: list[tuple[Any, ...]] = [
        (date.fromordinal(day), *found.models[model], found.currencies[currency], *figures)
        for day, model, currency, figures in zip(*(each.tolist() for each in columns), strict=True)
    ]
    return sorted(rows)
