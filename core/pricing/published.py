"""The dated prices of genai-prices (https://github.com/pydantic/genai-prices): US dollars only, offline."""

from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from core.pricing.rates import contradiction, price_usage
from core.pricing.types import NANO, CallCost, Money, Price, PriceEntry
from core.providers.types import TokenUsage

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice

CURRENCY = "USD"

# Our provider ids -> theirs. Whoever is not here has no published price: a server of the user's own.
_THEIR_ID = {"gemini": "google", "openai": "openai", "anthropic": "anthropic"}

# Our parts of a price -> theirs, US dollars per million tokens.
_PARTS = {
    "input_nano": "input_mtok",
    "output_nano": "output_mtok",
    "cached_input_nano": "cache_read_mtok",
    "cache_write_nano": "cache_write_mtok",
    "input_audio_nano": "input_audio_mtok",
    "output_audio_nano": "output_audio_mtok",
}
_loading = Lock()


def published_cost(provider_id: str, model: str, usage: TokenUsage, at: datetime) -> CallCost:
    """Cost of a call by the published price of `at`; unpriced, with the reason, when there is none."""
    theirs = _THEIR_ID.get(provider_id)
    if theirs is None:
        return unpriced(f"no published prices for {provider_id}")
    if fault := contradiction(usage):
        return unpriced(fault)
    found = _find(theirs, model)
    if found is None:
        return unpriced(f"{edition()} does not know {theirs}/{_reference(model)}")
    try:
        nano = price_usage(found.get_prices(at), usage)
    except (ValueError, ArithmeticError) as error:
        return unpriced(f"{edition()}: {error}")
    return CallCost(Money(nano, CURRENCY), f"{edition()} · {theirs}/{found.id}")


def published_entry(provider_id: str, model: str, at: datetime) -> PriceEntry | None:
    """The catalogue line of `model`, named as it was asked for; None when nobody published one."""
    theirs = _THEIR_ID.get(provider_id)
    found = _find(theirs, model) if theirs else None
    return _entry(provider_id, model, found, at) if found else None


def published_entries(provider_id: str, at: datetime) -> tuple[PriceEntry, ...]:
    """Every model of a provider that is priced by the token."""
    theirs = _THEIR_ID.get(provider_id)
    if theirs is None:
        return ()
    models = next(provider.models for provider in _prices().providers if provider.id == theirs)
    entries = (_entry(provider_id, model.id, model, at) for model in models)
    return tuple(entry for entry in entries if entry.price is not None)


def published_tiers(provider_id: str, model: str, at: datetime) -> tuple[tuple[int, Price], ...]:
    """The prices of `model` by the length of a prompt: each holds for more input tokens than its number says.

    The first begins at 0; more than one only for a tiered model. Empty when nobody published a price.
    """
    theirs = _THEIR_ID.get(provider_id)
    found = _find(theirs, model) if theirs else None
    if found is None:
        return ()
    prices = found.get_prices(at)
    parts: dict[str, Any] = {ours: getattr(prices, name) for ours, name in _PARTS.items()}
    starts = {tier.start for part in parts.values() for tier in getattr(part, "tiers", ())}
    tiers = [(start, _price(parts, start)) for start in (0, *sorted(starts))]
    return tuple((start, price) for start, price in tiers if price is not None)


def unpriced(reason: str) -> CallCost:
    """A cost nobody can tell, and why."""
    return CallCost(None, f"unpriced: {reason}")


@lru_cache
def edition() -> str:
    """`genai-prices` with its version."""
    from genai_prices import __version__

    return f"genai-prices {__version__}"


def _entry(provider_id: str, model: str, found: "ModelInfo", at: datetime) -> PriceEntry:
    prices = found.get_prices(at)
    theirs: dict[str, Any] = {ours: getattr(prices, name) for ours, name in _PARTS.items()}
    since = _since(found, prices)
    return PriceEntry(
        provider=provider_id,
        model=model,
        price=_price(theirs),
        tiered=any(hasattr(price, "tiers") for price in theirs.values()),
        context_size=found.context_window,
        source=edition(),
        # The data carries no day on which a price was checked.
        source_date=None,
        verified=True,
        is_own=False,
        valid_from=datetime.combine(since, time(), UTC) if since else None,
        description=" ".join((found.description or "").split()) or None,
    )


def _price(theirs: dict[str, Any], beyond: int = 0) -> Price | None:
    """The tier of prompts longer than `beyond` tokens; None for a model that is not priced by the token."""
    nano = {ours: None if price is None else _nano(price, beyond) for ours, price in theirs.items()}
    if nano["input_nano"] is None and nano["output_nano"] is None:
        return None
    # A model that only reads (embeddings) has no output to charge for.
    read, written = nano.pop("input_nano") or 0, nano.pop("output_nano") or 0
    return Price(CURRENCY, read, written, **nano)


def _nano(price: Any, beyond: int) -> int:
    tier: Decimal = getattr(price, "base", price)
    for each in getattr(price, "tiers", ()):
        tier = each.price if beyond >= each.start else tier
    return int((tier * NANO).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def _since(found: "ModelInfo", prices: "ModelPrice") -> date | None:
    """From which day `prices` holds, where they say so."""
    from genai_prices.types import StartDateConstraint

    dated = found.prices if isinstance(found.prices, list) else []
    constraint = next((each.constraint for each in dated if each.prices is prices), None)
    return constraint.start_date if isinstance(constraint, StartDateConstraint) else None


def _find(theirs: str, model: str) -> "ModelInfo | None":
    return _find_by_reference(theirs, _reference(model))


# genai-prices remembers what it found, but looks through all of its models again for what it did not.
@lru_cache(maxsize=4_096)
def _find_by_reference(theirs: str, reference: str) -> "ModelInfo | None":
    try:
        return _prices().find_provider_model(reference, None, theirs, None)[1]
    except LookupError:
        return None


def _reference(model: str) -> str:
    return model.strip().removeprefix("models/")


def _prices() -> "DataSnapshot":
    with _loading:
        from genai_prices.data_snapshot import get_snapshot

        return get_snapshot()
