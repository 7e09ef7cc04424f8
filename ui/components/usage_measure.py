"""What a chart of usage measures, tokens or money, and how things of the ledger are called."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import AppError
from core.usage.types import Totals
from ui import format as fmt
from ui.door import Viewer

_NAMES = {
    "gemini": "Gemini",
    "gigachat": "GigaChat",
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "local": "Local",
}
DEMO = "demo"


class Kind(StrEnum):
    TOKENS = "tokens"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Measure:
    """Tokens, or the cost in one currency: amounts of two are never added."""

    kind: Kind
    currency: str
    language: str

    def of(self, totals: Totals) -> int:
        """Tokens, or nano-units of the currency; 0 for what is unpriced."""
        return totals.tokens if self.kind is Kind.TOKENS else totals.costs.get(self.currency, 0)

    def exact(self, value: int) -> str:
        """A value to read off: every token, or an amount of money."""
        return fmt.exact(value, self.language) if self.kind is Kind.TOKENS else self.short(value)

    def short(self, value: int) -> str:
        """A value to grasp: 12.3 k tokens, or an amount of money."""
        if self.kind is Kind.TOKENS:
            return fmt.count(value, self.language)
        return fmt.money(value, self.currency, self.language)


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


def cost_text(viewer: Viewer, totals: Totals) -> str:
    """Each currency's sum side by side; "unpriced" when no call had a price, "—" when there was no call."""
    _ = viewer.tr.text
    if totals.costs:
        language = viewer.tr.language
        return " · ".join(fmt.money(nano, name, language) for name, nano in sorted(totals.costs.items()))
    return _("unpriced") if totals.requests else "—"
