"""A lasting change of what a model's tokens cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from core.usage.baseline import HISTORY_DAYS, LEAST_DAYS
from core.usage.types import Totals

_DAYS_AFTER = 3
_TIMES = 1.3
# A little air between the dearest day before and the cheapest after.
_GAP = 1.05
# More of the tokens written, or read from a cache, by this share is reason enough for another cost.
_MIX = 0.05


@dataclass(frozen=True, slots=True)
class PriceShift:
    """Since `day` a million tokens cost `after` nano-units, `before` until then. `difference`: what that
    changed in the cost since, nano-units."""

    day: date
    before: float
    after: float
    difference: float


def price_shift(
    totals: Mapping[date, Totals], costs: Mapping[date, float], start: date, end: date
) -> PriceShift | None:
    """The first such day from `start` to `end`: all days since (at least three) cost more by the token than any of
    the 56 days before (at least 14), or all less, though the mix of tokens is the same."""
    prices = {
        day: costs[day] * 1e6 / totals[day].tokens
        for day in sorted(totals)
        if totals[day].tokens > 0 and costs[day] > 0 and day <= end
    }
    for day in prices:
        if not start <= day:
            continue
        before = [each for each in prices if day - timedelta(HISTORY_DAYS) <= each < day]
        after = [each for each in prices if each >= day]
        if len(before) < LEAST_DAYS or len(after) < _DAYS_AFTER:
            continue
        old, new = [prices[each] for each in before], [prices[each] for each in after]
        apart = min(new) > _GAP * max(old) or max(new) * _GAP < min(old)
        ratio = median(new) / median(old)
        if apart and max(ratio, 1 / ratio) >= _TIMES and _same_mix(totals, before, after):
            tokens = sum(totals[each].tokens for each in after)
            return PriceShift(day, median(old), median(new), (median(new) - median(old)) * tokens / 1e6)
    return None


def _same_mix(totals: Mapping[date, Totals], before: list[date], after: list[date]) -> bool:
    def shares(days: list[date]) -> tuple[float, float]:
        tokens = sum(totals[day].tokens for day in days)
        written = sum(totals[day].output_tokens for day in days)
        cached = sum(totals[day].cached_input_tokens for day in days)
        return written / tokens, cached / tokens

    return all(abs(old - new) < _MIX for old, new in zip(shares(before), shares(after), strict=True))
