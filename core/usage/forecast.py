"""The forecast of a month: level and trend of recent weeks, a factor for each weekday, and an interval by simulation,
as wide as forecasts of the same kind were wrong on the days that are over.

Money that was spent stays the exact integer it is; only what is still to come is estimated, in floating point.
The same figures give the same forecast: the simulation's random numbers begin at a fixed seed.
"""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from core.usage.forecast_errors import PastErrors, past_errors
from core.usage.forecast_model import Model, fit, variance
from core.usage.forecast_types import (
    COVERAGE_PERCENT,
    DAYS_NEEDED,
    DayEstimate,
    Estimate,
    Forecast,
    ForecastState,
    Metric,
)

WINDOW_DAYS = 56
"""Eight weeks; more where they hold fewer than 14 days with calls."""

_FUTURES = 400
# Residuals are drawn by the week, so that a good week and a bad one stay together.
_BLOCK_DAYS = 7
_SEED = 80


def forecast(
    history: Sequence[int],
    today: date,
    so_far: int,
    start: date,
    end: date,
    *,
    elapsed: float = 0.0,
    days_with_calls: int | None = None,
    metric: Metric = Metric.COST,
    currency: str | None = None,
) -> Forecast:
    """The sum of `start` to `end` (`start` <= `today` <= `end`), forecast today.

    `history`: a figure for each complete day up to yesterday, quiet days included, at least from `start` on where
    there were calls. `so_far`: today's figure yet, after `elapsed` of the day (0 to 1): what is left of today is
    taken to go on as today usually goes. `days_with_calls`: where the figure itself does not tell, because calls may
    be free; today counts.
    """
    days = [today - timedelta(len(history) - number) for number in range(len(history))]
    actual = so_far + sum(value for day, value in zip(days, history, strict=True) if day >= start)
    if days_with_calls is None:
        days_with_calls = sum(value > 0 for value in (*history, so_far))
    path: tuple[DayEstimate, ...] = ()
    total = None
    if days_with_calls >= DAYS_NEEDED:
        window = _window(history)
        path = _path(history, window, today, end, 1.0 - min(max(elapsed, 0.0), 1.0))
        total = path[-1].to_come.plus(actual)
    return Forecast(
        metric=metric,
        currency=currency,
        start=start,
        today=today,
        end=end,
        state=ForecastState.TOO_SHORT if total is None else ForecastState.OK,
        days_with_calls=days_with_calls,
        actual=actual,
        total=total,
        path=path,
        history=(*zip(days, history, strict=True), (today, so_far)),
        run_rate=_run_rate(actual, (today - start).days + elapsed, (end - start).days + 1),
    )


def _run_rate(actual: int, over: float, days: int) -> int | None:
    """What stands after so many days, extended to all `days`; half a day says nothing yet."""
    return round(actual * Fraction(days) / Fraction(over)) if over >= 0.5 else None


def _window(history: Sequence[int]) -> Sequence[int]:
    """The latest days that are looked at: from the first call on, and enough of them with calls."""
    used = [number for number, value in enumerate(history) if value > 0]
    if not used:
        return history[-WINDOW_DAYS:]
    enough = used[-DAYS_NEEDED] if len(used) >= DAYS_NEEDED else used[0]
    return history[max(used[0], min(len(history) - WINDOW_DAYS, enough)) :]


def _path(
    history: Sequence[int], window: Sequence[int], today: date, end: date, rest_of_today: float
) -> tuple[DayEstimate, ...]:
    days = [today + timedelta(number) for number in range((end - today).days + 1)]
    shares = [rest_of_today, *(1.0 for _ in days[1:])]
    if not any(window):
        return tuple(DayEstimate(day, Estimate(0, 0, 0)) for day in days)
    model = fit(window, today)
    rng = Random(_SEED)
    futures = [_future(model, days, shares, rng) for _ in range(_FUTURES)]
    errors = past_errors(history, len(days), lambda origin, length: _expected(history, today, origin, length))
    sums = _bent(futures, errors, rng)
    return tuple(
        DayEstimate(day, _estimate(sorted(future[number] for future in sums)))
        for number, day in enumerate(days)
    )


def _expected(history: Sequence[int], today: date, origin: int, length: int) -> float:
    """What `length` days would have been expected to come to on the day of number `origin`."""
    window = _window(history[:origin])
    if not any(window):
        return 0.0
    day = today - timedelta(len(history) - origin)
    model = fit(window, day)
    return sum(model.usual(number, day + timedelta(number)) for number in range(length))


def _bent(futures: Sequence[Sequence[float]], errors: PastErrors, rng: Random) -> list[list[float]]:
    """The futures as sums up to each day, bent by what the forecast was off before: little at first, the more
    the further away, and by the bias over all days. What they vary already is not added again."""
    totals = [math.log(total) for total in map(sum, futures) if total > 0]
    known = variance(totals) if totals else 0.0
    spread = math.sqrt(max(0.0, errors.variance - known))
    sums: list[list[float]] = []
    for future in futures:
        bend = 2.0 * (errors.bias + rng.gauss(0.0, spread)) / (len(future) + 1)
        total, sums_of = 0.0, list[float]()
        for number, value in enumerate(future, 1):
            total += value * math.exp(bend * number)
            sums_of.append(total)
        sums.append(sums_of)
    return sums


def _future(model: Model, days: Sequence[date], shares: Sequence[float], rng: Random) -> list[float]:
    """One way it may go: what comes on each day."""
    tilt = rng.gauss(0.0, model.slope_error)
    shift = rng.gauss(0.0, model.level_error) + tilt * model.lag
    residuals = model.residuals
    future: list[float] = []
    position = 0
    for number, (day, share) in enumerate(zip(days, shares, strict=True)):
        if number % _BLOCK_DAYS == 0:
            position = rng.randrange(len(residuals))
        residual = residuals[(position + number) % len(residuals)]
        future.append(share * model.usual(number, day, shift, tilt) * max(0.0, 1.0 + residual))
    return future


def _estimate(sums: Sequence[float]) -> Estimate:
    tail = (100 - COVERAGE_PERCENT) / 200
    low, expected, high = (round(_quantile(sums, share)) for share in (tail, 0.5, 1 - tail))
    return Estimate(low, expected, high)


def _quantile(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])
