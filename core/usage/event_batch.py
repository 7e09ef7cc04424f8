"""Calls as columns of numbers, to be added to roll-ups many at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Integer, Select, cast, func, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from core.usage.columns import EVENTS, KEY, TOKEN_COLUMNS
from core.usage.sparse import Ints
from core.usage.types import CallStatus

QUARTER = 900
"""Seconds. Every zone's clock stands a whole number of quarters from UTC's, so a quarter has one hour."""

Key = tuple[Any, ...]
"""The values of KEY."""
_OUTPUT = TOKEN_COLUMNS.index("output_tokens")
_INPUT = TOKEN_COLUMNS.index("input_tokens")
_NONE = -1
_TEXTS = ("status", "error_kind", "thread_id", "tags")


def epoch(column: ColumnElement[datetime], dialect: str) -> ColumnElement[int]:
    """A moment as whole seconds since 1970."""
    if dialect == "sqlite":
        return cast(func.strftime("%s", column), BigInteger)
    return cast(func.floor(func.extract("epoch", column)), BigInteger)


def by_quarter(seconds: Ints, of: Callable[[datetime], int]) -> Ints:
    """What `of` says of each moment, asked once for each quarter of an hour there is."""
    quarters, at = np.unique(seconds // QUARTER, return_inverse=True)
    known = [of(datetime.fromtimestamp(quarter * QUARTER, UTC)) for quarter in quarters.tolist()]
    return np.array(known, np.int64)[at]


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Calls. `keys`: the roll-up keys there are; `of`: which of them each call has. `sums`: SUMS of each.

    `latency` and `first_token` are -1 when they do not count, `hour` is that of the week. `is_single`: one
    request, and not from the cache; `is_whole`: an answer that was completed, too.
    """

    keys: list[Key]
    of: Ints
    sums: Ints
    hour: Ints
    latency: Ints
    first_token: Ints
    is_single: Any
    is_whole: Any
    is_priced: Any
    requests: Ints
    statuses: Sequence[str]
    errors: Sequence[str | None]
    threads: Sequence[int | None]
    tags: Sequence[list[list[str]] | None]

    @property
    def output(self) -> Ints:
        """Output tokens of each call."""
        return self.sums[:, 4 + _OUTPUT]

    @property
    def tokens(self) -> Ints:
        return self.output + self.sums[:, 4 + _INPUT]


def batch_statement(dialect: str) -> Select[Any]:
    """The columns that `batch_of` wants."""
    # As the driver hands them over: to convert what is only compared would cost more than all the rest.
    plain = [type_coerce(EVENTS.c[name], NullType()) for name in (*KEY, *_TEXTS[:-1])]
    return select(
        *plain,
        EVENTS.c.tags,
        EVENTS.c.requests,
        func.coalesce(EVENTS.c.cost_nano, 0),
        cast(EVENTS.c.cost_nano.is_not(None), Integer),
        cast(EVENTS.c.tokens_estimated, Integer),
        cast(EVENTS.c.from_cache, Integer),
        func.coalesce(EVENTS.c.saved_nano, 0),
        cast(EVENTS.c.flag.is_not(None), Integer),
        func.coalesce(EVENTS.c.latency_ms, _NONE),
        func.coalesce(EVENTS.c.first_token_ms, _NONE),
        epoch(EVENTS.c.occurred_at, dialect),
        *(EVENTS.c[name] for name in TOKEN_COLUMNS),
    )


def read_batch(session: Session, statement: Select[Any], zone: ZoneInfo) -> EventBatch | None:
    """The calls of a `batch_statement`; None when there are none."""
    rows = session.execute(statement).all()
    return batch_of(rows, zone) if rows else None


def batch_of(rows: Iterable[Sequence[Any]], zone: ZoneInfo) -> EventBatch:
    """Calls from rows of a `batch_statement`."""
    columns = list(zip(*rows, strict=True))
    codes: dict[Key, int] = {}
    coded = [codes.setdefault(key, len(codes)) for key in zip(*columns[: len(KEY)], strict=True)]
    of = np.array(coded, np.int64)
    statuses, errors, threads, tags = columns[len(KEY) : len(KEY) + 4]
    numbers = np.array(columns[len(KEY) + 4 :], np.int64)
    requests, cost, priced, estimated, cached, saved, flagged, latency, first, seconds = numbers[:10]
    tokens = numbers[10:]
    failed = np.array([status == CallStatus.FAILED for status in statuses])
    completed = np.array([status == CallStatus.COMPLETED for status in statuses])
    single = (requests == 1) & (cached == 0)
    timed = single & (tokens[_OUTPUT] > 0) & (first >= 0) & (latency > first)
    days = {day: _weekday(day) for day in {key[2] for key in codes}}
    weekdays = np.array([days[key[2]] for key in codes], np.int64)
    sums = (
        requests,
        requests * failed,
        requests * (1 - priced),
        requests * estimated,
        *tokens,
        cost,
        requests * cached,
        saved,
        requests * flagged,
        tokens[_OUTPUT] * timed,
        (latency - first) * timed,
    )
    return EventBatch(
        keys=[(user, source, as_date(day), *rest) for user, source, day, *rest in codes],
        of=of,
        sums=np.column_stack(sums),
        hour=weekdays[of] * 24 + by_quarter(seconds, lambda moment: moment.astimezone(zone).hour),
        latency=np.where(single & completed, latency, _NONE),
        first_token=np.where(single, first, _NONE),
        is_single=single,
        is_whole=single & completed,
        is_priced=priced,
        requests=requests,
        statuses=statuses,
        errors=errors,
        threads=threads,
        tags=tags,
    )


def as_date(day: date | str) -> date:
    """A day as SQLite spells it, or as it is."""
    return date.fromisoformat(day) if isinstance(day, str) else day


def _weekday(day: date | str) -> int:
    return as_date(day).weekday()
