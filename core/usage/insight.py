"""What the ledger means: a summary, a forecast, what is out of line, and what other models would have cost."""

import calendar
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from core.config import Settings
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.currency import ExchangeRates
from core.pricing.service import PriceBook
from core.pricing.types import NANO, Money
from core.providers.types import ProviderInfo
from core.store.unit_of_work import UnitOfWork
from core.usage import queries
from core.usage.anomalies import find_anomalies
from core.usage.anomaly_types import AnomalyReport
from core.usage.backtest import backtest
from core.usage.baseline import HISTORY_DAYS
from core.usage.budget_types import BudgetInfo, BudgetScope, BudgetWindow
from core.usage.daily_sums import Horizon, forecast_metric, forecast_month, of_provider
from core.usage.exchange import Exchange
from core.usage.explore.types import Selection
from core.usage.forecast_types import Backtest, Metric, MonthForecast
from core.usage.ledger import Ledger
from core.usage.outlook import BudgetOutlook, budget_outlook
from core.usage.service import LONGEST_RANGE_DAYS, UsageService
from core.usage.subscription import SubscriptionPrice
from core.usage.summary import UsageSummary, last_days_start, month_start, summarize
from core.usage.tables import ALL_USERS
from core.usage.types import Totals, UsageReport
from core.usage.use_rows import read_use
from core.usage.what_if import what_if
from core.usage.what_if_types import PricedTarget, Subscription, Target, WhatIf

