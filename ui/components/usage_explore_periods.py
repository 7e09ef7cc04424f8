"""The periods of a chart: how long each is, and what it is called."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from babel.dates import format_skeleton

from core.i18n import N_
from core.usage.explore.types import Interval, Period
from ui import format as fmt
from ui.charts import Place

INTERVALS = {Interval.DAY: N_("Day"), Interval.WEEK: N_("Week"), Interval.MONTH: N_("Month")}
BY_INTERVAL = {Interval.DAY: N_("By day"), Interval.WEEK: N_("By week"), Interval.MONTH: N_("By month")}
_WEEKS_FROM, _MONTHS_FROM = 186, 1_100
_YEAR_OF_TICKS = 400


def usual_interval(start: date, end: date) -> Interval:
    """What makes as many bars as one can tell apart."""
    days = (end - start).days + 1
    if days < _WEEKS_FROM:
        return Interval.DAY
    return Interval.WEEK if days < _MONTHS_FROM else Interval.MONTH


def places_of(periods: Sequence[Period], interval: Interval, language: str) -> list[Place]:
    """Each period in full and in short."""
    if not periods:
        return []
    years = (periods[-1].end - periods[0].start).days > _YEAR_OF_TICKS
    return [
        Place(
            fmt.day_range(period.start, period.end, language),
            _tick(period.start, interval is Interval.MONTH or years, language),
        )
        for period in periods
    ]


@lru_cache(maxsize=4096)
def _tick(day: date, month: bool, language: str) -> str:
    return format_skeleton("yMMM" if month else "MMMd", day, locale=language)
