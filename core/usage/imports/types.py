"""What crosses the door of imports: what a file may be, how to read it, what it holds, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from core.errors import AppError, ErrorKind
from core.i18n import N_


class Format(StrEnum):
    """The exports that are known by their headers. `plain` is a table with documented column names."""

    OPENAI_USAGE = "openai_usage"
    OPENAI_ACTIVITY = "openai_activity"
    OPENAI_COSTS = "openai_costs"
    ANTHROPIC_USAGE = "anthropic_usage"
    ANTHROPIC_COSTS = "anthropic_costs"
    LITELLM = "litellm"
    LANGFUSE = "langfuse"
    LANGFUSE_TRACES = "langfuse_traces"
    PLAIN = "plain"


class Field(StrEnum):
    """What a column can say about a call. Tokens as in TokenUsage; `*_s` are seconds, `*_ms` milliseconds."""

    TIME = "time"
    END_TIME = "end_time"
    FIRST_TOKEN_TIME = "first_token_time"  # noqa: S105 - a column
    PROVIDER = "provider"
    MODEL = "model"
    INPUT = "input_tokens"
    CACHED = "cached_input_tokens"
    CACHE_WRITE = "cache_write_tokens"
    INPUT_AUDIO = "input_audio_tokens"
    OUTPUT = "output_tokens"
    REASONING = "reasoning_tokens"
    OUTPUT_AUDIO = "output_audio_tokens"
    REQUESTS = "requests"
    COST = "cost"
    CURRENCY = "currency"
    STATUS = "status"
    LATENCY_MS = "latency_ms"
    LATENCY_S = "latency_s"
    FIRST_TOKEN_MS = "first_token_ms"  # noqa: S105 - a column
    FIRST_TOKEN_S = "first_token_s"  # noqa: S105 - a column
    CACHE_HIT = "cache_hit"
    CATEGORY = "category"
    PROMPT = "prompt"
    LABELS = "labels"
    ID = "request_id"
    # JSON of tokens by kind, for tools that keep them so.
    USAGE_JSON = "usage_json"
    # JSON of amounts by kind.
    COST_JSON = "cost_json"
    # Why a row cannot be priced by the token: a discount or a surcharge that no price of ours knows.
    TIER = "tier"
    # The kind of thing a row is about; only some kinds are calls.
    KIND = "kind"


COUNTS = (
    Field.INPUT,
    Field.CACHED,
    Field.CACHE_WRITE,
    Field.INPUT_AUDIO,
    Field.OUTPUT,
    Field.REASONING,
    Field.OUTPUT_AUDIO,
)
"""The token fields, in the order of TokenUsage."""


class DateOrder(StrEnum):
    """Which of the two comes first in 03/04/2026."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


class DecimalSign(StrEnum):
    POINT = "."
    COMMA = ","


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a file; None: found out from the file itself. `zone`: IANA name for times that name none
    (None: the report zone). `currency`: of costs whose row names none."""

    format: Format | None = None
    encoding: str | None = None
    separator: str | None = None
    decimal: DecimalSign | None = None
    date_order: DateOrder | None = None
    zone: str | None = None
    currency: str = "USD"


DETECTED = ImportOptions()
"""Everything found out from the file."""


class Asked(StrEnum):
    """What a file leaves open, named as the option that answers it."""

    DATE_ORDER = "date_order"
    DECIMAL = "decimal"


class UnclearFile(AppError):
    """The file can be read in two ways: `asked` has to be told. `row` and `example` show where."""

    def __init__(self, asked: Asked, column: str, row: int, example: str) -> None:
        text = {
            Asked.DATE_ORDER: N_(
                "Every date in column “{column}” can be read in two ways, such as {example} in row {row}. "
                "Choose whether the day or the month comes first."
            ),
            Asked.DECIMAL: N_(
                "The amounts in column “{column}” can be read in two ways, such as {example} in row {row}. "
                "Choose whether a comma or a point stands before the decimals."
            ),
        }[asked]
        super().__init__(ErrorKind.VALIDATION, text, column=column, row=row, example=example)
        self.asked = asked
        self.row = row
        self.example = example


class SkipReason(StrEnum):
    """Why a row adds nothing."""

    BAD_TIME = "bad_time"
    OUT_OF_RANGE = "out_of_range"
    NOT_OVER = "not_over"
    NO_MODEL = "no_model"
    NOT_A_CALL = "not_a_call"
    NOTHING = "nothing"
    BAD_NUMBER = "bad_number"
    NEGATIVE = "negative"
    ABSURD = "absurd"
    CONTRADICTION = "contradiction"
    BAD_STATUS = "bad_status"
    BAD_CURRENCY = "bad_currency"
    BAD_JSON = "bad_json"
    SHORT_ROW = "short_row"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Skip:
    """So many rows are skipped for a reason that `column` gives, "" when the row as a whole is meant. `row` (the header
    is 1) and `example` are those of the first one."""

    reason: SkipReason
    rows: int
    row: int
    column: str
    example: str


@dataclass(frozen=True, slots=True)
class ModelLine:
    """What the file has of one model. `given` and `priced`: nano-units by currency, as the file says and as our
    prices say; `unpriced` requests have neither."""

    provider: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    given: Mapping[str, int]
    priced: Mapping[str, int]
    unpriced: int


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A row as it would be recorded; `nano` None is unpriced."""

    row: int
    occurred_at: datetime
    provider: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    nano: int | None
    currency: str
    given: bool
    status: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do. `rows` of the file become `calls`; `known` of those stand in the ledger already.

    `counted`: whether the file says how many requests a row stands for. `summed`: whether its rows may stand for
    many. `zone`: the one whose days the calls were given.
    """

    file_name: str
    format: Format
    encoding: str | None
    separator: str | None
    guessed: bool
    rows: int
    calls: int
    known: int
    first_day: date | None
    last_day: date | None
    models: tuple[ModelLine, ...]
    skips: tuple[Skip, ...]
    sample: tuple[SampleRow, ...]
    summed: bool
    counted: bool
    columns: tuple[str, ...]
    unused: tuple[str, ...]
    zone: str


@dataclass(frozen=True, slots=True)
class ImportInfo:
    """One import that was made. `calls` were added, for `requests`; `costs`: nano-units by currency.

    `undone_at`: when it was taken out, or when that began while `left` of its calls still stand.
    """

    id: int
    created_at: datetime
    file_name: str
    format: Format
    calls: int
    requests: int
    skipped: int
    known: int
    first_day: date
    last_day: date
    costs: Mapping[str, int]
    unpriced: int
    undone_at: datetime | None
    left: int = 0


class Step(StrEnum):
    """Where a job is."""

    READING = "reading"
    READY = "ready"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as it stands. `done` of `total` units; rows a second and seconds left are None until known.

    `stage` counts the sub-steps; `preview` when it is ready, `info` when it is done, `error` when it failed.
    """

    step: Step
    file_name: str
    done: int = 0
    total: int = 0
    rows: int = 0
    rows_per_second: int | None = None
    seconds_left: int | None = None
    preview: Preview | None = None
    info: ImportInfo | None = None
    error: AppError | None = None
    options: ImportOptions = DETECTED
