"""What crosses the chat's door."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import AppError
from core.generation.generation import Generation
from core.pricing.types import CallCost
from core.providers.types import Role, TokenUsage


class MessageStatus(StrEnum):
    """Where a message stands. A user's is always complete."""

    COMPLETE = "complete"
    STREAMING = "streaming"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation; `provider` and `model` are those last used in it."""

    id: int
    uuid: str
    title: str
    provider: str
    model: str
    created_at: datetime
    last_message_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. The fields after `created_at` belong to answers; latencies are milliseconds."""

    id: int
    role: Role
    content: str
    status: MessageStatus
    created_at: datetime
    provider: str | None = None
    model: str | None = None
    request_id: str | None = None
    usage: TokenUsage | None = None
    cost: CallCost | None = None
    finish_reason: str | None = None
    latency_ms: int | None = None
    first_token_ms: int | None = None
    error: AppError | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way: where it stands, and the answer being written."""

    thread: Thread
    message_id: int
    generation: Generation
