"""Money as an exact integer, what one call cost, and what a model costs."""

from dataclasses import dataclass
from datetime import date, datetime
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


FREE = "free: "
"""How the source of an explicit 0 begins; the reason follows."""

GIVEN = "given: "
"""How the source of a price begins that came with an imported call; where it was imported from follows."""

UNPRICED = CallCost(None, "unpriced: no price was asked for")
"""A call whose price nobody looked up, such as one that failed before it reached the provider."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in nano-units of `currency` per million tokens.

    None: not charged apart, so these tokens cost what the other input or output does. Reasoning is output.
    """

    currency: str
    input_nano: int
    output_nano: int
    cached_input_nano: int | None = None
    cache_write_nano: int | None = None
    input_audio_nano: int | None = None
    output_audio_nano: int | None = None


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """One line of the price catalogue. `price` None: nobody published one.

    `tiered`: long prompts cost more than `price` says. `context_size`: tokens. `source_date`: when the source
    was read, `valid_from`: since when the price holds; None when that is unknown. `is_own`: a person entered it,
    and `override_id` names it. `description`: what the source says the model is for, in English.
    """

    provider: str
    model: str
    price: Price | None
    tiered: bool
    context_size: int | None
    source: str
    source_date: date | None
    verified: bool
    is_own: bool
    override_id: int | None = None
    valid_from: datetime | None = None
    description: str | None = None
