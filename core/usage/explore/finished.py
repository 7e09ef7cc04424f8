"""Completed calls by another facet: all calls less the few that did not complete, which an index finds."""

from dataclasses import replace

from sqlalchemy.orm import Session

from core.usage.explore import raw
from core.usage.explore.columns import Columns, columns_of
from core.usage.explore.raw import Latencies, Shapes
from core.usage.explore.reading import Names, Reading
from core.usage.explore.types import Dimension, Selection
from core.usage.types import CallStatus


def with_completed(selection: Selection, by: Dimension | None) -> bool:
    """Whether completed calls are asked for, alone or with others."""
    return by is not Dimension.STATUS and CallStatus.COMPLETED in selection.values(Dimension.STATUS)


def of_any_status(selection: Selection) -> Selection:
    """The same selection without its statuses."""
    return replace(
        selection, where=tuple(each for each in selection.where if each[0] is not Dimension.STATUS)
    )


class FinishedReading:
    """Reads the calls of any status as `whole` does, and takes those away whose status was not asked for."""

    def __init__(self, whole: Reading) -> None:
        self._whole = whole
        self.slow = whole.slow

    def columns(
        self, session: Session, selection: Selection, by: Dimension | None, coarse: bool = False
    ) -> Columns:
        # Models are told apart on both sides: what is taken away is then a part of what is there.
        whole = self._whole.columns(session, of_any_status(selection), by)
        others = _others(selection)
        return whole.less(columns_of(raw.read_rows(session, others, by))) if others else whole

    def latencies(
        self, session: Session, selection: Selection, by: Dimension | None, only: Names = None
    ) -> dict[str, Latencies]:
        found = self._whole.latencies(session, of_any_status(selection), by, only)
        if others := _others(selection):
            raw.add_latencies(found, raw.read_latencies(session, others, by), -1)
        return found

    def shapes(self, session: Session, selection: Selection) -> Shapes:
        raise NotImplementedError("patterns of a facet are read from the calls")


def _others(selection: Selection) -> Selection | None:
    """The calls of the statuses that were not asked for; None when all were."""
    asked = selection.values(Dimension.STATUS)
    others = tuple(status.value for status in CallStatus if status not in asked)
    if not others:
        return None
    whole = of_any_status(selection)
    return replace(whole, where=(*whole.where, (Dimension.STATUS, others)))
