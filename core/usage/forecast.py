"""The forecast of a month: level and trend of recent weeks, a factor for each weekday, and an interval by simulation.

Money that was spent stays the exact integer it is; only what is still to come is estimated, in floating point.
The same figures give the same forecast: the simulation's random numbers begin at a fixed seed.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from core.usage.forecast_model import Model, fit
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
        path = _path(window, today, end, 1.0 - min(max(elapsed, 0.0), 1.0))
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
    )


def _window(history: Sequence[int]) -> Sequence[int]:
    """The latest days that are looked at: from the first call on, and enough of them with calls."""
    used = [number for number, value in enumerate(history) if value > 0]
    if not used:
        return history[-WINDOW_DAYS:]
    enough = used[-DAYS_NEEDED] if len(used) >= DAYS_NEEDED else used[0]
    return history[max(used[0], min(len(history) - WINDOW_DAYS, enough)) :]


def _path(window: Sequence[int], today: date, end: date, rest_of_today: float) -> tuple[DayEstimate, ...]:
    days = [today + timedelta(number) for number in range((end - today).days + 1)]
    shares = [rest_of_today, *(1.0 for _ in days[1:])]
    if not any(window):
        return tuple(DayEstimate(day, Estimate(0, 0, 0)) for day in days)
    model = fit(window, today)
    rng = Random(_SEED)
    futures = [_future(model, days, shares, rng) for _ in range(_FUTURES)]
    return tuple(
        DayEstimate(day, _estimate(sorted(future[number] for future in futures)))
        for number, day in enumerate(days)
    )


def _future(model: Model, days: Sequence[date], shares: Sequence[float], rng: Random) -> list[float]:
    """One way it may go: what has come by the end of each day."""
    tilt = rng.gauss(0.0, model.slope_error)
    level = model.level + rng.gauss(0.0, model.level_error) + tilt * model.lag
    slope = model.slope + tilt
    residuals = model.residuals
    total, sums = 0.0, list[float]()
    position = 0
    for number, (day, share) in enumerate(zip(days, shares, strict=True)):
        if number % _BLOCK_DAYS == 0:
            position = rng.randrange(len(residuals))
        residual = residuals[(position + number) % len(residuals)]
        usual = max(0.0, level + slope * model.damped(number)) * model.factors[day.weekday()]
        total += share * usual * max(0.0, 1.0 + residual)
        sums.append(total)
    return sums


def _estimate(sums: Sequence[float]) -> Estimate:
    tail = (100 - COVERAGE_PERCENT) / 200
    low, expected, high = (round(_quantile(sums, share)) for share in (tail, 0.5, 1 - tail))
    return Estimate(low, expected, high)


def _quantile(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])
