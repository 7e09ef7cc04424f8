"""The calls that wait to be folded: read with the finer roll-ups, which do not hold them yet."""

from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import CTE, func, select
from sqlalchemy.orm import Session

from core.store.unit_of_work import once
from core.usage.columns import EVENTS, PENDING, SUMS
from core.usage.event_batch import EventBatch, batch_statement, read_batch
from core.usage.explore.raw import Latencies
from core.usage.explore.types import Dimension, Selection
from core.usage.shapes import histogram
from core.usage.sparse import dense
from core.usage.types import Source

_FEW = 5_000
_WAITING = EVENTS.c.id.in_(select(PENDING.c.event_id).limit(_FEW + 1))
_DAYS = select(EVENTS.c.day, func.count()).where(_WAITING).group_by(EVENTS.c.day)
_CALLS = {dialect: batch_statement(dialect).where(_WAITING) for dialect in ("sqlite", "postgresql")}


@lru_cache
def all_waiting() -> CTE:
    """All of them, as something to select from in place of all calls."""
    # Found by their ids before anything else is asked of them: the days of a range would find too many.
    waiting = EVENTS.c.id.in_(select(PENDING.c.event_id))
    return select(EVENTS).where(waiting).cte("pending").prefix_with("MATERIALIZED")


class Waiting:
    """The calls that wait, as one snapshot has them: asked for once, however often they are looked at."""

    def __init__(self, session: Session, zone: ZoneInfo) -> None:
        self._session = session
        self._zone = zone

    def days(self) -> set[date] | None:
        """The days in which they lie; None for more calls than anybody wants to read at each look."""
        counted = self._counted()
        return set(counted) if sum(counted.values()) <= _FEW else None

    def latencies(self, selection: Selection, by: Dimension | None) -> dict[str, Latencies] | None:
        """How long those of a selection took that asks for no facet, by group; None for too many calls."""
        batch = self._batch()
        if batch is None:
            return None if self.days() is None else {}
        codes: dict[str, int] = {}
        groups = [_group(key, selection, by) for key in batch.keys]
        owners = [-1 if group is None else codes.setdefault(group, len(codes)) for group in groups]
        of = np.array(owners, np.int64)[batch.of]
        mine = of >= 0
        latency, first_token = (
            dense(histogram(of[mine], measured[mine], 1), len(codes))[:, :, 0]
            for measured in (batch.latency, batch.first_token)
        )
        return {group: Latencies(latency[at], first_token[at]) for group, at in codes.items()}

    def failures(self, selection: Selection) -> dict[str, int] | None:
        """How many of those of a selection that asks for no facet failed, by kind of error, "" left out; None for too
        many calls."""
        batch = self._batch()
        if batch is None:
            return None if self.days() is None else {}
        groups = [_group(key, selection, None) for key in batch.keys]
        errors = batch.sums[:, SUMS.index("errors")]
        found: dict[str, int] = {}
        for at in np.flatnonzero(errors).tolist():
            kind = batch.errors[at]
            if kind and groups[batch.of[at]] is not None:
                found[kind] = found.get(kind, 0) + int(errors[at])
        return found

    def calls(self) -> Any:
        """All of them, as something to select from in place of all calls; None without any."""
        return all_waiting() if self._counted() else None

    def _counted(self) -> dict[date, int]:
        """How many there are by day, as far as they were counted."""
        return once(
            self._session,
            "waiting",
            lambda: {row[0]: row[1] for row in self._session.execute(_DAYS)},
        )

    def _batch(self) -> EventBatch | None:
        """None for none, and for too many."""
        if not self.days():
            return None
        statement = _CALLS[self._session.get_bind().dialect.name]
        return once(self._session, "waiting calls", lambda: read_batch(self._session, statement, self._zone))


def _group(key: tuple[Any, ...], selection: Selection, by: Dimension | None) -> str | None:
    """The group of the calls of a roll-up's key; None when they are not asked for."""
    user, source, day, provider, model, _currency = key
    values = {
        Dimension.USER: str(user),
        Dimension.SOURCE: source,
        Dimension.PROVIDER: provider,
        Dimension.MODEL: f"{provider}/{model}",
    }
    asked = (source == Source.SAMPLE) == selection.sample and selection.start <= day <= selection.end
    asked = asked and selection.scope in (None, user)
    if not asked or any(values[dimension] not in named for dimension, named in selection.where):
        return None
    return values[by] if by is not None else ""
