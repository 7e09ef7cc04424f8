"""Sums by one facet (status, error, category, prompt, label or thread), from `usage_facets`.

What most calls have is not kept there: completed calls, and those without an error, tag or thread, are the
difference between all calls and those kept. It is taken before anything is added up, model by model and day by day.
"""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, literal, select
from sqlalchemy.orm import Session

from core.usage.columns import FACETS
from core.usage.explore import raw
from core.usage.explore.columns import Columns, columns_of, together
from core.usage.explore.finished import FinishedReading, of_any_status, with_completed
from core.usage.explore.raw import Latencies, Shapes
from core.usage.explore.reading import Names, RawReading, Reading
from core.usage.explore.rolled import RolledReading, folded_latencies, latencies_of
from core.usage.explore.rolled_rows import fetched, under
from core.usage.explore.statements import group_of, sums, within
from core.usage.explore.types import Dimension, Selection
from core.usage.explore.waiting import Waiting
from core.usage.facets import ANY
from core.usage.types import CallStatus

KEPT = frozenset(
    {
        Dimension.STATUS,
        Dimension.ERROR,
        Dimension.CATEGORY,
        Dimension.PROMPT,
        Dimension.LABEL,
        Dimension.THREAD,
    }
)


def facet_of(selection: Selection, by: Dimension | None) -> tuple[Dimension | None, bool]:
    """The facet that a question is about, if any; and whether roll-ups know the answer."""
    asked = {dimension for dimension, _ in selection.where} & KEPT
    facets = [*asked, by] if by in KEPT and by not in asked else [*asked]
    if len(facets) > 1:
        return None, False
    facet = facets[0] if facets else None
    if facet is Dimension.LABEL and asked:
        # A call may have two of several labels, and of its others a row of one tells nothing.
        named = [value for value in selection.values(facet) if value]
        return facet, by is not facet and len(named) <= 1
    return facet, True


class FacetReading:
    """Reads `usage_facets`, and the calls that it does not hold yet."""

    slow = False

    def __init__(self, facet: Dimension, zone: ZoneInfo) -> None:
        self._facet = facet
        self._zone = zone
        self._rolled = RolledReading(zone)
        self._is_facet = FACETS.c.facet == literal(facet.value)
        self._rest = CallStatus.COMPLETED.value if facet is Dimension.STATUS else ""

    def columns(
        self, session: Session, selection: Selection, by: Dimension | None, coarse: bool = False
    ) -> Columns:
        named, rest = self._asked(selection, by)
        if not named and not rest:
            return self._rolled.columns(session, selection, by, coarse)
        anybody = self._without(selection)
        pending = Waiting(session, self._zone).calls()
        found: list[Columns] = []
        if named:
            found.append(self._kept(session, anybody, by, self._named(named)))
        if pending is not None:
            found.append(columns_of(raw.read_rows(session, selection, by, pending)))
        if rest:
            found.append(self._others(session, anybody, by, pending))
        return together(found).merged()

    def _others(self, session: Session, anybody: Selection, by: Dimension | None, pending: Any) -> Columns:
        """Everybody's calls, less those that are kept under a value, and less those that wait."""
        others = None if by is self._facet else by
        taken = [self._kept(session, anybody, others, self._any())]
        if pending is not None:
            taken.append(columns_of(raw.read_rows(session, anybody, others, pending)))
        found = self._rolled.columns(session, anybody, others).less(together(taken))
        return found.named(self._rest) if by is self._facet else found

    def latencies(
        self, session: Session, selection: Selection, by: Dimension | None, only: Names = None
    ) -> dict[str, Latencies]:
        named, rest = self._asked(selection, by)
        if not named and not rest:
            return self._rolled.latencies(session, selection, by, only)
        anybody = self._without(selection)
        pending = Waiting(session, self._zone).calls()
        found: dict[str, Latencies] = {}
        if named:
            wanted = self._named(named)
            if only is not None and by is self._facet:
                wanted = and_(wanted, FACETS.c.value.in_(only))
            found = self._kept_latencies(session, anybody, by, wanted)
        if pending is not None:
            raw.add_latencies(found, raw.read_latencies(session, selection, by, pending))
        if rest and (only is None or by is not self._facet or self._rest in only):
            others = None if by is self._facet else by
            everything = folded_latencies(session, anybody, others)
            raw.add_latencies(everything, self._kept_latencies(session, anybody, others, self._any()), -1)
            if by is self._facet:
                everything = {self._rest: everything.get("", Latencies())}
            raw.add_latencies(found, everything)
        return found

    def shapes(self, session: Session, selection: Selection) -> Shapes:
        raise NotImplementedError("patterns of a facet are read from the calls")

    def _asked(self, selection: Selection, by: Dimension | None) -> tuple[tuple[str, ...] | bool, bool]:
        """The values asked for that are kept (True: all), and whether the rest is asked for."""
        values = selection.values(self._facet)
        if values:
            return tuple(value for value in values if value != self._rest), self._rest in values
        return (True, True) if by is self._facet else (False, False)

    def _named(self, values: tuple[str, ...] | bool) -> ColumnElement[bool]:
        return FACETS.c.value != ANY if isinstance(values, bool) else FACETS.c.value.in_(values)

    def _any(self) -> ColumnElement[bool]:
        """Each call that has a value, once."""
        return FACETS.c.value == ANY if self._facet is Dimension.LABEL else FACETS.c.value != ANY

    def _without(self, selection: Selection) -> Selection:
        others = tuple(each for each in selection.where if each[0] is not self._facet)
        return replace(selection, where=others)

    def _group(self, by: Dimension | None) -> ColumnElement[str]:
        return FACETS.c.value if by is self._facet else group_of(FACETS, by)

    def _kept(
        self, session: Session, selection: Selection, by: Dimension | None, wanted: ColumnElement[bool]
    ) -> Columns:
        rows = under(session, selection, by)
        condition = and_(within(FACETS, rows.shape), self._is_facet, wanted)
        values = rows.values(selection.start, selection.end)
        # As they are stored: they are added up with what else there is, and a database would sort them first.
        statement = sums(FACETS, condition, self._group(by), is_told_apart=True)
        return columns_of(fetched(session, statement, values))

    def _kept_latencies(
        self, session: Session, selection: Selection, by: Dimension | None, wanted: ColumnElement[bool]
    ) -> dict[str, Latencies]:
        rows = under(session, selection, by)
        group = self._group(by).label("grouped")
        statement = select(group, FACETS.c.latency, FACETS.c.first_token)
        statement = statement.where(within(FACETS, rows.shape), self._is_facet, wanted)
        return latencies_of(fetched(session, statement, rows.values(selection.start, selection.end)))


def reading_of(selection: Selection, by: Dimension | None, zone: ZoneInfo) -> Reading:
    """Where a question is answered from: roll-ups where they know the answer, else the calls."""
    facet, is_known = facet_of(selection, by)
    if is_known:
        return RolledReading(zone) if facet is None else FacetReading(facet, zone)
    if with_completed(selection, by):
        whole = reading_of(of_any_status(selection), by, zone)
        if not whole.slow:
            return FinishedReading(whole)
    return RawReading(zone)
