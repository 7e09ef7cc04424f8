"""What a period would have cost on other models or by subscription, ranked, each as a range."""

import calendar
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from core.pricing.overrides import model_key
from core.pricing.rates import half_even
from core.pricing.types import Money
from core.usage.repricing import reprice
from core.usage.what_if_types import DayUse, PeriodUse, PricedTarget, RowKind, Subscription, WhatIf, WhatIfRow

Convert = Callable[[Money, date], Money | None]
"""An amount in the report's currency at the rate of a day; None when no rate is known."""


def what_if(
    use: PeriodUse,
    targets: Sequence[PricedTarget],
    subscriptions: Sequence[Subscription],
    currency: str,
    convert: Convert,
    today: date,
) -> WhatIf:
    """The table; see WhatIf. `convert` gives amounts of `currency`."""
    use, unconverted, unconverted_calls = _comparable(use, convert)
    rows = [_actual(use, currency, convert)]
    rows += [_model(use, _with_evidence(target, use), convert, today) for target in targets]
    for each in subscriptions:
        cost = prorated(each.monthly, use.start, use.end)
        cost = convert(cost, today) or cost
        rows.append(WhatIfRow(RowKind.SUBSCRIPTION, cost, cost, label=each.name))
    return WhatIf(
        start=use.start,
        end=use.end,
        priced_on=today,
        currency=currency,
        calls=sum(row.requests for row in use.rows),
        tokens=sum(row.usage.total_tokens for row in use.rows),
        left_out_calls=use.left_out_calls,
        left_out_tokens=use.left_out_tokens,
        unconverted=unconverted,
        unconverted_calls=unconverted_calls,
        rows=tuple(sorted(rows, key=lambda row: _rank(row, currency))),
    )


def prorated(monthly: Money, start: date, end: date) -> Money:
    """What a monthly price comes to for the days from `start` to `end`: of each month the share of its days."""
    share = Fraction(0)
    day = start
    while day <= end:
        length = calendar.monthrange(day.year, day.month)[1]
        last = min(end, day.replace(day=length))
        share += Fraction((last - day).days + 1, length)
        day = last + timedelta(1)
    return Money(half_even(monthly.nano * share.numerator, share.denominator), monthly.currency)


def _comparable(use: PeriodUse, convert: Convert) -> tuple[PeriodUse, Mapping[str, int], int]:
    """The calls whose cost can be said in the table's currency; what the others cost by currency, and their number.

    Priced on another model those would stand on one side only.
    """
    kept: list[DayUse] = []
    others, calls = dict[str, int](), 0
    for row in use.rows:
        if convert(row.cost, row.day) is None:
            others[row.cost.currency] = others.get(row.cost.currency, 0) + row.cost.nano
            calls += row.requests
        else:
            kept.append(row)
    return replace(use, rows=tuple(kept)), others, calls


def _actual(use: PeriodUse, currency: str, convert: Convert) -> WhatIfRow:
    converted = (convert(row.cost, row.day) for row in use.rows)
    cost = Money(sum(money.nano for money in converted if money is not None), currency)
    return WhatIfRow(RowKind.ACTUAL, cost, cost)


def _model(use: PeriodUse, target: PricedTarget, convert: Convert, today: date) -> WhatIfRow:
    low = high = None
    found = reprice(use.rows, target)
    if found is not None:
        low, high = (Money(nano, target.tiers[0][1].currency) for nano in (found.low, found.high))
        there = convert(low, today), convert(high, today)
        # Both or none: nothing is nothing in every currency, and the other end may have no rate.
        if there[0] is not None and there[1] is not None:
            low, high = there
    return WhatIfRow(
        kind=RowKind.MODEL,
        low=low,
        high=high,
        provider=target.target.provider,
        model=target.target.model,
        source=target.source,
        verified=target.verified,
        assumptions=found.assumptions if found is not None else frozenset(),
    )


def _with_evidence(target: PricedTarget, use: PeriodUse) -> PricedTarget:
    """A model that has thought in this period can; of others the caller has to know."""
    asked = target.target
    if asked.reasons is None and _thought(use, asked.provider, asked.model):
        return replace(target, target=replace(asked, reasons=True))
    return target


def _thought(use: PeriodUse, provider: str, model: str) -> bool:
    return any(
        row.usage.reasoning_tokens > 0
        for row in use.rows
        if row.provider == provider and model_key(row.model) == model_key(model)
    )


def _rank(row: WhatIfRow, currency: str) -> tuple[int, str, int, int, str, str]:
    if row.low is None or row.high is None:
        return (2, "", 0, 0, row.provider, row.model)
    own = row.low.currency != currency
    # What was paid stands above what would have come to the same.
    return (
        int(own),
        row.low.currency,
        row.low.nano + row.high.nano,
        int(row.kind is not RowKind.ACTUAL),
        row.provider or row.label,
        row.model,
    )
