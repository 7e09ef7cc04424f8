"""What is asked of a what-if, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.pricing.types import Money, Price
from core.providers.types import TokenUsage


@dataclass(frozen=True, slots=True)
class Target:
    """A model to price the period on. `reasons`: whether it thinks before it answers; None: nobody said,
    and then both is allowed for, unless the ledger holds reasoning tokens of it."""

    provider: str
    model: str
    reasons: bool | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Something paid by the month instead."""

    name: str
    monthly: Money


@dataclass(frozen=True, slots=True)
class DayUse:
    """The priced calls of one day to one model, added up; `cost` is what they did cost."""

    day: date
    provider: str
    model: str
    requests: int
    usage: TokenUsage
    cost: Money


@dataclass(frozen=True, slots=True)
class PeriodUse:
    """What is re-priced. Calls with no known price are left out on both sides: `left_out_calls` with
    `left_out_tokens`."""

    start: date
    end: date
    rows: tuple[DayUse, ...]
    left_out_calls: int
    left_out_tokens: int


@dataclass(frozen=True, slots=True)
class PricedTarget:
    """A target with its prices by the length of a prompt (see PriceBook.tiers); empty: unpriced."""

    target: Target
    tiers: tuple[tuple[int, Price], ...]
    source: str
    verified: bool


class RowKind(StrEnum):
    ACTUAL = "actual"
    MODEL = "model"
    SUBSCRIPTION = "subscription"


class Assumption(StrEnum):
    """Why a bound is where it is; a row names those that moved one of its bounds."""

    TOKENIZER = "tokenizer"
    CACHE = "cache"
    REASONING = "reasoning"
    TIERS = "tiers"


@dataclass(frozen=True, slots=True)
class WhatIfRow:
    """What the period would have cost: between `low` and `high`, both None when there is no price.

    One amount twice for what is exact: the actual cost, a subscription, the same model at a plain price. `provider`
    and `model` are set for a model, `label` is a subscription's name. `source` says where the price comes from.
    """

    kind: RowKind
    low: Money | None
    high: Money | None
    provider: str = ""
    model: str = ""
    label: str = ""
    source: str = ""
    verified: bool = True
    assumptions: frozenset[Assumption] = frozenset()


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The ranked table: cheapest first by the middle of the range, then what is in another currency for want
    of a rate, then what has no price.

    Calls without a known price are in no row (`left_out_*`), and neither are those paid in a currency without an
    exchange rate: `unconverted_calls`, which cost `unconverted`, nano-units by currency. The actual cost was paid at
    the prices, and is converted at the rates, of its days; everything else is at the prices and rates of
    `priced_on`.
    """

    start: date
    end: date
    priced_on: date
    currency: str
    calls: int
    tokens: int
    left_out_calls: int
    left_out_tokens: int
    unconverted: Mapping[str, int]
    unconverted_calls: int
    rows: tuple[WhatIfRow, ...]

    @property
    def actual(self) -> WhatIfRow:
        """What was paid."""
        return next(row for row in self.rows if row.kind is RowKind.ACTUAL)

    def difference(self, row: WhatIfRow) -> tuple[Money, Money] | None:
        """How much more `row` would have cost, at its low and its high end; below 0 is less. None where there
        is nothing to compare: no price, or another currency."""
        paid = self.actual
        if row.low is None or row.high is None or paid.low is None:
            return None
        if row.low.currency != paid.low.currency:
            return None
        low, high = (Money(end.nano - paid.low.nano, end.currency) for end in (row.low, row.high))
        return low, high
