"""Reads for a what-if: days and models from the roll-ups, less the calls among them that have no price."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, and_, cast, func, select
from sqlalchemy.orm import Session

from core.pricing.types import Money
from core.providers.types import TokenUsage
from core.usage.ledger import DAILY, EVENTS, TOKEN_COLUMNS
from core.usage.tables import ALL_SOURCES, ALL_USERS
from core.usage.types import Source
from core.usage.what_if_types import DayUse, PeriodUse

# Where the tokens begin in a row.
_USED = 7

_Key = tuple[date, str, str, str]
"""Day, provider, model, currency."""

_NAMES = tuple(field.name for field in fields(TokenUsage) if field.name in TOKEN_COLUMNS)


def read_use(session: Session, user_id: int, start: date, end: date, sample: bool) -> PeriodUse:
    """The calls from `start` to `end`, both included. One statement, unless a day has priced and unpriced calls
    to one model: those days are looked up in the calls themselves."""
    counts = [DAILY.c[name] for name in ("requests", "unpriced", "cost_nano", *_NAMES)]
    statement = select(DAILY.c.day, DAILY.c.provider, DAILY.c.model, DAILY.c.currency, *counts).where(
        DAILY.c.user_id == user_id,
        DAILY.c.day.between(start, end),
        DAILY.c.source == (Source.SAMPLE.value if sample else ALL_SOURCES),
    )
    found: Sequence[Any] = session.execute(
        statement.order_by(DAILY.c.day, DAILY.c.provider, DAILY.c.model)
    ).all()
    mixed = sorted({row.day for row in found if 0 < row.unpriced < row.requests})
    unpriced = _unpriced(session, user_id, mixed, sample)
    rows: list[DayUse] = []
    calls = tokens = 0
    for row in found:
        day, provider, model, currency, requests, without, nano = row[:_USED]
        used = row[_USED:]
        gone = (
            used if without == requests else unpriced.get((day, provider, model, currency), [0] * len(used))
        )
        usage = _usage([each - part for each, part in zip(used, gone, strict=True)])
        calls += without
        tokens += _usage(gone).total_tokens
        if without < requests:
            rows.append(DayUse(day, provider, model, requests - without, usage, Money(nano, currency)))
    return PeriodUse(start, end, tuple(rows), calls, tokens)


def _unpriced(
    session: Session, user_id: int, days: Sequence[date], sample: bool
) -> dict[_Key, Sequence[int]]:
    """The tokens of the calls with no price on `days`."""
    if not days:
        return {}
    source = Source.SAMPLE.value if sample else ALL_SOURCES
    users = [user_id]
    if user_id == ALL_USERS:
        # The index of calls begins with the user, so each is named: a day alone would read every call there is.
        with_some = and_(DAILY.c.day.in_(days), DAILY.c.source == source, DAILY.c.unpriced > 0)
        named = select(DAILY.c.user_id).where(with_some, DAILY.c.user_id > ALL_USERS).distinct()
        users = list(session.scalars(named))
    key = (EVENTS.c.day, EVENTS.c.provider, EVENTS.c.model, EVENTS.c.currency)
    # PostgreSQL widens the sum of a BIGINT to NUMERIC, which Python reads as Decimal.
    sums = [cast(func.sum(EVENTS.c[name]), BigInteger) for name in _NAMES]
    statement = select(*key, *sums).where(
        EVENTS.c.user_id.in_(users),
        EVENTS.c.day.in_(days),
        EVENTS.c.cost_nano.is_(None),
        (EVENTS.c.source == Source.SAMPLE.value) == sample,
    )
    rows: Sequence[Any] = session.execute(statement.group_by(*key)).all()
    return {(row[0], row[1], row[2], row[3]): row[4:] for row in rows}


def _usage(counts: Sequence[int]) -> TokenUsage:
    named: dict[str, Any] = dict(zip(_NAMES, counts, strict=True))
    return TokenUsage(**named)
