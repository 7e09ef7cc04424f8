"""Percentiles over time: each period's own histogram, by group."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from core.usage.explore.buckets import percentiles
from core.usage.explore.reading import Reading
from core.usage.explore.types import Dimension, Period, Selection, Timing


def read_timings(
    session: Session,
    selection: Selection,
    by: Dimension,
    periods: Sequence[Period],
    reading: Callable[[Selection, Dimension | None], Reading],
) -> Mapping[str, Sequence[Timing]]:
    """For each group that was timed how long its calls took in each period. What that takes grows with the periods."""
    found: dict[str, list[Timing]] = {}
    for place, period in enumerate(periods):
        days = replace(selection, start=period.start, end=period.end)
        for group, known in reading(days, by).latencies(session, days, by).items():
            timing = Timing(percentiles(known.latency), percentiles(known.first_token))
            if timing.latency.calls or timing.first_token.calls:
                found.setdefault(group, [Timing()] * len(periods))[place] = timing
    return found
