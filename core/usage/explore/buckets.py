"""The log buckets that latencies and lengths are counted in, and what can be told from the counts."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from core.usage.explore.types import Percentiles

Counts = NDArray[np.int64]
"""Calls by bucket; as long as there are buckets."""

SLOTS = 256
# Eight buckets for each doubling: the middle of one is at most 4.5 % off. Up to 2^31 milliseconds.
LATENCY_EDGES = tuple(sorted({ceil(2 ** (step / 8)) for step in range(8 * 31 + 1)}))
# Four for each doubling of an answer's tokens.
LENGTH_EDGES = tuple(sorted({ceil(2 ** (step / 4)) for step in range(4 * 62 + 1)}))


def bucket_of(edges: Sequence[int], value: int) -> int:
    """The bucket of `value`: 0 below the first edge, then one from each edge up to before the next."""
    return bisect_right(edges, value)


def bounds(edges: Sequence[int]) -> list[tuple[int, int]]:
    """The lowest value of each bucket, and the lowest that is above it."""
    return list(pairwise((0, *edges, edges[-1] * 2)))


_LATENCY_BOUNDS = bounds(LATENCY_EDGES)
PERCENTS = (50, 95, 99)


def middle_of(slot: int) -> float:
    """The milliseconds in the middle of a bucket."""
    low, high = _LATENCY_BOUNDS[slot]
    return (low + high - 1) / 2


def percentiles(counts: Counts) -> Percentiles:
    """Nearest-rank percentiles: the middle of the bucket that holds the rank."""
    upto = np.cumsum(counts)
    calls = int(upto[-1])
    if not calls:
        return Percentiles()
    # Whole numbers: half of 3 calls is the second of them, whatever a float makes of it.
    ranks = [-(-calls * percent // 100) for percent in PERCENTS]
    p50, p95, p99 = (middle_of(slot) for slot in np.searchsorted(upto, ranks).tolist())
    return Percentiles(calls, p50, p95, p99)


def nothing() -> Counts:
    """No calls."""
    return np.zeros(SLOTS, np.int64)
