"""Rows of text into calls: a chunk at a time, by columns where they are plain, cell by cell where they are not."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.pricing.rates import MOST_TOKENS
from core.usage.imports.arrow import Array, np, pa, pc
from core.usage.imports.cells import Texts, from_json, statuses, tags
from core.usage.imports.columns import ColumnMap
from core.usage.imports.costs import Costs
from core.usage.imports.identity import Identity
from core.usage.imports.layouts import Layout
from core.usage.imports.moments import DAY, local_days, moments
from core.usage.imports.numbers import counts
from core.usage.imports.pricing import RowPricer
from core.usage.imports.skips import ChunkSkips, Skips
from core.usage.imports.source import Chunk
from core.usage.imports.survey import Conventions
from core.usage.imports.types import COUNTS, Field, Format, SkipReason

_FIRST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 10**6
_CALLS = frozenset({"", "GENERATION", "EMBEDDING"})
_MOST_MS = 2**31 - 1
_NOON = DAY // 2


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows of one file are to be understood. `zone`: of times that name none; `report`: of the ledger's days.
    `currency`: of costs that name none; `now`: when the import began."""

    layout: Layout
    columns: ColumnMap
    conventions: Conventions
    header: tuple[str, ...]
    zone: ZoneInfo
    report: ZoneInfo
    currency: str
    user_id: int
    now: datetime


