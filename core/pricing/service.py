"""What a call cost, by the dated prices of genai-prices (https://github.com/pydantic/genai-prices)."""

from datetime import UTC, datetime
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from core.pricing.rates import contradiction, price_usage
from core.pricing.types import CallCost, Money
from core.providers.types import ProviderInfo, TokenUsage

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot

CURRENCY = "USD"
"""genai-prices knows US dollars only."""

# Our provider ids -> theirs. Whoever is not here has no published price: a server of the user's own.
_THEIR_ID = {"gemini": "google", "openai": "openai", "anthropic": "anthropic"}


class PriceBook:
    """Looks prices up. Thread-safe; never asks the network and never raises for a call it cannot price."""

    def __init__(self) -> None:
        self._loading = Lock()

    def warm(self) -> None:
        """Load the prices (about 0.2 s), so that the first call does not wait for them."""
        self.cost_at("gemini", "gemini-2.5-pro", TokenUsage(), datetime.now(UTC))

    def cost(self, provider: ProviderInfo, model: str, usage: TokenUsage, at: datetime) -> CallCost:
        """Cost of a call to `model` that was made `at` (UTC when it names no zone).

        Exactly 0 when the provider is free for a stated reason. Unpriced, with the reason as its source,
        when nobody published a price or when `usage` contradicts itself.
        """
        if provider.free_reason is not None:
            return CallCost(Money(0, CURRENCY), f"free: {provider.free_reason}")
        return self.cost_at(provider.id, model, usage, at)

    def cost_at(self, provider_id: str, model: str, usage: TokenUsage, at: datetime) -> CallCost:
        """Like `cost`, for a provider known by its id only; used to price an event again."""
        theirs = _THEIR_ID.get(provider_id)
        if theirs is None:
            return _unpriced(f"no published prices for {provider_id}")
        if fault := contradiction(usage):
            return _unpriced(fault)
        reference = model.strip().removeprefix("models/")
        try:
            _, found = self._prices().find_provider_model(reference, None, theirs, None)
        except LookupError:
            return _unpriced(f"{_edition()} does not know {theirs}/{reference}")
        try:
            nano = price_usage(found.get_prices(at), usage)
        except (ValueError, ArithmeticError) as error:
            return _unpriced(f"{_edition()}: {error}")
        return CallCost(Money(nano, CURRENCY), f"{_edition()} · {theirs}/{found.id}")

    def _prices(self) -> "DataSnapshot":
        with self._loading:
            from genai_prices.data_snapshot import get_snapshot

            return get_snapshot()


def _unpriced(reason: str) -> CallCost:
    return CallCost(None, f"unpriced: {reason}")


@lru_cache
def _edition() -> str:
    from genai_prices import __version__

    return f"genai-prices {__version__}"
