"""What calls can be filtered by, and how the ledger is: from the roll-ups, ten million calls are not counted."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, bindparam, cast, func, literal, select, union
from sqlalchemy.orm import Session

from core.usage.columns import CATEGORY, DAILY, EVENT_TAGS, LABEL, PROMPT, SHAPES
from core.usage.event_batch import as_date
from core.usage.explore.rolled_rows import REAL
from core.usage.explore.seeks import kept_values, sources_with_calls, users_with_calls
from core.usage.explore.types import Dimension, LedgerHealth
from core.usage.explore.waiting import Waiting, all_waiting
from core.usage.facets import ERROR, STATUS
from core.usage.shapes import HOURS, MONTH
from core.usage.tables import ALL_SOURCES, ALL_USERS, LedgerState
from core.usage.types import CallStatus, Source

_FACETS = (STATUS, ERROR, CATEGORY, PROMPT, LABEL)


def read_values(session: Session, scope: int | None, sample: bool) -> Mapping[Dimension, Sequence[str]]:
    """The values that calls have, in order; "" (none) is no value."""
    user = ALL_USERS if scope is None else scope
    source = Source.SAMPLE.value if sample else ALL_SOURCES
    mine = (DAILY.c.user_id == user, DAILY.c.source == source)
    pairs: list[Any] = list(session.execute(select(DAILY.c.provider, DAILY.c.model).where(*mine).distinct()))
    found: dict[Dimension, Sequence[str]] = {
        Dimension.PROVIDER: sorted({provider for provider, _ in pairs}),
        Dimension.MODEL: sorted(f"{provider}/{model}" for provider, model in pairs),
        Dimension.SOURCE: sources_with_calls(session, user, (source,) if sample else tuple(sorted(REAL))),
        Dimension.USER: read_users(session, scope, sample),
    }
    kept = select(kept_values(_FACETS))
    values: set[Any] = {*session.execute(kept, {"kept_user": user, "kept_source": source})}
    values |= {*session.execute(_waiting(sample, scope is None), {"user": user})}
    if pairs:
        # Nearly all are, and it is not kept which.
        values.add((STATUS, CallStatus.COMPLETED.value))
    for facet in _FACETS:
        found[Dimension(facet)] = sorted({value for of, value in values if of == facet and value})
    return found


def read_users(session: Session, scope: int | None, sample: bool) -> Sequence[str]:
    """Whose calls there are."""
    source = Source.SAMPLE.value if sample else ALL_SOURCES
    if scope is None:
        return [str(user) for user in users_with_calls(session, source)]
    return [str(scope)] if sources_with_calls(session, scope, (source,)) else []


@lru_cache
def _waiting(sample: bool, of_all: bool) -> Any:
    """Facets and values of the calls that wait to be folded; without `of_all` those of `user`, which is bound."""
    calls, c = all_waiting(), all_waiting().c
    is_sample = c.source == Source.SAMPLE.value
    asked = is_sample if sample else ~is_sample
    if not of_all:
        asked &= c.user_id == bindparam("user")
    tags = EVENT_TAGS.c.event_id == c.id
    return union(
        select(literal(STATUS), c.status).where(asked),
        select(literal(ERROR), c.error_kind).where(asked),
        select(EVENT_TAGS.c.facet, EVENT_TAGS.c.value).select_from(calls).join(EVENT_TAGS, tags).where(asked),
    )


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
