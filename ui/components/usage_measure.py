"""What a chart of usage measures, and how things of the ledger are called."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from core.errors import AppError
from core.i18n import N_
from core.usage.explore.types import Group, Measures, Timing
from ui import format as fmt
from ui.components.usage_asked import Kind
from ui.door import Viewer

_NAMES = {
    "gemini": "Gemini",
    "gigachat": "GigaChat",
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "local": "Local",
}
DEMO = "demo"
KINDS = {
    Kind.TOKENS: N_("Tokens"),
    Kind.COST: N_("Cost"),
    Kind.REQUESTS: N_("Requests"),
    Kind.ERRORS: N_("Errors"),
    Kind.SAVED: N_("Saved by the cache"),
    Kind.INPUT: N_("Input tokens"),
    Kind.CACHED: N_("Cached input tokens"),
    Kind.OUTPUT: N_("Output tokens"),
    Kind.REASONING: N_("Reasoning tokens"),
    Kind.SPEED: N_("Tokens per second"),
    Kind.LATENCY_P50: N_("Latency, p50"),
    Kind.LATENCY: N_("Latency, p95"),
    Kind.LATENCY_P99: N_("Latency, p99"),
    Kind.FIRST_P50: N_("First token, p50"),
    Kind.FIRST: N_("First token, p95"),
    Kind.FIRST_P99: N_("First token, p99"),
}
_MONEY = (Kind.COST, Kind.SAVED)
# Of which histogram, and which percentile of it.
_PERCENTILES = {
    Kind.LATENCY_P50: ("latency", "p50"),
    Kind.LATENCY: ("latency", "p95"),
    Kind.LATENCY_P99: ("latency", "p99"),
    Kind.FIRST_P50: ("first_token", "p50"),
    Kind.FIRST: ("first_token", "p95"),
    Kind.FIRST_P99: ("first_token", "p99"),
}
_COUNTS = {
    Kind.TOKENS: "tokens",
    Kind.REQUESTS: "requests",
    Kind.ERRORS: "errors",
    Kind.INPUT: "input_tokens",
    Kind.CACHED: "cached_input_tokens",
    Kind.OUTPUT: "output_tokens",
    Kind.REASONING: "reasoning_tokens",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of calls, in whole numbers: nano-units of one currency (amounts of two are never added), tenths of
    a token a second, milliseconds, or a count."""

    kind: Kind
    currency: str
    language: str

    @property
    def adds_up(self) -> bool:
        """Whether the groups of a period add up to it."""
        return self.kind is not Kind.SPEED and not self.is_percentile

    @property
    def is_percentile(self) -> bool:
        """Whether it is no sum, so that periods have to be asked for on their own."""
        return self.kind in _PERCENTILES

    def of(self, measures: Measures) -> int:
        """The value; 0 for what is unpriced, was not timed, or is a percentile."""
        if self.kind is Kind.COST:
            return measures.costs.get(self.currency, 0)
        if self.kind is Kind.SAVED:
            return measures.saved.get(self.currency, 0)
        if self.kind is Kind.SPEED:
            return round((measures.tokens_per_second or 0) * 10)
        return getattr(measures, _COUNTS[self.kind]) if self.kind in _COUNTS else 0

    def of_group(self, group: Group) -> int:
        """The value of all calls of a group, percentiles too."""
        return self.of_timing(group) if self.is_percentile else self.of(group.total)

    def of_timing(self, timed: Group | Timing) -> int:
        """A percentile; 0 for what was not timed."""
        histogram, percentile = _PERCENTILES[self.kind]
        return round(getattr(getattr(timed, histogram), percentile) or 0)

    def exact(self, value: int) -> str:
        """A value to read off: every token, or an amount of money."""
        return fmt.exact(value, self.language) if self.kind in _COUNTS else self.short(value)

    def short(self, value: int) -> str:
        """A value to grasp: 12.3 k tokens, or an amount of money."""
        if self.kind in _MONEY:
            return fmt.money(value, self.currency, self.language)
        if self.kind in _PERCENTILES:
            return fmt.duration(value, self.language)
        if self.kind is Kind.SPEED:
            return fmt.tenths(value, self.language)
        return fmt.count(value, self.language)


class Priced(Protocol):
    """Sums over calls, whichever query they come from."""

    @property
    def requests(self) -> int: ...

    @property
    def costs(self) -> Mapping[str, int]: ...


def provider_name(viewer: Viewer, provider: str) -> str:
    """What a provider is called; the demo says what it is wherever it is named."""
    _ = viewer.tr.text
    if provider == DEMO:
        return _("Demo (offline demo, not a model)")
    if provider in _NAMES:
        return _NAMES[provider]
    try:
        return viewer.services.registry.info(provider).label
    except AppError:
        # A server that has been deleted since.
        return provider


def model_name(viewer: Viewer, provider: str, model: str) -> str:
    """What a model is called in a chart."""
    return provider_name(viewer, provider) if provider == DEMO else model


def cost_text(viewer: Viewer, totals: Priced) -> str:
    """Each currency's sum side by side; "unpriced" when no call had a price, "—" when there was no call."""
    _ = viewer.tr.text
    if totals.costs:
        return money_text(viewer, totals.costs)
    return _("unpriced") if totals.requests else "—"


def money_text(viewer: Viewer, amounts: Mapping[str, int]) -> str:
    """Amounts (nano-units by currency) side by side; "—" when there is none."""
    language = viewer.tr.language
    return " + ".join(fmt.money(amounts[name], name, language) for name in in_order(viewer, amounts)) or "—"


def in_order(viewer: Viewer, currencies: Iterable[str]) -> list[str]:
    """Currencies as they stand beside each other: the workspace's own first."""
    own = viewer.services.settings.currency
    return sorted(currencies, key=lambda name: (name != own, name))
