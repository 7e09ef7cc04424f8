"""What the ledger can be asked, and what it answers: the one interface that all usage queries stand behind.

`UsageReader` is that interface; whatever keeps the calls can serve it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from core.pricing.types import Money
from core.usage.explore.part_types import Part


class Dimension(StrEnum):
    """What calls differ in: to filter by, or to group by.

    The value of a MODEL is "provider/model", of a USER and a THREAD its id in digits, of a LABEL "name=value".
    CATEGORY, PROMPT and LABEL are what a call was tagged with when it was made; a call may have several labels,
    so that groups by LABEL can add up to more than the total. STATUS is a CallStatus, ERROR an ErrorKind,
    SOURCE a Source.
    """

    PROVIDER = "provider"
    MODEL = "model"
    SOURCE = "source"
    USER = "user"
    STATUS = "status"
    ERROR = "error"
    CATEGORY = "category"
    PROMPT = "prompt"
    LABEL = "label"
    THREAD = "thread"


class Interval(StrEnum):
    """How long one point of a chart is. Weeks begin on Monday; the first and last may be cut by the range."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Compare(StrEnum):
    """What a range is compared with: nothing, the equally long period right before it, or the same days of the
    month before (the 31st of a shorter month is its last day)."""

    NONE = "none"
    PREVIOUS = "previous"
    LAST_MONTH = "last_month"


Where = tuple[tuple[Dimension, tuple[str, ...]], ...]
"""Each dimension at most once, with the values that count, any of them; a call must pass all dimensions."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The calls of the report days `start` to `end`, both included, of user `scope` (None: of all users, which is
    an admin's to ask; the caller knows). Real calls or, with `sample`, sample data: never both."""

    scope: int | None
    start: date
    end: date
    sample: bool = False
    where: Where = ()

    def values(self, dimension: Dimension) -> tuple[str, ...]:
        """The values asked for; none: any."""
        return dict(self.where).get(dimension, ())


@dataclass(slots=True)
class Measures:
    """Sums over calls. `costs` and `saved`: nano-units by currency; `saved` is what answers from the cache would
    have cost. `unpriced` calls have no known price and are in no cost. `input_tokens` include cached ones and
    cache writes, `output_tokens` include reasoning. `timed_*`: of calls whose speed is known."""

    requests: int = 0
    errors: int = 0
    unpriced: int = 0
    estimated: int = 0
    from_cache: int = 0
    flagged: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    input_audio_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    output_audio_tokens: int = 0
    timed_output_tokens: int = 0
    timed_ms: int = 0
    costs: dict[str, int] = field(default_factory=dict[str, int])
    saved: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens a second while they came, over all timed calls; None when no call was timed."""
        return self.timed_output_tokens * 1000 / self.timed_ms if self.timed_ms else None


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds from a histogram of log buckets, so within its bucket's width; None without calls.

    `calls` were measured: completed ones for latency, all that began to answer for the first token; no answers
    from the cache, and no imported rows that sum up several requests.
    """

    calls: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """How long calls took, whole and to the first token."""

    latency: Percentiles = Percentiles()
    first_token: Percentiles = Percentiles()


