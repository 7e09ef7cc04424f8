"""What the tables and charts of a report show of totals, and the words for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from core.i18n import N_, translate
from core.pricing.types import Money
from core.usage.queries import main_currency
from core.usage.types import Totals, UsageReport

COUNTS: tuple[tuple[str, Callable[[Totals], int]], ...] = (
    (N_("Requests"), lambda totals: totals.requests),
    (N_("Errors"), lambda totals: totals.errors),
    (N_("Input tokens"), lambda totals: totals.input_tokens),
    (N_("of which cached"), lambda totals: totals.cached_input_tokens),
    (N_("Output tokens"), lambda totals: totals.output_tokens),
    (N_("of which reasoning"), lambda totals: totals.reasoning_tokens),
    (N_("Unpriced"), lambda totals: totals.unpriced),
    (N_("With estimated tokens"), lambda totals: totals.estimated),
)
_Key = TypeVar("_Key")

_MOST_PARTS = 8
_MOST_DAYS = 92


@dataclass(frozen=True, slots=True)
class Measure:
    """What the charts compare: `currency` is empty unless it is money."""

    title: str
    currency: str
    of: Callable[[Totals], int]

    def shown(self, value: int) -> int | Decimal:
        """A sum of `of` in the unit it is shown in."""
        return amount(value) if self.currency else value


def amount(nano: int) -> Decimal:
    """Nano-units in units of their currency, exact."""
    return Money(nano, "").decimal


def currencies(report: UsageReport) -> list[str]:
    """The currencies of the report and of the period before, the one of most calls first."""
    # Of a day and model, because the sum of all does not tell which currency its calls were priced in.
    main = main_currency(each.totals for each in report.daily)
    return sorted({*report.total.costs, *report.previous.costs}, key=lambda each: (each != main, each))


def charted(report: UsageReport, language: str) -> Measure:
    """Cost in the main currency; tokens where nothing has a cost, requests where nothing has tokens."""
    total = report.total
    currency = next((each for each in currencies(report) if total.costs.get(each)), None)
    if currency is not None:
        title = translate(language, N_("Cost, {currency}"), currency=currency)
        return Measure(title, currency, lambda totals: totals.costs.get(currency, 0))
    if total.tokens:
        return Measure(translate(language, N_("Tokens")), "", lambda totals: totals.tokens)
    return Measure(translate(language, N_("Requests")), "", lambda totals: totals.requests)


def by_month(report: UsageReport) -> bool:
    """Whether the range has too many days for a column each."""
    return len(report.days) > _MOST_DAYS


def columns_of_models(
    report: UsageReport, measure: Measure, other: str
) -> tuple[list[str], list[tuple[date, list[int]]]]:
    """The largest models (the rest as `other`) and what each has a day, or in the month of that first day."""
    sizes = {(each.provider, each.model): measure.of(each.totals) for each in report.by_model}
    largest = _largest(sizes)
    place = {key: number for number, key in enumerate(largest)}
    names = [_name(key, list(sizes)) for key in largest]
    if len(largest) < len(sizes):
        names.append(other)
    monthly = by_month(report)
    found = {(day.replace(day=1) if monthly else day): [0] * len(names) for day, _ in report.days}
    for each in report.daily:
        row = found[each.day.replace(day=1) if monthly else each.day]
        row[place.get((each.provider, each.model), len(largest))] += measure.of(each.totals)
    return names, list(found.items())


def parts_of_providers(report: UsageReport, measure: Measure, other: str) -> list[tuple[str, int]]:
    """The largest providers, then the rest as `other`."""
    sizes = {each.provider: measure.of(each.totals) for each in report.by_provider}
    largest = _largest(sizes)
    parts = [(provider, sizes[provider]) for provider in largest]
    if len(largest) < len(sizes):
        parts.append((other, sum(sizes.values()) - sum(size for _, size in parts)))
    return parts


def ratio(part: int, whole: int) -> Decimal | None:
    """`part / whole`, None of nothing."""
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.000001")) if whole > 0 else None


def _largest(sizes: dict[_Key, int]) -> list[_Key]:
    """The keys by size: all, or one less than there is room for."""
    ordered = sorted(sizes, key=lambda key: -sizes[key])
    return ordered if len(ordered) <= _MOST_PARTS else ordered[: _MOST_PARTS - 1]


def _name(key: tuple[str, str], all_keys: Sequence[tuple[str, str]]) -> str:
    provider, model = key
    return model if [name for _, name in all_keys].count(model) == 1 else f"{provider}/{model}"
