"""The summary of usage: this month, the last 30 days, all time, and what a subscription would have cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from core.pricing.types import Money
from core.usage.types import Totals

LAST_DAYS = 30
"""Today and the 29 days before it."""


@dataclass(frozen=True, slots=True)
class PeriodSummary:
    """Real calls from `start` to `end`, both included; None for all time.

    `cost` is in the workspace's currency. What had no exchange rate is not in it but in `unconverted`,
    nano-units by currency; `unpriced` calls have no known price and are in neither.
    """

    start: date | None
    end: date | None
    requests: int
    tokens: int
    cost: Money
    unconverted: Mapping[str, int]
    unpriced: int


@dataclass(frozen=True, slots=True)
class Savings:
    """`vs_subscription` is what a subscription costs a month less the cost of this month; below 0 when
    paying by the call came dearer."""

    subscription_cost: Money
    vs_subscription: Money


@dataclass(frozen=True, slots=True)
class UsageSummary:
    currency: str
    current_month: PeriodSummary
    last_30_days: PeriodSummary
    all_time: PeriodSummary
    savings: Savings


def month_start(today: date) -> date:
    """The first day of the month `today` is in."""
    return today.replace(day=1)


def last_days_start(today: date) -> date:
    """The first of the last 30 days."""
    return today - timedelta(LAST_DAYS - 1)


def summarize(
    today: date,
    currency: str,
    month: Totals,
    last_days: Totals,
    all_time: Totals,
    subscription: Money,
) -> UsageSummary:
    """The summary from the totals of its periods, already converted to `currency` where that was possible.

    `subscription`: in `currency`, a month.
    """
    current = _period(month_start(today), today, month, currency)
    return UsageSummary(
        currency=currency,
        current_month=current,
        last_30_days=_period(last_days_start(today), today, last_days, currency),
        all_time=_period(None, None, all_time, currency),
        savings=Savings(subscription, Money(subscription.nano - current.cost.nano, currency)),
    )


def _period(start: date | None, end: date | None, totals: Totals, currency: str) -> PeriodSummary:
    others = {name: nano for name, nano in sorted(totals.costs.items()) if name != currency}
    cost = Money(totals.costs.get(currency, 0), currency)
    return PeriodSummary(start, end, totals.requests, totals.tokens, cost, others, totals.unpriced)
