"""What crosses the engine's door: a request for an answer, and how it ended."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from core.errors import AppError
from core.pricing.types import CallCost, Money
from core.providers.content import ToolCall
from core.providers.embedding import Vector
from core.providers.types import CompletionRequest, FinishReason, ModelRequest, SafetyRating, TokenUsage
from core.store.unit_of_work import Session
from core.usage.types import CallStatus, Source

# Longest time an answer may take, seconds; a model that thinks for minutes still fits.
DEADLINE_SECONDS = 600.0
# What an answer is taken to be at most, in tokens, when the request sets no limit of its own: budgets and
# limits of tokens a minute reserve this much until the real figure is known.
DEFAULT_OUTPUT_TOKENS = 4_096


def longest_output(request: ModelRequest) -> int:
    """The tokens that are set aside for what the model writes; 0 where it writes nothing."""
    limit = request.max_output_tokens
    return DEFAULT_OUTPUT_TOKENS if limit is None else limit


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model of a provider."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class Shaped:
    """A request as its user wants this model to be asked."""

    completion: CompletionRequest
    fallbacks: tuple[ModelRef, ...] = ()
    use_cache: bool = False


class RequestShaper(Protocol):
    """Applies a user's preferences for a model; what the request sets itself stands."""

    def shape(self, user_id: int, provider: str, completion: CompletionRequest) -> Shaped: ...


class WaitReason(StrEnum):
    """Why nothing comes yet."""

    RATE_LIMIT = "rate_limit"  # our own limit of requests or tokens a minute
    CONCURRENCY = "concurrency"  # all streams this key may have at once are in use
    RETRY = "retry"  # the provider failed in passing and is asked again


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an answer waits for. `until`: aware, None when it cannot be known. `attempt` counts from 1."""

    reason: WaitReason
    until: datetime | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One answer wanted. `request_id` is its name everywhere and makes its recording idempotent.

    `completion` may ask for embeddings instead of an answer; then `fallbacks` and `use_cache` stay unset, because the
    vectors of another model mean something else. `fallbacks` are asked in order when the model of the request does
    not answer. `use_cache`: an equal request of the same user may be answered from the cache, and this answer may be
    kept. `tags`: what the call is counted under beside its model, as in `core.usage.types.Call`.
    """

    request_id: str
    user_id: int
    source: Source
    provider: str
    completion: ModelRequest
    thread_id: int | None = None
    message_id: int | None = None
    deadline_seconds: float = DEADLINE_SECONDS
    fallbacks: tuple[ModelRef, ...] = ()
    use_cache: bool = False
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended. `text` is all there was of it, also when it was stopped or failed.

    `answered_by`: the model that was asked last; another than the request's when a fallback was used.
    `saved`: what an answer from the cache would have cost. `flag`: what was wrong with the figures the
    server reported, which are then in `reported`, while `usage` holds an estimate. `attempts`: how often a
    provider was asked, 0 for an answer from the cache. `fallback_from`: the model of the request, when
    another one was asked in the end. `safety`: how the provider rated the answer; it is not stored. `vectors`: the
    embeddings, in the order of the inputs; of a failed call those that came.
    """

    status: CallStatus
    text: str
    usage: TokenUsage
    cost: CallCost
    latency_ms: int
    first_token_ms: int | None = None
    finish_reason: FinishReason | None = None
    raw_reason: str = ""  # the provider's own word for it
    error: AppError | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    answered_by: ModelRef | None = None
    attempts: int = 1
    from_cache: bool = False
    saved: Money | None = None
    flag: str | None = None
    reported: dict[str, Any] | None = None
    key_ref: str | None = None
    fallback_from: ModelRef | None = None
    safety: tuple[SafetyRating, ...] = ()
    vectors: tuple[Vector, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of the answer; `offset` counts characters from its start."""

    offset: int
    text: str


class Recorder(Protocol):
    """The caller's side of the engine's transactions (a chat message, a spreadsheet cell …)."""

    def progress(self, session: Session, text: str) -> bool | None:
        """Keep the text so far; called about twice a second while it grows. True: somebody whom the engine cannot
        hear, such as another process, wants the answer to be stopped."""
        ...

    def finish(self, session: Session, outcome: Outcome) -> None:
        """Keep the end, in the transaction that writes the ledger. May be called again after a
        transaction that failed."""
        ...


class BudgetGate(Protocol):
    """What the engine asks before it spends. From worker threads, but for `may_be_active`; without an `active`
    budget, nothing more.

    `worst_case`: what the call costs at most, as far as can be told before it is made.
    """

    @property
    def may_be_active(self) -> bool:
        """Whether there is any budget, or what is known of them is old. Asked for every call and on the event
        loop, so answered from memory."""
        ...

    @property
    def active(self) -> bool:
        """Whether there is any budget."""
        ...

    def check(self, user_id: int, provider: str, worst_case: CallCost) -> object:
        """AppError(BUDGET) when a budget that blocks would be passed."""
        ...

    def hold(self, request_id: str, user_id: int, provider: str, worst_case: CallCost) -> object:
        """Count a call that is on its way with its worst case; a second hold replaces the first."""
        ...

    def release(self, request_id: str) -> object:
        """The call is in the ledger now, or will never be."""
        ...