class Converter:
    """Turns chunks of one file into tables of calls (the columns of `staging.SCHEMA`), noting what it skips."""

    def __init__(self, reading: Reading, pricer: RowPricer, skips: Skips) -> None:
        self._reading = reading
        self._skips = skips
        self._costs = Costs(reading.layout, reading.currency, reading.conventions.decimal, pricer)
        self._identity = Identity(reading.layout.format, reading.user_id, reading.columns)
        self._now = int(reading.now.timestamp()) * 10**6

    def convert(self, chunk: Chunk) -> Any:
        """The calls of a chunk, in its order."""
        texts = Texts(chunk, self._reading.columns, self._reading.header)
        skips = ChunkSkips(self._skips, chunk.rows)
        skips.mark_places(chunk.ragged, SkipReason.SHORT_ROW)
        self._skip_what_is_no_call(texts, skips)
        times = self._times(texts, skips)
        provider, model = texts.models(self._reading.layout.format)
        skips.mark(
            pc().equal(model, "").to_numpy(zero_copy_only=False),
            SkipReason.NO_MODEL,
            texts.title(Field.MODEL),
        )
        numbers = self._numbers(texts, skips)
        status, failed = statuses(texts, skips)
        cost = self._costs.of(texts, skips, (provider, model), numbers, times.at, failed)
        self._skip_empty(numbers, cost, skips, failed, texts)
        # An answer from a cache used no tokens, whatever it once took to write it.
        used = {each.value: np().where(cost.from_cache, 0, numbers[each]) for each in COUNTS}
        columns: dict[str, Any] = {
            "row": chunk.rows,
            "request_id": self._identity.of(texts),
            "occurred_at": times.at,
            "day": local_days(times.at, self._reading.report).astype(np().int32),
            "provider": provider,
            "model": model,
            "status": status,
            **used,
            "requests": np().maximum(numbers[Field.REQUESTS], 1),
            **cost.columns(),
            "latency_ms": _milliseconds(times.latency, len(texts)),
            "first_token_ms": _milliseconds(times.first_token, len(texts)),
            "tags": tags(texts, self._reading.columns),
        }
        table = pa().table({name: pa().array(column) for name, column in columns.items()})
        return table.filter(pa().array(skips.kept)) if not skips.kept.all() else table

    def _skip_what_is_no_call(self, texts: Texts, skips: ChunkSkips) -> None:
        kind = texts.get(Field.KIND)
        if kind is not None:
            words = pc().utf8_upper(pc().fill_null(kind, ""))
            no_call = [word not in _CALLS for word in words.to_pylist()]
            skips.mark(np().array(no_call), SkipReason.NOT_A_CALL, texts.title(Field.KIND), kind)

    def _times(self, texts: Texts, skips: ChunkSkips) -> "_Times":
        reading, layout = self._reading, self._reading.layout
        order = reading.conventions.date_order
        cells = texts.time()
        at, bad, days = moments(cells, reading.zone, order)
        # Rows of an empty bucket say so by having nothing but their time.
        skips.mark(bad, SkipReason.BAD_TIME, texts.title(Field.TIME), cells)
        end = at + np().where(days, DAY, 0)
        ends = texts.get(Field.END_TIME)
        latency: Any = None
        if ends is not None:
            until, unknown, _ = moments(ends, reading.zone, order)
            if layout.day_by_day:
                end = np().where(unknown, end, until)
            else:
                latency = np().where(unknown | (until < at), -1, (until - at) // 1000)
        if layout.day_by_day:
            over = end > self._now
            skips.mark(over & (at <= self._now), SkipReason.NOT_OVER, texts.title(Field.TIME), cells)
        # A whole day stands at its noon, so that it is the same day on other clocks too.
        at = at + np().where((end - at == DAY) & (days | layout.day_by_day), _NOON, 0)
        wrong = (at < _FIRST) | (at > self._now + 2 * DAY)
        skips.mark(wrong, SkipReason.OUT_OF_RANGE, texts.title(Field.TIME), cells)
        return _Times(
            at, texts.span(Field.LATENCY_MS, Field.LATENCY_S, latency), self._first_token(texts, at)
        )

    def _first_token(self, texts: Texts, at: Array) -> Array | None:
        cells, first = texts.get(Field.FIRST_TOKEN_TIME), None
        if cells is not None:
            until, unknown, _ = moments(cells, self._reading.zone, self._reading.conventions.date_order)
            first = np().where(unknown | (until <= at), -1, (until - at) // 1000)
        return texts.span(Field.FIRST_TOKEN_MS, Field.FIRST_TOKEN_S, first)

    def _numbers(self, texts: Texts, skips: ChunkSkips) -> dict[Field, Array]:
        """Tokens and requests; 0 where nothing is said."""
        found: dict[Field, Array] = {}
        for each in (*COUNTS, Field.REQUESTS):
            total: Any = np().zeros(len(texts), np().int64)
            for place in self._reading.columns.columns.get(each, ()):
                cells = texts.at(place)
                values, _, bad = counts(cells, self._reading.conventions.decimal)
                title = texts.header[place]
                skips.mark(bad, SkipReason.BAD_NUMBER, title, cells)
                skips.mark(values < 0, SkipReason.NEGATIVE, title, cells)
                skips.mark(values > MOST_TOKENS, SkipReason.ABSURD, title, cells)
                total = total + np().clip(values, 0, MOST_TOKENS)
            found[each] = total
        if Field.USAGE_JSON in self._reading.columns.columns:
            from_json(texts, skips, found)
        parts = found[Field.CACHED] + found[Field.CACHE_WRITE]
        wrong = (parts > found[Field.INPUT]) | (found[Field.INPUT_AUDIO] > found[Field.INPUT])
        skips.mark(
            wrong, SkipReason.CONTRADICTION, texts.title(Field.CACHED) or texts.title(Field.INPUT_AUDIO)
        )
        wrong = np().maximum(found[Field.REASONING], found[Field.OUTPUT_AUDIO]) > found[Field.OUTPUT]
        skips.mark(wrong, SkipReason.CONTRADICTION, texts.title(Field.REASONING) or texts.title(Field.OUTPUT))
        return found

    def _skip_empty(
        self, numbers: dict[Field, Array], cost: Any, skips: ChunkSkips, failed: Array, texts: Texts
    ) -> None:
        """A row that names neither tokens nor a cost nor a number of requests says nothing about usage."""
        layout = self._reading.layout
        if not layout.summed:
            return
        said = numbers[Field.INPUT] + numbers[Field.OUTPUT] + numbers[Field.REQUESTS]
        nothing = (said == 0) & ~cost.says_something & ~failed
        if layout.format is Format.PLAIN and Field.REQUESTS not in self._reading.columns.columns:
            # Without such columns each row is a call, whatever else it tells.
            tells = {Field.INPUT, Field.OUTPUT, Field.COST} & self._reading.columns.columns.keys()
            nothing = nothing & bool(tells)
        skips.mark(nothing, SkipReason.NOTHING)


@dataclass(frozen=True, slots=True)
class _Times:
    """Microseconds since 1970, and two spans in milliseconds, -1 where unknown."""

    at: Array
    latency: Array | None
    first_token: Array | None


def _milliseconds(values: Array | None, length: int) -> Array:
    if values is None:
        return pa().nulls(length, pa().int64())
    return pa().array(values, mask=(values < 0) | (values > _MOST_MS))
