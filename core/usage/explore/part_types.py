"""A bar or a cell of what `Patterns` shows, as something to ask calls by."""

from dataclasses import dataclass
from enum import StrEnum


class Spread(StrEnum):
    """What calls are spread over."""

    LATENCY = "latency"
    FIRST = "first-token"
    LENGTH = "length"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Part:
    """The calls that one bar or cell counts, no more and no less: those from `low` (included) to `high` (excluded)
    milliseconds, output tokens, or hours of the week in the report time zone (Monday's first is 0)."""

    of: Spread
    low: int
    high: int
