"""Usage as the REST document has it: a range of days in one currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from core.pricing.types import Money
from core.usage.service import UsageService
from core.usage.summary import last_days_start
from core.usage.types import Totals


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over calls. `cost` is in the workspace's currency; what had no rate is in `unconverted`, nano-units by
    currency, and calls without a known price are in `unpriced`: neither is in the cost."""

    requests: int
    tokens: int
    cost: Money
    unconverted: Mapping[str, int]
    unpriced: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    day: date
    figures: Figures


@dataclass(frozen=True, slots=True)
class ModelFigures:
    provider: str
    model: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class ProviderFigures:
    """`models`: how many different ones were asked."""

    provider: str
    models: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class UsageStatistics:
    """Real calls from `start` to `end`, both included, calendar days of the report time zone; each breakdown adds
    up to `total`. `daily` has the days that had calls, by day; the others come dearest first."""

    start: date
    end: date
    currency: str
    total: Figures
    daily: tuple[DayFigures, ...]
    by_model: tuple[ModelFigures, ...]
    by_provider: tuple[ProviderFigures, ...]


class StatisticsService:
    """Answers from the roll-ups, as a program asks for them."""

    def __init__(self, usage: UsageService, currency: str) -> None:
        self._usage = usage
        self._currency = currency

    def usage(self, user_id: int, start: date | None = None, end: date | None = None) -> UsageStatistics:
        """The user's own calls; without days the last 30, with one of them up to today, or the 30 before `end`.

        AppError(VALIDATION) as of a usage report.
        """
        start, end = _range(start, end, self._usage.today())
        report = self._usage.report(user_id, start, end, currency=self._currency)

        def figures(totals: Totals) -> Figures:
            others = {name: nano for name, nano in sorted(totals.costs.items()) if name != self._currency}
            cost = Money(totals.costs.get(self._currency, 0), self._currency)
            return Figures(totals.requests, totals.tokens, cost, others, totals.unpriced)

        return UsageStatistics(
            start=start,
            end=end,
            currency=self._currency,
            total=figures(report.total),
            daily=tuple(DayFigures(day, figures(totals)) for day, totals in report.days if totals.requests),
            by_model=tuple(
                ModelFigures(each.provider, each.model, figures(each.totals)) for each in report.by_model
            ),
            by_provider=tuple(
                ProviderFigures(each.provider, each.models, figures(each.totals))
                for each in report.by_provider
            ),
        )


def _range(start: date | None, end: date | None, today: date) -> tuple[date, date]:
    if end is None:
        end = today if start is None else max(start, today)
    if start is None:
        # The calendar begins somewhere; the report says so in words.
        start = last_days_start(end) if end.toordinal() > timedelta(30).days else end
    return start, end