@dataclass(frozen=True, slots=True)
class Period:
    """One point of a chart: its days, both included."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Group:
    """All calls of the selection with one value of the dimension grouped by; "" for calls that have none.

    `points` has the group's measures for each period of the exploration, quiet ones included; made as they are
    read, since a year of many models has thousands.
    """

    value: str
    total: Measures
    points: Sequence[Measures]
    latency: Percentiles
    first_token: Percentiles


@dataclass(frozen=True, slots=True)
class Exploration:
    """The answer to `explore`. `groups` come dearest first, then busiest. `points` total each period.

    `compared` is the range compared with, `before` its total and `before_points` its points, None without one;
    they may be one more or less than `points` when two months differ. `converted` and `unconverted` are as in a
    UsageReport. `errors`, if asked for: how many calls failed with which kind of error ("" tells none), in no order.
    `slow` says that the calls themselves had to be read, because no roll-up knows this selection.
    """

    selection: Selection
    by: Dimension
    interval: Interval
    periods: tuple[Period, ...]
    total: Measures
    points: tuple[Measures, ...]
    groups: tuple[Group, ...]
    latency: Percentiles
    first_token: Percentiles
    compared: Period | None = None
    before: Measures | None = None
    before_points: tuple[Measures, ...] | None = None
    converted: bool = False
    unconverted: frozenset[str] = frozenset()
    errors: Mapping[str, int] = field(default_factory=dict[str, int])
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Bucket:
    """Calls that took from `low` (included) to `high` (excluded) milliseconds."""

    low: float
    high: float
    calls: int


@dataclass(frozen=True, slots=True)
class LengthBucket:
    """Answers of `low` to `high` output tokens, both included, and what those with a price cost, by currency."""

    low: int
    high: int
    calls: int
    priced: Mapping[str, int]
    costs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Calls of one hour of one weekday, in the report time zone; not those that an import summed up by the day."""

    requests: int = 0
    tokens: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Patterns:
    """When calls are made, how long they take, and what an answer costs against its length.

    `heat`: 7 weekdays from Monday, each of 24 hours. `lengths`: completed answers only, by output tokens.
    """

    heat: tuple[tuple[HeatCell, ...], ...]
    latency: tuple[Bucket, ...]
    first_token: tuple[Bucket, ...]
    lengths: tuple[LengthBucket, ...]
    slow: bool = False


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call as it stands in the ledger. `occurred_at` is aware; `cost` None is unpriced.

    `thread_id` and `message_id` may be gone since; the call counts all the same. `tags` as in `core.usage.types`.
    `requests`: how many requests the row stands for, more than one only when it was imported as a sum.
    """

    id: int
    request_id: str
    user_id: int
    occurred_at: datetime
    day: date
    provider: str
    model: str
    source: str
    status: str
    error_kind: str | None
    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    estimated: bool
    cost: Money | None
    price_source: str
    latency_ms: int | None
    first_token_ms: int | None
    thread_id: int | None
    message_id: int | None
    attempts: int
    from_cache: bool
    saved: Money | None
    flag: str | None
    reported: Mapping[str, Any] | None
    fallback_from: str | None
    tags: tuple[tuple[str, str], ...]
    requests: int = 1


@dataclass(frozen=True, slots=True)
class CallPage:
    """Calls, the newest first; `older` asks for the next page, None at the end."""

    calls: tuple[CallRow, ...]
    older: str | None


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """`lag` counts calls that no figure shows yet: 0 by construction, and counted, not claimed."""

    events: int
    lag: int
    first_day: date | None
    last_day: date | None
    timezone: str
    rebuilt_at: datetime | None


class UsageReader(Protocol):
    """Every question the pages and the API ask of the ledger.

    AppError(VALIDATION) for a range that no report could have (reversed, too long), or a cursor or a value that
    is none.
    """

    def explore(
        self,
        selection: Selection,
        by: Dimension = Dimension.MODEL,
        interval: Interval = Interval.DAY,
        compare: Compare = Compare.NONE,
        currency: str | None = None,
        kinds: bool = False,
    ) -> Exploration:
        """Totals, points and groups; with a `currency`, converted at the rate of each day; with `kinds`, why calls
        failed."""
        ...

    def series(
        self, selection: Selection, by: Dimension, interval: Interval, figure: str
    ) -> tuple[tuple[Period, ...], Mapping[tuple[str, str], Sequence[int]]]:
        """One figure over time: the periods, and by value of the group and currency ("" for what is no money) a
        number for each. `figure`: "tokens", a count of Measures, or "cost" and "saved" in nano-units. Groups that
        come to nothing are left out. AppError(VALIDATION) for another figure."""
        ...

    def timings(
        self, selection: Selection, by: Dimension, interval: Interval
    ) -> tuple[tuple[Period, ...], Mapping[str, Sequence[Timing]]]:
        """Percentiles over time: the periods, and by value of the group one Timing for each. Groups of which no call
        was timed are left out."""
        ...

    def patterns(self, selection: Selection) -> Patterns:
        """The heat map and the distributions."""
        ...

    def top(
        self, selection: Selection, by: Dimension, limit: int = 10, currency: str | None = None
    ) -> tuple[Group, ...]:
        """The dearest groups, without points; "" (calls that have no such value) is left out."""
        ...

    def calls(
        self, selection: Selection, older: str | None = None, limit: int = 100, part: Part | None = None
    ) -> CallPage:
        """The calls themselves, the newest first; `older` is a page's own. With a `part` only those that this bar or
        cell of the selection's Patterns counts."""
        ...

    def values(self, scope: int | None, sample: bool = False) -> Mapping[Dimension, Sequence[str]]:
        """What can be filtered by: the values that calls have, of every dimension but THREAD."""
        ...

    def users(self, scope: int | None, sample: bool = False) -> Sequence[str]:
        """Whose calls there are, of the values of USER alone."""
        ...

    def health(self) -> LedgerHealth:
        """What the ledger holds, and whether its roll-ups show all of it."""
        ...
