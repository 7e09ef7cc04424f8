"""Reads for a what-if: days and models from the roll-ups, less the calls among them that have no price."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from core.pricing.types import Money
from core.providers.types import TokenUsage
from core.usage.columns import DAILY, EVENTS, TOKEN_COLUMNS
from core.usage.days import in_days
from core.usage.explore.types import Selection
from core.usage.narrowing import conditions_on_calls, daily_rows, users_of
from core.usage.what_if_types import DayUse, PeriodUse

# Where the unpriced calls stand in a row, and where the tokens begin.
_WITHOUT, _USED = 5, 7

_Key = tuple[date, str, str, str]
"""Day, provider, model, currency."""

_NAMES = tuple(field.name for field in fields(TokenUsage) if field.name in TOKEN_COLUMNS)


def read_use(session: Session, asked: Selection) -> PeriodUse:
    """The calls of a selection. One statement, unless a day has priced and unpriced calls to one model: those days
    are looked up in the calls themselves."""
    counts = [
        cast(func.sum(DAILY.c[name]), BigInteger) for name in ("requests", "unpriced", "cost_nano", *_NAMES)
    ]
    key = (DAILY.c.day, DAILY.c.provider, DAILY.c.model, DAILY.c.currency)
    statement = select(*key, *counts).where(daily_rows(asked)).group_by(*key).order_by(*key)
    found: Sequence[Any] = session.execute(statement).all()
    mixed = sorted({row[0] for row in found if 0 < row[_WITHOUT] < row[_WITHOUT - 1]})
    unpriced = _unpriced(session, asked, mixed)
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
    return PeriodUse(asked.start, asked.end, tuple(rows), calls, tokens)


def _unpriced(session: Session, asked: Selection, days: Sequence[date]) -> dict[_Key, Sequence[int]]:
    """The tokens of the calls with no price on `days`."""
    if not days:
        return {}
    # The index of calls begins with the user, so each is named: a day alone would read every call there is.
    users = [asked.scope] if asked.scope is not None else users_of(session, asked, days)
    key = (EVENTS.c.day, EVENTS.c.provider, EVENTS.c.model, EVENTS.c.currency)
    # PostgreSQL widens the sum of a BIGINT to NUMERIC, which Python reads as Decimal.
    sums = [cast(func.sum(EVENTS.c[name]), BigInteger) for name in _NAMES]
    statement = select(*key, *sums).where(
        EVENTS.c.user_id.in_(users),
        EVENTS.c.day.in_(days),
        in_days(days[0], days[-1]),
        EVENTS.c.cost_nano.is_(None),
        *conditions_on_calls(asked),
    )
    rows: Sequence[Any] = session.execute(statement.group_by(*key)).all()
    return {(row[0], row[1], row[2], row[3]): row[4:] for row in rows}


def _usage(counts: Sequence[int]) -> TokenUsage:
    named: dict[str, Any] = dict(zip(_NAMES, counts, strict=True))
    return TokenUsage(**named)