_FORECAST_DAYS = 182
_BACKTEST_DAYS = 548
_ROLLING_DAYS = 30
# Half a dollar: less than that above the usual is no news.
_LEAST_COST = Money(NANO // 2, "USD")


class InsightService:
    """Reads roll-ups and makes sense of them; changes nothing.

    `scope` is a user's id, or None for all users. Amounts are in the workspace's currency where a rate is known.
    Sample data and real calls are never added.
    """

    def __init__(
        self,
        unit: UnitOfWork,
        ledger: Ledger,
        usage: UsageService,
        prices: PriceBook,
        rates: ExchangeRates,
        settings: Settings,
        provider_info: Callable[[str], ProviderInfo] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`provider_info` tells which providers are free; AppError for one it does not know. `now` is aware."""
        self._unit = unit
        self._ledger = ledger
        self._usage = usage
        self._prices = prices
        self._rates = rates
        self._settings = settings
        self._provider_info = provider_info
        self._now = now
        self._currency = settings.currency
        self.subscription = SubscriptionPrice(unit, settings)

    def summary(self, scope: int | None, sample: bool = False) -> UsageSummary:
        """This month, the last 30 days, all time, and what a subscription would have cost."""
        today = self._today()
        user_id = _user_id(scope)
        with self._unit.read() as session:

            def totals(start: date | None) -> Totals:
                exchange = Exchange(self._currency, self._rates)
                return queries.read_totals(session, user_id, start, today, sample, exchange)

            month, last_days = totals(month_start(today)), totals(last_days_start(today))
            subscription = self.subscription.read(session)
            return summarize(today, self._currency, month, last_days, totals(None), subscription)

    def monthly_subscription(self) -> Money:
        """What a subscription costs a month, in the workspace's currency."""
        with self._unit.read() as session:
            return self.subscription.read(session)

    def main_currency(self, scope: int | None, sample: bool = False) -> str:
        """The workspace's currency; another one when the last months hold nothing that was paid in, or can be
        converted into, the workspace's."""
        costs = self._report(scope, _FORECAST_DAYS, sample, self._currency).total.costs
        # Amounts in two currencies cannot be compared, so the name decides.
        return self._currency if self._currency in costs or not costs else min(costs)

    def forecast(self, scope: int | None, sample: bool = False, currency: str | None = None) -> MonthForecast:
        """Cost, tokens and requests at the end of this month; the cost in `currency` or the workspace's."""
        currency = currency or self._currency
        report = self._report(scope, _FORECAST_DAYS, sample, currency)
        today = self._today()
        end = today.replace(day=calendar.monthrange(today.year, today.month)[1])
        horizon = Horizon(month_start(today), today, end, self._elapsed(today))
        return forecast_month(report.days, horizon, currency, report.unconverted)

    def backtest(
        self, scope: int | None, sample: bool = False, currency: str | None = None
    ) -> Backtest | None:
        """How the forecast of the cost would have done in the months that are over; None when there are too few."""
        currency = currency or self._currency
        report = self._report(scope, _BACKTEST_DAYS, sample, currency)
        values = [totals.costs.get(currency, 0) for _, totals in report.days]
        used = next((number for number, value in enumerate(values) if value), len(values) - 1)
        return backtest(values[used:-1], report.end - timedelta(1))

    def budget_outlooks(self, budgets: Sequence[BudgetInfo]) -> tuple[BudgetOutlook, ...]:
        """For each budget the day on which it will probably be used up: this month, or in 30 days when it rolls."""
        return tuple(self._outlook(budget) for budget in budgets)

    def anomalies(self, asked: Selection, currency: str | None = None) -> AnomalyReport:
        """Days and models out of line in the days of a selection. AppError(VALIDATION) as of a usage report.

        Of its filters those apply that a roll-up by day knows; see `narrowing.left_out`.
        """
        currency, start, end = currency or self._currency, asked.start, asked.end
        self._check(start, end)
        earlier = max(start - timedelta(HISTORY_DAYS), end - timedelta(LONGEST_RANGE_DAYS - 1))
        report = self._usage.report(asked.scope, earlier, end, asked.sample, currency, where=asked.where)
        least = self._rates.convert(_LEAST_COST, currency, end) or Money(_LEAST_COST.nano, currency)
        found = find_anomalies(report.daily, start, end, currency, least.nano)
        return replace(found, unconverted=report.unconverted)

    def what_if(
        self,
        asked: Selection,
        targets: Sequence[Target],
        subscriptions: Sequence[Subscription] = (),
        currency: str | None = None,
    ) -> WhatIf:
        """The calls of a selection at today's prices of other models. AppError(VALIDATION) as of a usage report.

        Filters apply as they do to anomalies.
        """
        into = currency or self._currency
        self._check(asked.start, asked.end)
        with self._unit.read() as session:
            use = read_use(session, asked)
        priced = [self._priced(target) for target in targets]

        def convert(money: Money, day: date) -> Money | None:
            return self._rates.convert(money, into, day)

        return what_if(use, priced, subscriptions, into, convert, self._today())

    def _outlook(self, budget: BudgetInfo) -> BudgetOutlook:
        currency = budget.amount.currency
        today = self._today()
        scope = budget.user_id if budget.scope is BudgetScope.USER else None
        report = self._report(scope, _FORECAST_DAYS, False, currency)
        days = list(report.days)
        if budget.scope is BudgetScope.PROVIDER:
            days = of_provider(days, _by_day(report, budget.provider or ""))
        start, end = today, today + timedelta(_ROLLING_DAYS)
        if budget.window is BudgetWindow.MONTH:
            start = month_start(today)
            end = today.replace(day=calendar.monthrange(today.year, today.month)[1])
        found = forecast_metric(days, Horizon(start, today, end, self._elapsed(today)), Metric.COST, currency)
        reset_day = self._ledger.day_of(budget.reset_at) if budget.reset_at is not None else None
        return budget_outlook(budget, found, reset_day)

    def _priced(self, target: Target) -> PricedTarget:
        provider: ProviderInfo | str = target.provider
        if self._provider_info is not None:
            try:
                provider = self._provider_info(target.provider)
            except AppError:
                # Gone from the settings; its price may still be known.
                provider = target.provider
        now = self._now()
        entry = self._prices.entry(provider, target.model, now)
        tiers = self._prices.tiers(provider, target.model, now)
        return PricedTarget(target, tiers, entry.source, entry.verified)

    def _report(self, scope: int | None, days: int, sample: bool, currency: str) -> UsageReport:
        today = self._today()
        return self._usage.report(scope, today - timedelta(days - 1), today, sample, currency)

    def _check(self, start: date, end: date) -> None:
        days = (end - start).days + 1
        if days < 1:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("The range ends before it starts. Choose a last day after the first one."),
            )
        if days > LONGEST_RANGE_DAYS or start.toordinal() <= days + HISTORY_DAYS:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("A range can be up to 10 years long. Choose days that are closer together."),
            )

    def _today(self) -> date:
        return self._ledger.day_of(self._now())

    def _elapsed(self, today: date) -> float:
        """How much of the report day is over; a day with a change of the clocks has 23 hours, or 25."""
        zone = self._ledger.zone
        begin = datetime.combine(today, time(), zone).astimezone(UTC)
        end = datetime.combine(today + timedelta(1), time(), zone).astimezone(UTC)
        return (self._now() - begin) / (end - begin)


def _user_id(scope: int | None) -> int:
    return ALL_USERS if scope is None else scope


def _by_day(report: UsageReport, provider: str) -> dict[date, Totals]:
    """The requests and costs of one provider; what a forecast of the cost reads."""
    found: dict[date, Totals] = {}
    for each in report.daily:
        if each.provider == provider:
            day = found.setdefault(each.day, Totals())
            day.requests += each.totals.requests
            for currency, nano in each.totals.costs.items():
                day.costs[currency] = day.costs.get(currency, 0) + nano
    return found
