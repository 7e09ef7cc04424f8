"""Prices of models that genai-prices lacks, each with its date and its source.

GigaChat is sold in packages of tokens, in roubles; an input token costs what an output token does, and
cached (`precached`) tokens are not billed. Published figures disagree, so all of these are unverified: an own
price, entered in the settings, stands above them.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from core.pricing.overrides import model_key
from core.pricing.types import NANO, Price, PriceEntry

GIGACHAT = "gigachat"
_SOURCE = "developers.sber.ru, GigaChat API tariffs for individuals"


@dataclass(frozen=True, slots=True)
class _Package:
    """From `since` on, `tokens` tokens of `model` cost `roubles`. `read_on`: when the figure was looked up."""

    model: str
    since: date
    roubles: int
    tokens: int
    read_on: date = date(2026, 11, 21)


# The price list of 2025 and the one of 2026, which was first seen in February. By model, the oldest first.
_PACKAGES = (
    _Package("GigaChat-2", date(2025, 3, 1), 1_000, 5_000_000),
    _Package("GigaChat-2", date(2026, 2, 1), 1_300, 20_000_000),
    _Package("GigaChat-2-Pro", date(2025, 3, 1), 1_500, 1_000_000),
    _Package("GigaChat-2-Pro", date(2026, 2, 1), 1_500, 3_000_000),
    _Package("GigaChat-2-Max", date(2025, 3, 1), 1_950, 1_000_000),
    _Package("GigaChat-2-Max", date(2026, 2, 1), 1_950, 3_000_000),
)
# Their first generation is answered, and billed, by the second.
_ALIASES = {
    "gigachat": "gigachat-2",
    "gigachat-lite": "gigachat-2",
    "gigachat-2-lite": "gigachat-2",
    "gigachat-pro": "gigachat-2-pro",
    "gigachat-max": "gigachat-2-max",
}
_CONTEXT_SIZE = 128_000


def own_entry(provider_id: str, model: str, at: datetime) -> PriceEntry | None:
    """The line of `model` at the prices of `at` (UTC when it names no zone); None when we have none."""
    if provider_id != GIGACHAT:
        return None
    # `GigaChat-2:2.0.28.2` and `GigaChat:latest` name a version.
    key = model_key(model).partition(":")[0]
    key = _ALIASES.get(key, key)
    day = (at if at.tzinfo is None else at.astimezone(UTC)).date()
    found = [package for package in _PACKAGES if model_key(package.model) == key and package.since <= day]
    return _entry(model, found[-1]) if found else None


def own_entries(provider_id: str, at: datetime) -> tuple[PriceEntry, ...]:
    """Every model of a provider that is priced here."""
    models = dict.fromkeys(package.model for package in _PACKAGES)
    entries = (own_entry(provider_id, model, at) for model in models)
    return tuple(entry for entry in entries if entry is not None)


def _entry(model: str, package: _Package) -> PriceEntry:
    # Whole for every package above: a million divides their tokens, or their tokens divide it.
    nano = package.roubles * NANO * 10**6 // package.tokens
    return PriceEntry(
        provider=GIGACHAT,
        model=model,
        price=Price("RUB", input_nano=nano, output_nano=nano, cached_input_nano=0),
        tiered=False,
        context_size=_CONTEXT_SIZE,
        source=f"unverified: {_SOURCE}",
        source_date=package.read_on,
        verified=False,
        is_own=False,
        valid_from=datetime.combine(package.since, time(), UTC),
    )
