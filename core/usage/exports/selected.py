"""The report on any selection, however it is filtered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.usage import queries
from core.usage.event_batch import as_date
from core.usage.explore.assemble import COST, COUNTS, CURRENCY, DAY, REQUESTS
from core.usage.explore.rolled_facets import reading_of
from core.usage.explore.types import Selection
from core.usage.types import UsageReport

_AT = {name: REQUESTS + place for place, name in enumerate(COUNTS)}


def read_selected(session: Session, selection: Selection, zone: ZoneInfo) -> UsageReport:
    """The report on a selection, each amount in its own currency: from roll-ups where they know it, else from the
    calls, as the explorer reads it."""
    first = selection.start - (selection.end - selection.start) - timedelta(1)
    earlier = replace(selection, start=first, end=selection.start - timedelta(1))
    rows, before = (_rows(session, each, zone) for each in (selection, earlier))
    return queries.report_of(selection.start, selection.end, rows, before)


def _rows(session: Session, selection: Selection, zone: ZoneInfo) -> list[tuple[Any, ...]]:
    found = reading_of(selection, None, zone).rows(session, selection, None)
    return sorted(_as_row(row) for row in found)


def _as_row(row: Sequence[Any]) -> tuple[Any, ...]:
    """The explorer's row of a day, model and currency as one of a report."""
    provider, model = row[-2:]
    counts = (row[_AT[name]] for name in queries.COUNTS)
    return (as_date(row[DAY]), provider, model, row[CURRENCY], *counts, row[COST])
