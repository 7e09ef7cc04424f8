"""How far the same forecast was off on the days that are over: it bends the next one and widens its interval.

A model's own idea of its errors holds as long as the model does. Growth that is faster than a line, a step, or a
rise that has ended are seen in no residual, but they are seen in forecasts that went wrong.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

_LEAST_DAYS = 21
_ORIGINS = 10
# An error past a factor of e says that there was nothing to learn from, not that the next is as large.
_MOST = 1.0

Expect = Callable[[int, int], float]
"""What a forecast made before the day of this number expects of so many days."""


@dataclass(frozen=True, slots=True)
class PastErrors:
    """Logarithms of what came over what was expected: their `bias`, as far as chance does not explain it, and
    the variance around it."""

    bias: float = 0.0
    variance: float = 0.0


def past_errors(values: Sequence[int], days: int, expect: Expect) -> PastErrors:
    """Forecasts of the next `days` days, made on each of the last days that have as many after them.

    Where the past is too short for that, of fewer days.
    """
    length = max(1, min(days, (len(values) - _LEAST_DAYS) // 2))
    last = len(values) - length
    first = max(_LEAST_DAYS, last - 2 * length - 14)
    if last < first:
        return PastErrors()
    step = max(1, (last - first) // _ORIGINS)
    errors: list[float] = []
    for origin in range(last, first - 1, -step):
        actual = sum(values[origin : origin + length])
        expected = expect(origin, length)
        if actual > 0 and expected > 0:
            errors.append(max(-_MOST, min(math.log(actual / expected), _MOST)))
    if len(errors) < 2:
        return PastErrors()
    # Forecasts that overlap are wrong together: so many count as one each.
    count = (last - first) / length + 1
    mean = fmean(errors)
    around = fmean((error - mean) ** 2 for error in errors) * count / max(count - 1, 1)
    return _drawn(mean, around, count, math.sqrt(days / length))


def _drawn(mean: float, around: float, count: float, scale: float) -> PastErrors:
    chance = around / count
    kept = max(0.0, 1.0 - chance / mean**2) if mean else 0.0
    bias = mean * kept
    variance = around + chance + (mean - bias) ** 2 + bias**2 / 4
    return PastErrors(bias * scale, variance * scale**2)
