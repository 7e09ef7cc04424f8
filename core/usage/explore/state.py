"""What calls can be filtered by, and how the ledger is: from the roll-ups, ten million calls are not counted."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from core.usage.columns import DAILY, FACETS, SHAPES
from core.usage.event_batch import as_date
from core.usage.explore.conditions import TAGS, value_of
from core.usage.explore.rolled_rows import REAL, users_of
from core.usage.explore.types import Dimension, LedgerHealth
from core.usage.explore.waiting import Waiting
from core.usage.shapes import HOURS, MONTH
from core.usage.tables import ALL_SOURCES, ALL_USERS, LedgerState
from core.usage.types import CallStatus, Source

_OF_FACETS = (Dimension.STATUS, Dimension.ERROR, *sorted(TAGS))


def read_values(
    session: Session, zone: ZoneInfo, scope: int | None, sample: bool
) -> Mapping[Dimension, Sequence[str]]:
    """The values that calls have, in order; "" (none) is no value."""
    user = ALL_USERS if scope is None else scope
    source = Source.SAMPLE.value if sample else ALL_SOURCES
    mine = (DAILY.c.user_id == user, DAILY.c.source == source)
    pairs: list[Any] = list(session.execute(select(DAILY.c.provider, DAILY.c.model).where(*mine).distinct()))
    users = users_of(session) if scope is None else (scope,)
    found: dict[Dimension, Sequence[str]] = {
        Dimension.PROVIDER: sorted({provider for provider, _ in pairs}),
        Dimension.MODEL: sorted(f"{provider}/{model}" for provider, model in pairs),
        Dimension.SOURCE: [
            name
            for name in ((Source.SAMPLE.value,) if sample else sorted(REAL))
            if _has_calls(session, user, name)
        ],
        Dimension.USER: [str(each) for each in users if _has_calls(session, each, source)],
    }
    pending = Waiting(session, zone).calls()
    for dimension in _OF_FACETS:
        kept = select(FACETS.c.value).where(
            FACETS.c.user_id == user, FACETS.c.source == source, FACETS.c.facet == dimension.value
        )
        values = set(session.execute(kept.distinct()).scalars())
        if pending is not None:
            value, origin = value_of(pending, dimension)
            waiting = (
                select(value).select_from(origin).where((pending.c.source == Source.SAMPLE.value) == sample)
            )
            if scope is not None:
                waiting = waiting.where(pending.c.user_id == scope)
            values |= set(session.execute(waiting.distinct()).scalars())
        found[dimension] = sorted(values - {""})
    if pairs:
        # Nearly all are, and it is not kept which.
        found[Dimension.STATUS] = sorted({*found[Dimension.STATUS], CallStatus.COMPLETED.value})
    return found


def _has_calls(session: Session, user: int, source: str) -> bool:
    statement = select(DAILY.c.user_id).where(DAILY.c.user_id == user, DAILY.c.source == source).limit(1)
    return session.execute(statement).first() is not None


def read_health(session: Session, zone: ZoneInfo) -> LedgerHealth:
    """How many calls there are, and how many of them the finer roll-ups show, themselves or with those that wait."""
    figures = (cast(func.sum(DAILY.c.requests), BigInteger), func.min(DAILY.c.day), func.max(DAILY.c.day))
    # One row stands for all real sources and one for sample data.
    both = (ALL_SOURCES, Source.SAMPLE.value)
    statement = select(*figures).where(DAILY.c.user_id == ALL_USERS, DAILY.c.source.in_(both))
    events, first, last = session.execute(statement).one()
    of_months = select(SHAPES.c.hours).where(
        SHAPES.c.user_id == ALL_USERS, SHAPES.c.source.in_(both), SHAPES.c.span == MONTH
    )
    shown = int(HOURS.unpack(list(session.execute(of_months).scalars())).values[:, 0].sum())
    pending = Waiting(session, zone).calls()
    if pending is not None:
        shown += int(session.execute(select(func.coalesce(func.sum(pending.c.requests), 0))).scalar_one())
    state = session.get(LedgerState, 1)
    return LedgerHealth(
        events=events or 0,
        lag=(events or 0) - shown,
        first_day=as_date(first) if first else None,
        last_day=as_date(last) if last else None,
        timezone=state.timezone if state is not None else zone.key,
        rebuilt_at=state.rebuilt_at if state is not None else None,
    )
