"""What a row costs: what the file says, else our price of its day, else nobody knows."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from core.errors import AppError
from core.pricing.rates import price_tokens
from core.pricing.service import PriceBook
from core.pricing.types import CallCost, Money, Price
from core.providers.types import TokenUsage

Pricer = Callable[[str, str, TokenUsage, datetime], CallCost]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = 3_600 * 10**6
_MOST_NANO = 10**16


class RowPricer:
    """Prices rows that came without a cost.

    A row that stands for many requests is priced by the length of its average one: a long prompt may cost more by the
    token, and a day of short ones is no long prompt.
    """

    def __init__(self, prices: PriceBook) -> None:
        self._prices = prices
        self._tiers = lru_cache(4_000)(self._tiers_at)

    def cost(
        self, provider: str, model: str, usage: TokenUsage, at_us: int, requests: int, *, summed: bool
    ) -> tuple[int | None, str, str]:
        """Nano-units (None: unpriced), currency and source. `at_us`: microseconds since 1970."""
        if not summed:
            cost = self._prices.cost_at(provider, model, usage, _EPOCH + timedelta(microseconds=at_us))
            amount = cost.amount
            return (amount.nano, amount.currency, cost.source) if amount else (None, "USD", cost.source)
        tiers, source = self._tiers(provider, model, at_us // _HOUR)
        if not tiers:
            return None, "USD", source
        average = usage.input_tokens // max(1, requests)
        price = next(price for start, price in reversed(tiers) if average > start or start == 0)
        try:
            nano = price_tokens(price, usage)
        except ValueError as error:
            return None, "USD", f"unpriced: {source}: {error}"
        if nano > _MOST_NANO:
            return None, "USD", f"unpriced: {source}: the cost is absurdly large"
        return nano, price.currency, source

    def _tiers_at(self, provider: str, model: str, hour: int) -> tuple[tuple[tuple[int, Price], ...], str]:
        at = _EPOCH + timedelta(microseconds=hour * _HOUR)
        try:
            entry = self._prices.entry(provider, model, at)
            return self._prices.tiers(provider, model, at), entry.source
        except AppError:
            return (), "unpriced: own prices could not be read"


def given(amount: int | None, currency: str) -> Money | None:
    """An amount as money."""
    return None if amount is None else Money(amount, currency)
