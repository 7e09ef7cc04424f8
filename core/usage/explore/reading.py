"""Where sums are read from: the calls themselves here, roll-ups in `rolled.py` and `rolled_facets.py`."""

from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.usage.explore import raw
from core.usage.explore.columns import Columns, columns_of
from core.usage.explore.raw import Latencies, Shapes
from core.usage.explore.types import Dimension, Selection

Names = tuple[str, ...] | None


class Reading(Protocol):
    """The sums of a selection. `slow`: it reads the calls themselves."""

    slow: bool

    def columns(
        self, session: Session, selection: Selection, by: Dimension | None, coarse: bool = False
    ) -> Columns:
        """Sums by day, group, currency and model; without `by` the group is "". `coarse`: models need not be told
        apart, because nothing is converted."""
        ...

    def latencies(
        self, session: Session, selection: Selection, by: Dimension | None, only: Names = None
    ) -> dict[str, Latencies]:
        """How long calls took, by group; at least of the groups of `only`, if told."""
        ...

    def shapes(self, session: Session, selection: Selection) -> Shapes:
        """How the calls are spread."""
        ...


class RawReading:
    """Reads the calls themselves: knows every selection."""

    slow = True

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def columns(
        self, session: Session, selection: Selection, by: Dimension | None, coarse: bool = False
    ) -> Columns:
        return columns_of(raw.read_rows(session, selection, by))

    def latencies(
        self, session: Session, selection: Selection, by: Dimension | None, only: Names = None
    ) -> dict[str, Latencies]:
        return raw.read_latencies(session, selection, by)

    def shapes(self, session: Session, selection: Selection) -> Shapes:
        return raw.read_shapes(session, selection, self._zone)
