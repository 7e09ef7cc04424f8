"""What a call cost, and what a model costs: own prices first, then free, then our tables, then genai-prices."""

from dataclasses import replace
from datetime import UTC, datetime

from core.errors import AppError
from core.pricing.overrides import PriceOverrides, model_key
from core.pricing.own_prices import own_entries, own_entry
from core.pricing.published import (
    CURRENCY,
    published_cost,
    published_entries,
    published_entry,
    published_tiers,
    unpriced,
)
from core.pricing.rates import contradiction, price_tokens
from core.pricing.types import FREE, CallCost, Money, Price, PriceEntry
from core.providers.types import ProviderInfo, TokenUsage
from core.store.unit_of_work import UnitOfWork

# In nano-units: more than any call costs, and little enough that the sum of many still fits its column.
_MOST_NANO = 10**16


class PriceBook:
    """Looks prices up. Thread-safe; never asks the network and never raises for a call it cannot price.

    Without a `unit` there are no own prices. `overrides`: the own prices, when they are shared.
    """

    def __init__(self, unit: UnitOfWork | None = None, overrides: PriceOverrides | None = None) -> None:
        self._overrides = overrides or (PriceOverrides(unit) if unit is not None else None)

    def warm(self) -> None:
        """Load the prices (about 0.2 s), so that the first call does not wait for them."""
        self.cost_at("gemini", "gemini-2.5-pro", TokenUsage(), datetime.now(UTC))

    def cost(self, provider: ProviderInfo, model: str, usage: TokenUsage, at: datetime) -> CallCost:
        """Cost of a call to `model` that was made `at` (UTC when it names no zone).

        By the own price that holds then, if there is one. Else exactly 0 when the provider is free for a
        stated reason. Unpriced, with the reason as its source, when nobody published a price or when
        `usage` contradicts itself.
        """
        own = self._own_cost(provider.id, model, usage, at)
        if own is not None:
            return own
        if provider.free_reason is not None:
            return CallCost(Money(0, CURRENCY), f"{FREE}{provider.free_reason}")
        return _published_cost(provider.id, model, usage, at)

    def cost_at(self, provider_id: str, model: str, usage: TokenUsage, at: datetime) -> CallCost:
        """Like `cost`, for a provider known by its id only, of which nobody knows whether it is free."""
        own = self._own_cost(provider_id, model, usage, at)
        return own if own is not None else _published_cost(provider_id, model, usage, at)

    def entry(self, provider: ProviderInfo | str, model: str, at: datetime | None = None) -> PriceEntry:
        """The catalogue line of a model at the prices of `at` (None: now); its price is None when unknown.

        AppError when own prices were never read and cannot be.
        """
        at = at or datetime.now(UTC)
        provider_id = provider if isinstance(provider, str) else provider.id
        listed = own_entry(provider_id, model, at) or published_entry(provider_id, model, at)
        own = self._overrides.find(provider_id, model, at) if self._overrides else None
        context_size = listed.context_size if listed else None
        description = listed.description if listed else None
        if own is not None:
            return replace(own, context_size=context_size, description=description)
        if not isinstance(provider, str) and provider.free_reason is not None:
            source = f"{FREE}{provider.free_reason}"
            free = _entry(provider_id, model, Price(CURRENCY, 0, 0), source, context_size)
            return replace(free, description=description)
        return listed or _entry(provider_id, model, None, "unpriced: no price is known", None)

    def tiers(
        self, provider: ProviderInfo | str, model: str, at: datetime | None = None
    ) -> tuple[tuple[int, Price], ...]:
        """The prices of `entry` by the length of a prompt: each holds for more input tokens than its number says.

        The first begins at 0; empty when the price is unknown. AppError as in `entry`.
        """
        entry = self.entry(provider, model, at)
        if entry.price is None:
            return ()
        if entry.tiered:
            return published_tiers(entry.provider, model, at or datetime.now(UTC))
        return ((0, entry.price),)

    def entries(self, provider_id: str) -> tuple[PriceEntry, ...]:
        """The line of every model that is priced for a provider now, by name; own prices replace others."""
        at = datetime.now(UTC)
        found = {
            model_key(entry.model): entry
            for entry in (*published_entries(provider_id, at), *own_entries(provider_id, at))
        }
        for own in self._overrides.of_provider(provider_id, at) if self._overrides else ():
            found[model_key(own.model)] = self.entry(provider_id, own.model, at)
        return tuple(found[key] for key in sorted(found))

    def _own_cost(self, provider_id: str, model: str, usage: TokenUsage, at: datetime) -> CallCost | None:
        if self._overrides is None:
            return None
        try:
            entry = self._overrides.find(provider_id, model, at)
        except AppError:
            # A published price may be the wrong one: better none, which a re-costing can put right.
            return unpriced("own prices could not be read")
        if entry is None or entry.price is None or entry.valid_from is None:
            return None
        name = f"own price {entry.override_id} from {entry.valid_from:%Y-%m-%d}"
        note = entry.source.removeprefix("own price").removeprefix(": ")
        return _by_tokens(entry.price, usage, f"{name} · {note}" if note else name)


def _published_cost(provider_id: str, model: str, usage: TokenUsage, at: datetime) -> CallCost:
    entry = own_entry(provider_id, model, at)
    if entry is None or entry.price is None:
        return published_cost(provider_id, model, usage, at)
    return _by_tokens(entry.price, usage, f"{entry.source} of {entry.source_date}")


def _by_tokens(price: Price, usage: TokenUsage, source: str) -> CallCost:
    if fault := contradiction(usage):
        return unpriced(fault)
    try:
        nano = price_tokens(price, usage)
    except ValueError as error:
        return unpriced(f"{source}: {error}")
    if nano > _MOST_NANO:
        return unpriced(f"{source}: the cost is absurdly large")
    return CallCost(Money(nano, price.currency), source)


def _entry(
    provider: str, model: str, price: Price | None, source: str, context_size: int | None
) -> PriceEntry:
    return PriceEntry(provider, model, price, False, context_size, source, None, True, False)
