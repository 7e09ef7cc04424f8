"""The ledger's tables as they are written and read, and what their sums are."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, Table, and_, case, cast, func

from core.usage.tables import (
    ALL_SOURCES,
    UsageDaily,
    UsageEvent,
    UsageEventTag,
    UsageFacet,
    UsageMonth,
    UsagePending,
    UsageShape,
)
from core.usage.types import CallStatus, Source

EVENTS: Table = UsageEvent.__table__  # type: ignore[assignment]
DAILY: Table = UsageDaily.__table__  # type: ignore[assignment]
MONTHS: Table = UsageMonth.__table__  # type: ignore[assignment]
SHAPES: Table = UsageShape.__table__  # type: ignore[assignment]
FACETS: Table = UsageFacet.__table__  # type: ignore[assignment]
PENDING: Table = UsagePending.__table__  # type: ignore[assignment]
EVENT_TAGS: Table = UsageEventTag.__table__  # type: ignore[assignment]

KEY = ("user_id", "source", "day", "provider", "model", "currency")
TOKEN_COLUMNS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "input_audio_tokens",
    "output_tokens",
    "reasoning_tokens",
    "output_audio_tokens",
)
SUMS = (
    "requests",
    "errors",
    "unpriced",
    "estimated",
    *TOKEN_COLUMNS,
    "cost_nano",
    "from_cache",
    "saved_nano",
    "flagged",
    "timed_output_tokens",
    "timed_ms",
)
MOST_TAGS, MOST_TAG_CHARS = 64, 200
CATEGORY, PROMPT, LABEL = "category", "prompt", "label"


def sources_of(source: str) -> tuple[str, ...]:
    """The sources a call counts under: sample data never counts with the real ones."""
    return (source,) if source == Source.SAMPLE else (ALL_SOURCES, source)


def sums_over(calls: FromClause) -> dict[str, ColumnElement[int]]:
    """What each of SUMS is over calls: expressions of a statement that groups them."""
    c = calls.c
    timed = and_(
        c.requests == 1, c.from_cache.is_(False), c.output_tokens > 0, c.latency_ms > c.first_token_ms
    )
    sums: dict[str, Any] = {
        "requests": c.requests,
        "errors": case((c.status == CallStatus.FAILED.value, c.requests), else_=0),
        "unpriced": case((c.cost_nano.is_(None), c.requests), else_=0),
        "estimated": case((c.tokens_estimated, c.requests), else_=0),
        **{name: c[name] for name in TOKEN_COLUMNS},
        "cost_nano": func.coalesce(c.cost_nano, 0),
        "from_cache": case((c.from_cache, c.requests), else_=0),
        "saved_nano": func.coalesce(c.saved_nano, 0),
        "flagged": case((c.flag.is_not(None), c.requests), else_=0),
        "timed_output_tokens": case((timed, c.output_tokens), else_=0),
        "timed_ms": case((timed, c.latency_ms - c.first_token_ms), else_=0),
    }
    # PostgreSQL widens the sum of a BIGINT to NUMERIC, which Python reads as Decimal.
    return {name: cast(func.sum(sums[name]), BigInteger).label(name) for name in SUMS}
