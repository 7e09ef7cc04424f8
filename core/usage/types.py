"""What crosses the ledger's door: calls going in, reports coming out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from core.errors import ErrorKind
from core.pricing.types import CallCost
from core.providers.types import TokenUsage


class Source(StrEnum):
    """Where a call came from."""

    CHAT = "chat"
    API = "api"
    SPREADSHEET = "spreadsheet"
    LIVE = "live"
    IMPORT = "import"
    # Invented figures that show what the page can do; never added to real ones.
    SAMPLE = "sample"


class CallStatus(StrEnum):
    """How a call ended. Only `failed` counts as an error."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Call:
    """One provider call, as the ledger keeps it. `request_id` makes recording idempotent.

    `occurred_at` is aware (when the call began); latencies are milliseconds, None when unknown. For the
    fields after `batch` see the columns of `usage_events`. `tags`: pairs of a kind (category, prompt or label)
    and a value; a label's is "name=value". Of a category and a prompt the first counts. `requests`: how many
    requests the call sums up; an imported one may be a whole day of them.
    """

    request_id: str
    user_id: int
    occurred_at: datetime
    provider: str
    model: str
    source: Source
    status: CallStatus
    usage: TokenUsage
    cost: CallCost
    error_kind: ErrorKind | None = None
    latency_ms: int | None = None
    first_token_ms: int | None = None
    thread_id: int | None = None
    message_id: int | None = None
    batch: str | None = None
    attempts: int = 1
    from_cache: bool = False
    saved_nano: int | None = None
    flag: str | None = None
    reported: Mapping[str, Any] | None = None
    fallback_from: str | None = None
    key_ref: str | None = None
    requests: int = 1
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Totals:
    """Sums over calls. `costs` is nano-units by currency; `unpriced` counts calls with no known price.

    `input_tokens` includes cached ones, `output_tokens` includes reasoning.
    """

    requests: int = 0
    errors: int = 0
    unpriced: int = 0
    estimated: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    costs: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class ModelTotals:
    provider: str
    model: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class ProviderTotals:
    provider: str
    models: int
    totals: Totals


@dataclass(frozen=True, slots=True)
class DayTotals:
    """One calendar day (in the report time zone) of one model."""

    day: date
    provider: str
    model: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class UsageReport:
    """A range of inclusive calendar days in the report time zone, with the equally long period before it.

    `daily` has a row for each day and model that had calls, by day; `days` totals every day of the
    range, quiet ones included. `by_model` and `by_provider` come dearest first, then busiest.

    In a report that was asked for in one currency, `converted` says that some amount was converted into it,
    and `unconverted` names the currencies that kept amounts of their own for want of a rate.
    """

    start: date
    end: date
    total: Totals
    previous: Totals
    days: tuple[tuple[date, Totals], ...]
    daily: tuple[DayTotals, ...]
    by_model: tuple[ModelTotals, ...]
    by_provider: tuple[ProviderTotals, ...]
    converted: bool = False
    unconverted: frozenset[str] = frozenset()
