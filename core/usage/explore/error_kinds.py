"""Why calls failed: how many by kind of error, from an index on the roll-ups that holds nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, cast, func, literal, select
from sqlalchemy.orm import Session

from core.usage.columns import EVENTS, FACETS, sums_over
from core.usage.explore.conditions import conditions, value_of
from core.usage.explore.rolled_facets import KEPT
from core.usage.explore.rolled_rows import under
from core.usage.explore.seeks import kept_values
from core.usage.explore.statements import Shape, within
from core.usage.explore.types import Dimension, Selection
from core.usage.explore.waiting import Waiting
from core.usage.facets import ERROR
from core.usage.tables import ALL_SOURCES, ALL_USERS
from core.usage.types import CallStatus, Source

# Only failed calls are asked for: their status tells nothing, and how many told no error is the rest.
_OWN = frozenset({Dimension.STATUS, Dimension.ERROR})


def count_kinds(session: Session, selection: Selection, failed: int, zone: ZoneInfo) -> Mapping[str, int]:
    """How many of a selection's calls failed with which kind of error; "" for those that tell none. `failed`: how many
    there are."""
    if not failed:
        return {}
    others = tuple(each for each in selection.where if each[0] not in _OWN)
    anyhow = replace(selection, where=others)
    is_kept = not {dimension for dimension, _ in others} & KEPT
    waiting = Waiting(session, zone).failures(anyhow) if is_kept else None
    if waiting is None:
        return read_kinds(session, selection)
    found = _kept(session, anyhow)
    for kind, count in waiting.items():
        found[kind] = found.get(kind, 0) + count
    if named := selection.values(Dimension.ERROR):
        found = {kind: count for kind, count in found.items() if kind in named}
    found[""] = failed - sum(found.values())
    return {kind: count for kind, count in found.items() if count}


def read_kinds(session: Session, selection: Selection) -> Mapping[str, int]:
    """The same from the calls; those that failed are found by an index of their own."""
    asked = selection.values(Dimension.STATUS)
    if asked and CallStatus.FAILED not in asked:
        return {}
    others = tuple(each for each in selection.where if each[0] is not Dimension.STATUS)
    failed = replace(selection, where=(*others, (Dimension.STATUS, (CallStatus.FAILED.value,))))
    kind = value_of(EVENTS, Dimension.ERROR)[0].label("kind")
    statement = select(kind, sums_over(EVENTS)["errors"]).where(conditions(EVENTS, failed))
    return _as_counts(session.execute(statement.group_by(kind)).all())


def _kept(session: Session, selection: Selection) -> dict[str, int]:
    rows = under(session, selection, None)
    values = {
        **rows.values(selection.start, selection.end),
        "kept_user": ALL_USERS,
        "kept_source": Source.SAMPLE.value if selection.sample else ALL_SOURCES,
    }
    return _as_counts(session.execute(_counted(rows.shape), values).all())


def _as_counts(rows: Sequence[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in rows}


@lru_cache
def _counted(shape: Shape) -> Any:
    """Each kind of error that anybody's calls had, and how many calls of a selection had it."""
    kinds, calls = kept_values((ERROR,)), FACETS.alias("calls")
    # Word for word as in the partial index, which SQLite uses when it reads its condition again.
    is_error = calls.c.facet == literal(ERROR, literal_execute=True)
    counted = select(cast(func.coalesce(func.sum(calls.c.errors), 0), BigInteger))
    counted = counted.where(within(calls, shape), is_error, calls.c.value == kinds.c.value)
    return select(kinds.c.value, counted.scalar_subquery()).where(kinds.c.value.is_not(None))
