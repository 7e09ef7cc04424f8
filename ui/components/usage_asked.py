"""What the viewer asks of the Usage page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from core.usage.explore.part_types import Part
from core.usage.explore.types import Compare, Dimension, Interval, Where

CALLS = "calls"
DEFAULT_RANGE = "30d"
CUSTOM = "custom"
RANGES = ("today", "yesterday", "7d", "30d", "90d", "month", "last_month", "year", CUSTOM)


class Kind(StrEnum):
    """What a chart measures."""

    TOKENS = "tokens"
    COST = "cost"
    REQUESTS = "requests"
    ERRORS = "errors"
    SAVED = "saved"
    INPUT = "input"
    CACHED = "cached"
    OUTPUT = "output"
    REASONING = "reasoning"
    SPEED = "speed"
    LATENCY_P50 = "latency-p50"
    LATENCY = "latency"
    LATENCY_P99 = "latency-p99"
    FIRST_P50 = "first-p50"
    FIRST = "first"
    FIRST_P99 = "first-p99"


@dataclass(frozen=True, slots=True)
class Asked:
    """A view of the page. `start` and `end` are set when `preset` is "custom"; `interval` None: by the length of
    the range; `everyone`: not only the viewer's calls, which is an admin's to ask. `currency`: the one to convert
    into, `drawn`: the one that charts are in; "": nobody said. `part`: the bar of Patterns whose calls are shown."""

    section: str = ""
    sample: bool = False
    preset: str = DEFAULT_RANGE
    start: date | None = None
    end: date | None = None
    compare: Compare = Compare.PREVIOUS
    where: Where = ()
    everyone: bool = False
    interval: Interval | None = None
    by: Dimension = Dimension.MODEL
    measure: Kind = Kind.TOKENS
    currency: str = ""
    drawn: str = ""
    part: Part | None = None

    def values(self, dimension: Dimension) -> tuple[str, ...]:
        """What is asked for of a dimension; none: any."""
        return dict(self.where).get(dimension, ())

    def only(self, dimension: Dimension, values: Sequence[str]) -> "Asked":
        """The same view of calls with one of `values`; none: any."""
        kept = {each: wanted for each, wanted in self.where if each is not dimension}
        if values:
            kept[dimension] = tuple(values)
        return replace(self, where=tuple((each, kept[each]) for each in Dimension if each in kept))

    def without_filters(self) -> "Asked":
        """The same view of all the viewer's calls in its range."""
        return replace(self, where=(), everyone=False, part=None)
