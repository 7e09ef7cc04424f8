"""What crosses the engine's door: a request for an answer, and how it ended."""

from dataclasses import dataclass
from typing import Protocol

from core.errors import AppError
from core.pricing.types import CallCost
from core.providers.types import CompletionRequest, FinishReason, TokenUsage
from core.store.unit_of_work import Session
from core.usage.types import CallStatus, Source

# Longest time an answer may take, seconds; a model that thinks for minutes still fits.
DEADLINE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One answer wanted. `request_id` is its name everywhere and makes its recording idempotent."""

    request_id: str
    user_id: int
    source: Source
    provider: str
    completion: CompletionRequest
    thread_id: int | None = None
    message_id: int | None = None
    deadline_seconds: float = DEADLINE_SECONDS


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended. `text` is all there was of it, also when it was stopped or failed."""

    status: CallStatus
    text: str
    usage: TokenUsage
    cost: CallCost
    latency_ms: int
    first_token_ms: int | None = None
    finish_reason: FinishReason | None = None
    error: AppError | None = None


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of the answer; `offset` counts characters from its start."""

    offset: int
    text: str


class Recorder(Protocol):
    """The caller's side of the engine's transactions (a chat message, a spreadsheet cell …)."""

    def progress(self, session: Session, text: str) -> None:
        """Keep the text so far; called about twice a second while it grows."""
        ...

    def finish(self, session: Session, outcome: Outcome) -> None:
        """Keep the end, in the transaction that writes the ledger. May be called again after a
        transaction that failed."""
        ...
