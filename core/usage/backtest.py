"""How good the forecasts would have been: months that are over, forecast from what was known in them."""

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from statistics import median

from core.usage.forecast import forecast
from core.usage.forecast_types import Backtest, BacktestCase

ORIGINS = (8, 15, 22)
"""Days of the month at whose beginning it is forecast."""


def backtest(
    values: Sequence[int], last_day: date, origins: Sequence[int] = ORIGINS, months: int = 12
) -> Backtest | None:
    """Forecast each of the last complete `months` of `values` (one a day, up to `last_day`) from each of the `origins`.

    None when no month could be forecast: each needs 14 days with calls before its origin.
    """
    first_day = last_day - timedelta(len(values) - 1)
    cases: list[BacktestCase] = []
    for start, end in _months(first_day, last_day)[-months:]:
        of_month = values[(start - first_day).days : (end - first_day).days + 1]
        for origin in (start.replace(day=day) for day in origins):
            history = values[: (origin - first_day).days]
            total = forecast(history, origin, 0, start, end).total
            if total is not None:
                run_rate = sum(of_month[: origin.day - 1]) * len(of_month) // (origin.day - 1)
                cases.append(BacktestCase(origin, sum(of_month), total, run_rate))
    if not cases:
        return None
    return Backtest(
        cases=tuple(cases),
        coverage=sum(case.covered for case in cases) / len(cases),
        error=median(_share(case.forecast.expected, case.actual) for case in cases),
        run_rate_error=median(_share(case.run_rate, case.actual) for case in cases),
    )


def _months(first_day: date, last_day: date) -> list[tuple[date, date]]:
    """The calendar months that lie wholly within two days, in order."""
    found: list[tuple[date, date]] = []
    start = first_day.replace(day=1)
    while start <= last_day:
        end = start.replace(day=calendar.monthrange(start.year, start.month)[1])
        if first_day <= start and end <= last_day:
            found.append((start, end))
        start = end + timedelta(1)
    return found


def _share(guess: int, actual: int) -> float:
    """How far a guess was off, as a share of what came; 1 when something was guessed and nothing came."""
    if actual == 0:
        return 1.0 if guess else 0.0
    return abs(guess - actual) / actual
