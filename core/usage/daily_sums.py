"""Figures a day as series for a forecast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.usage.forecast import forecast
from core.usage.forecast_types import Forecast, Metric, MonthForecast
from core.usage.types import Totals


@dataclass(frozen=True, slots=True)
class Horizon:
    """From `start` to `end`, seen on `today` when `elapsed` (0 to 1) of it is over."""

    start: date
    today: date
    end: date
    elapsed: float


def forecast_month(
    days: Sequence[tuple[date, Totals]], horizon: Horizon, currency: str, unconverted: frozenset[str]
) -> MonthForecast:
    """Cost, tokens and requests. `days`: every day up to today, quiet ones included, the oldest first."""
    month = [totals for day, totals in days if day >= horizon.start]
    return MonthForecast(
        cost=forecast_metric(days, horizon, Metric.COST, currency),
        tokens=forecast_metric(days, horizon, Metric.TOKENS, currency),
        requests=forecast_metric(days, horizon, Metric.REQUESTS, currency),
        unconverted=unconverted,
        unpriced=sum(totals.unpriced for totals in month),
    )


def forecast_metric(
    days: Sequence[tuple[date, Totals]], horizon: Horizon, metric: Metric, currency: str
) -> Forecast:
    """One metric; see `forecast`. Costs in other currencies than `currency` do not count."""
    values = [_value(totals, metric, currency) for _, totals in days]
    return forecast(
        values[:-1],
        horizon.today,
        values[-1],
        horizon.start,
        horizon.end,
        elapsed=horizon.elapsed,
        days_with_calls=sum(totals.requests > 0 for _, totals in days),
        metric=metric,
        currency=currency if metric is Metric.COST else None,
    )


def of_provider(
    days: Sequence[tuple[date, Totals]], daily: Mapping[date, Totals]
) -> list[tuple[date, Totals]]:
    """The same days, with what stands in `daily` instead."""
    return [(day, daily.get(day, Totals())) for day, _ in days]


def _value(totals: Totals, metric: Metric, currency: str) -> int:
    if metric is Metric.COST:
        return totals.costs.get(currency, 0)
    return totals.tokens if metric is Metric.TOKENS else totals.requests
