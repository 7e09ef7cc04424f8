"""What crosses the chat's door."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import AppError
from core.generation.generation import Generation
from core.pricing.types import CallCost
from core.providers.content import ToolCall
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
class AttachmentInfo:
    """A file of a message without its bytes; `size` counts them, `sha256` is their hash in hex."""

    name: str
    mime_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. The fields after `created_at` belong to answers; latencies are milliseconds.

    `provider` and `model` are those that answered; `fallback_from` is the "provider/model" asked first when
    that was another. `attempts`: how often a provider was asked, 0 for an answer from the cache. `flag`: what
    was wrong with the usage the server reported. `attachments` belong to a user's message, in their order.
    """

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
    raw_reason: str = ""  # the provider's own word for an unusual end
    latency_ms: int | None = None
    first_token_ms: int | None = None
    error: AppError | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    attempts: int | None = None
    from_cache: bool = False
    fallback_from: str | None = None
    flag: str | None = None
    attachments: tuple[AttachmentInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way: where it stands, and the answer being written."""

    thread: Thread
    message_id: int
    generation: Generation
