"""Money as an exact integer, and what one call cost."""

from dataclasses import dataclass
from decimal import Decimal

NANO = 10**9
"""Nano-units in one unit of a currency."""


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `nano` billionths of `currency` (ISO 4217), e.g. 103_161_250 USD is $0.10316125."""

    nano: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        """The sum; ValueError for two currencies, because no rate is known here."""
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added")
        return Money(self.nano + other.nano, self.currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in units of the currency, exact for any size."""
        sign, digits, _ = Decimal(self.nano).as_tuple()
        return Decimal((sign, digits, -9))


@dataclass(frozen=True, slots=True)
class CallCost:
    """What a call cost. `amount` None is "unpriced", which is never the same as 0.

    `source` says in English where the price, or its absence, comes from.
    """

    amount: Money | None
    source: str


UNPRICED = CallCost(None, "unpriced: no price was asked for")
"""A call whose price nobody looked up, such as one that failed before it reached the provider."""
