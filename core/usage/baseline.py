"""What is usual, by medians: a few days out of line do not move it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

HISTORY_DAYS = 56
LEAST_DAYS = 14
"""Days with calls, among the 56 before, below which nothing is called unusual."""

# As many days of one weekday make it comparable with itself.
_LEAST_WEEKDAYS = 6
# A median absolute deviation times this is a standard deviation, where things are normal.
_MAD = 1.4826
# No history is so even that a change of 15 % would be remarkable.
_LEAST_SPREAD = math.log(1.15)


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for a day. `by_weekday`: the same weekday's median, not that of all days."""

    value: float
    spread: float
    by_weekday: bool

    def deviation(self, value: float) -> float:
        """How far `value` is above it, in robust standard deviations of the logarithm."""
        if value <= 0 or self.value <= 0:
            return 0.0
        return math.log(value / self.value) / self.spread


def usual(values: Mapping[date, float], day: date) -> Usual | None:
    """What the 56 days before `day` say of it; None when fewer than 14 of them are above 0."""
    earlier = [day - timedelta(number) for number in range(1, HISTORY_DAYS + 1)]
    logs = {each: math.log(values[each]) for each in earlier if values.get(each, 0) > 0}
    if len(logs) < LEAST_DAYS:
        return None
    of_all = median(logs.values())
    centres: dict[int, float] = {}
    for weekday in range(7):
        same = [log for each, log in logs.items() if each.weekday() == weekday]
        if len(same) >= _LEAST_WEEKDAYS:
            centres[weekday] = median(same)
    # All days tell how much days vary, each around its own weekday: eight Tuesdays alone would say little.
    away = [abs(log - centres.get(each.weekday(), of_all)) for each, log in logs.items()]
    centre = centres.get(day.weekday(), of_all)
    spread = max(_MAD * median(away), _LEAST_SPREAD)
    return Usual(math.exp(centre), spread, day.weekday() in centres)
