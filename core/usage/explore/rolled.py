"""Sums from the roll-ups by user, source, day and model: what they cost to read depends on days and models."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from core.usage.explore import raw
from core.usage.explore.columns import Columns
from core.usage.explore.packed import read_columns
from core.usage.explore.raw import HOURS as HOURS_A_WEEK
from core.usage.explore.raw import Latencies, Shapes, add_latencies
from core.usage.explore.reading import Names
from core.usage.explore.rolled_rows import fetched, spans, under
from core.usage.explore.statements import spread
from core.usage.explore.types import Dimension, Selection
from core.usage.explore.waiting import Waiting
from core.usage.shapes import HISTOGRAM, HOURS, LENGTHS
from core.usage.sparse import Layout, sums_by


class RolledReading:
    """Reads `usage_daily`, `usage_months` and `usage_shapes`, and the calls that those do not hold yet. Knows
    selections by anything but facets."""

    slow = False

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def columns(
        self, session: Session, selection: Selection, by: Dimension | None, coarse: bool = False
    ) -> Columns:
        return read_columns(session, selection, by, coarse, Waiting(session, self._zone))

    def waiting_days(self, session: Session) -> set[date] | None:
        """The days of which the finer roll-ups lack calls; None when that takes long to tell."""
        return Waiting(session, self._zone).days()

    def latencies(
        self, session: Session, selection: Selection, by: Dimension | None, only: Names = None
    ) -> dict[str, Latencies]:
        found = folded_latencies(session, selection, by)
        waiting = Waiting(session, self._zone)
        more = waiting.latencies(selection, by)
        add_latencies(
            found, raw.read_latencies(session, selection, by, waiting.calls()) if more is None else more
        )
        return found

    def shapes(self, session: Session, selection: Selection) -> Shapes:
        rows = _shape_rows(
            session, selection, None, ("currency", "latency", "first_token", "hours", "lengths")
        )
        pending = Waiting(session, self._zone).calls()
        shapes = Shapes()
        if pending is not None:
            shapes = raw.read_shapes(session, selection, self._zone, pending)
        if rows:
            _, currencies, latency, first_token, hours, lengths = zip(*rows, strict=True)
            shapes.hours += _total(HOURS, hours)[:HOURS_A_WEEK]
            shapes.latencies.latency += _total(HISTOGRAM, latency)[:, 0]
            shapes.latencies.first_token += _total(HISTOGRAM, first_token)[:, 0]
            _add_lengths(shapes, currencies, lengths)
        return shapes


def folded_latencies(session: Session, selection: Selection, by: Dimension | None) -> dict[str, Latencies]:
    """From `usage_shapes` alone."""
    return latencies_of(_shape_rows(session, selection, by, ("latency", "first_token")))


def latencies_of(rows: list[Any]) -> dict[str, Latencies]:
    """Rows of a group and its two stored histograms, added up by group."""
    if not rows:
        return {}
    groups, latency, first_token = zip(*rows, strict=True)
    codes: dict[str, int] = {}
    owners = np.array([codes.setdefault(group, len(codes)) for group in groups], np.int64)
    latencies, first_tokens = (_by_owner(owners, len(codes), column) for column in (latency, first_token))
    return {group: Latencies(latencies[at], first_tokens[at]) for group, at in codes.items()}


def _by_owner(owners: Any, count: int, stored: Any) -> Any:
    part = HISTOGRAM.unpack(stored)
    code, values = sums_by(owners[part.owner] * 256 + part.slot, part.values)
    found = np.zeros(count * 256, np.int64)
    found[code] = values[:, 0]
    return found.reshape(count, 256)


def _shape_rows(
    session: Session, selection: Selection, by: Dimension | None, columns: tuple[str, ...]
) -> list[Any]:
    rows = under(session, selection, by)
    statement = spread(rows.shape, by, columns)
    found: list[Any] = []
    for span, first, last in spans(selection.start, selection.end):
        found += fetched(session, statement, {**rows.values(first, last), "span": span})
    return found


def _total(layout: Layout, stored: Any) -> Any:
    """All arrays as one, by slot and column."""
    part = layout.unpack(stored)
    slot, values = sums_by(part.slot, part.values)
    found = np.zeros((256, len(layout.columns)), np.int64)
    found[slot] = values
    return found


def _add_lengths(shapes: Shapes, currencies: tuple[str, ...], lengths: tuple[bytes, ...]) -> None:
    for currency in dict.fromkeys(currencies):
        mine = [each for each, own in zip(lengths, currencies, strict=True) if own == currency]
        total = _total(LENGTHS, mine)
        for slot in total[:, 0].nonzero()[0].tolist():
            calls, priced, nano = total[slot].tolist()
            shapes.add_length(slot, calls, priced, currency, nano)
