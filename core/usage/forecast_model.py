"""What a series of days is made of: a level that may rise or fall, the rhythm of the week, and the rest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

_HALF_LIFE_DAYS = 28
# A slope within this many standard errors of 0 is taken for chance, and one beyond it the less so the further.
_TREND_ERRORS = 1.25
# A trend loses this much of itself each day: none goes on for ever.
_DAMPING = 0.99
# Residuals of weekdays on which next to nothing happens would say nothing of the others.
_LEAST_FACTOR = 0.1


@dataclass(frozen=True, slots=True)
class Model:
    """`level` is that of today, `slope` a day's change of it. A day comes to level × factor of its weekday
    (0: Monday) × (1 + a residual). The errors are standard errors; the level was read from days that lie `lag` days
    back on average, so an error of the slope is one of the level, too."""

    level: float
    level_error: float
    slope: float
    slope_error: float
    lag: float
    factors: tuple[float, ...]
    residuals: tuple[float, ...]

    def usual(self, number: int, day: date, shift: float = 0.0, tilt: float = 0.0) -> float:
        """What `day`, `number` days ahead, usually comes to; `shift` and `tilt`: other than level and slope say."""
        # How many days' slope the level has moved after so many days.
        damped = (1.0 - _DAMPING**number) / (1.0 - _DAMPING)
        level, change = self.level + shift, (self.slope + tilt) * damped
        if level <= 0.0:
            return 0.0
        # What falls, falls by a share of what is left; what rises, by an amount.
        level = level + change if change >= 0 else level * math.exp(change / level)
        return level * self.factors[day.weekday()]


def fit(values: Sequence[int], today: date) -> Model:
    """The model of the days before `today`; at least one of `values` is above 0."""
    weekdays = [(today - timedelta(len(values) - number)).weekday() for number in range(len(values))]
    factors = weekday_factors(values, weekdays)
    points = [
        (number, value / factors[weekday], factors[weekday])
        for number, (value, weekday) in enumerate(zip(values, weekdays, strict=True))
        if factors[weekday] >= _LEAST_FACTOR
    ]
    slope, slope_error = _slope(points)
    now = len(values)
    weights = [factor * 0.5 ** ((now - number) / _HALF_LIFE_DAYS) for number, _, factor in points]
    # The trend stands in for what weeks ago was lower or higher than it would be now.
    level = max(0.0, _mean([value + slope * (now - number) for number, value, _ in points], weights))
    residuals = _residuals(points, level, slope, now)
    spread = math.sqrt(fmean(residual * residual for residual in residuals)) * level
    kept = math.sqrt(sum(weight * weight for weight in weights)) / sum(weights)
    level_error = spread * kept * math.sqrt(_persistence(residuals))
    lag = now - _mean([number for number, _, _ in points], weights)
    return Model(level, level_error, slope, slope_error, lag, factors, residuals)


def weekday_factors(values: Sequence[int], weekdays: Sequence[int]) -> tuple[float, ...]:
    """How much of an average day each weekday is (mean 1), drawn towards 1 as far as chance could explain it.

    Each day is compared with the week around it, so that a trend does not pass for a rhythm. How far to draw
    is the share of the variance between weekdays that the variance within them does not explain.
    """
    ratios: list[list[float]] = [[] for _ in range(7)]
    if len(values) >= 14:
        for number, value in enumerate(values):
            first = min(max(number - 3, 0), len(values) - 7)
            local = sum(values[first : first + 7]) / 7
            if local > 0:
                ratios[weekdays[number]].append(value / local)
    seen = [group for group in ratios if len(group) >= 2]
    if len(seen) < 7:
        return (1.0,) * 7
    means = [fmean(group) for group in ratios]
    within = sum(variance(group) * len(group) for group in ratios) / (sum(map(len, ratios)) - 7)
    between = max(0.0, variance(means) * 7 / 6 - within * fmean(1 / len(group) for group in ratios))
    drawn: list[float] = []
    for mean, group in zip(means, ratios, strict=True):
        error = within / len(group)
        weight = between / (between + error) if between + error > 0 else 0.0
        drawn.append(1.0 + weight * (mean - 1.0))
    average = fmean(drawn)
    return tuple(factor / average for factor in drawn)


_Point = tuple[int, float, float]
"""Number of the day, its value without the week's rhythm, the weekday's factor (its weight)."""


def _slope(points: Sequence[_Point]) -> tuple[float, float]:
    """The slope of a straight line through the points, drawn to 0 as far as chance explains it, and its error."""
    if len(points) < 3:
        return 0.0, 0.0
    weights = [factor for _, _, factor in points]
    middle = _mean([number for number, _, _ in points], weights)
    mean = _mean([value for _, value, _ in points], weights)
    spread = sum(weight * (number - middle) ** 2 for number, _, weight in points)
    slope = sum(weight * (number - middle) * (value - mean) for number, value, weight in points) / spread
    rest = sum(weight * (value - mean - slope * (number - middle)) ** 2 for number, value, weight in points)
    error = math.sqrt(rest / (len(points) - 2) / spread)
    if abs(slope) <= _TREND_ERRORS * error:
        return 0.0, error
    return slope * (1.0 - (_TREND_ERRORS * error / slope) ** 2), error


def _residuals(points: Sequence[_Point], level: float, slope: float, now: int) -> tuple[float, ...]:
    """What the model leaves over of each day, as a share of what it expects; their mean is 0."""
    if level <= 0:
        return (0.0,)
    # A falling line may say next to nothing, or less, of a day that was long ago.
    expected = [max(level - slope * (now - number), level / 4) for number, _, _ in points]
    shares = [value / usual - 1.0 for (_, value, _), usual in zip(points, expected, strict=True)]
    middle = fmean(shares)
    # The fit took some of the variance with it: the factors of the week and the line.
    scale = math.sqrt(len(shares) / max(len(shares) - 8, 4))
    return tuple((share - middle) * scale for share in shares)


def _persistence(residuals: Sequence[float]) -> float:
    """How much more the sum of a week varies than that of seven independent days: 1 to 4."""
    daily = variance(residuals)
    if len(residuals) < 28 or daily <= 0:
        return 1.0
    count = len(residuals)
    twice = [*residuals, *residuals]
    weeks = [sum(twice[number : number + 7]) for number in range(count)]
    return min(max(variance(weeks) / (7 * daily), 1.0), 4.0)


def variance(values: Sequence[float]) -> float:
    """The mean square around the mean; `statistics.pvariance` reckons in fractions and takes ten times as long."""
    mean = fmean(values)
    return fmean([(value - mean) ** 2 for value in values])


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)
