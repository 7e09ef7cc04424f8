"""Answers as they are shown, made of what was read."""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from core.usage.exchange import Exchange
from core.usage.explore.assemble import Sums, ranked
from core.usage.explore.buckets import LATENCY_EDGES, LENGTH_EDGES, Counts, bounds, percentiles
from core.usage.explore.columns import Columns
from core.usage.explore.raw import Latencies, Shapes
from core.usage.explore.reading import Reading
from core.usage.explore.types import (
    Bucket,
    Dimension,
    Group,
    HeatCell,
    LengthBucket,
    Measures,
    Patterns,
    Percentiles,
    Selection,
)


def columns_in(
    reading: Reading, session: Session, selection: Selection, by: Dimension | None, exchange: Exchange | None
) -> Columns:
    """Sums by day and group. Models are read apart only when something is converted: each of their amounts is
    rounded then."""
    found = reading.columns(session, selection, by, coarse=True)
    if exchange is None or not found.has_others(exchange.currency):
        return found
    return reading.columns(session, selection, by).converted(exchange)


def groups_of(sums: Sums, latencies: Mapping[str, Latencies]) -> tuple[Group, ...]:
    """The groups with their points, the dearest first."""
    totals, points = sums.by_group(), sums.by_both()
    order = ranked(sums.values, totals, sums.main_currency())
    return tuple(group_of(sums.values[at], totals[at], points[at], latencies) for at in order)


def group_of(
    value: str, total: Measures, points: Sequence[Measures], latencies: Mapping[str, Latencies]
) -> Group:
    """A group with its percentiles."""
    known = latencies.get(value)
    if known is None:
        return Group(value, total, points, Percentiles(), Percentiles())
    return Group(value, total, points, percentiles(known.latency), percentiles(known.first_token))


def all_of(latencies: Mapping[str, Latencies]) -> Latencies:
    """The calls of all groups together."""
    found = Latencies()
    for each in latencies.values():
        found.latency += each.latency
        found.first_token += each.first_token
    return found


def patterns_of(shapes: Shapes, slow: bool) -> Patterns:
    """How calls are spread, as it is shown. `slow`: it was read from the calls."""
    cells = [HeatCell(*row) for row in shapes.hours.tolist()]
    return Patterns(
        heat=tuple(tuple(cells[day * 24 : day * 24 + 24]) for day in range(7)),
        latency=_buckets(shapes.latencies.latency),
        first_token=_buckets(shapes.latencies.first_token),
        lengths=_lengths(shapes),
        slow=slow,
    )


def _buckets(counts: Counts) -> tuple[Bucket, ...]:
    """From the first bucket with calls to the last, empty ones between them included."""
    used = counts.nonzero()[0].tolist()
    if not used:
        return ()
    edges = bounds(LATENCY_EDGES)
    return tuple(Bucket(edges[at][0], edges[at][1], int(counts[at])) for at in range(used[0], used[-1] + 1))


def _lengths(shapes: Shapes) -> tuple[LengthBucket, ...]:
    edges = bounds(LENGTH_EDGES)
    found: list[LengthBucket] = []
    for at in shapes.lengths.nonzero()[0].tolist():
        low, above = edges[at]
        priced = {currency: int(counts[at]) for currency, counts in shapes.priced.items() if counts[at]}
        costs = {currency: int(shapes.costs[currency][at]) for currency in priced}
        found.append(LengthBucket(low, above - 1, int(shapes.lengths[at]), priced, costs))
    return tuple(found)
