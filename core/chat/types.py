"""What crosses the chat's door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

from core.categories.types import CategoryInfo
from core.errors import AppError
from core.generation.generation import Generation
from core.generation.types import DEADLINE_SECONDS
from core.pricing.types import CallCost
from core.providers.content import ToolCall
from core.providers.types import Role, TokenUsage
from core.store.paging import ROWS
from core.usage.types import Source

ThreadName = int | str
"""A thread's id, or its uuid."""


class MessageStatus(StrEnum):
    """Where a message stands. A user's is always complete."""

    COMPLETE = "complete"
    STREAMING = "streaming"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation; `provider` and `model` are those last used in it.

    `system_prompt`, `max_tokens` and `temperature` are its own, and stand over the user's preferences; None: those.
    """

    id: int
    uuid: str
    user_id: int
    title: str
    provider: str
    model: str
    created_at: datetime
    updated_at: datetime
    last_message_at: datetime
    category_id: int | None = None
    is_pinned: bool = False
    is_archived: bool = False
    system_prompt: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None


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

    `tokens` are the message's own: of an answer its output, of a question an estimate (`tokens_estimated`), of one
    that a program added what it said. `with_context`: whether the turns before went along with the question.
    `meta`: what a program noted on a message it added.
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
    thread_id: int = 0
    tokens: int | None = None
    tokens_estimated: bool = False
    with_context: bool | None = None
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way: where it stands, and the answer being written. `question_id`: the message that asks;
    None for an answer that is tried again."""

    thread: Thread
    message_id: int
    generation: Generation
    question_id: int | None = None


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How one message is sent. What is None is the thread's, else the user's preference, else the provider's.

    `use_context`: the turns before go along. `prompt`: the title of the library's prompt it was made from, for the
    ledger. `deadline_seconds`: how long the answer may take.
    """

    use_context: bool = True
    system_prompt: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    deadline_seconds: float = DEADLINE_SECONDS
    source: Source = Source.CHAT
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class NewThread:
    """A thread to make. Without a title it is named after its first message."""

    provider: str
    model: str
    title: str | None = None
    category_id: int | None = None
    is_pinned: bool = False
    is_archived: bool = False
    system_prompt: str | None = None
    initial_message: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None


class ThreadChanges(TypedDict, total=False):
    """What to change of a thread; what is not named stays, and None takes away."""

    title: str
    category_id: int | None
    is_pinned: bool
    is_archived: bool
    system_prompt: str | None
    provider: str
    model: str
    max_tokens: int | None
    temperature: float | None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to store as it is; no model is asked. A system message becomes the thread's system prompt."""

    role: Role
    content: str
    tokens: int | None = None
    provider: str | None = None
    model: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class ThreadCursor:
    """A place in the list of threads, behind one of them. Unlike a number of threads to skip it does not move when
    threads come in at the top."""

    last_message_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class ThreadQuery:
    """Which of a user's threads; None: any. `search` is looked for in titles and messages, in any letter case."""

    skip: int = 0
    limit: int = ROWS
    category_id: int | None = None
    is_archived: bool | None = None
    is_pinned: bool | None = None
    search: str | None = None
    after: ThreadCursor | None = None


@dataclass(frozen=True, slots=True)
class LastMessage:
    """How a thread ends; `content` is cut after 200 characters."""

    id: int
    role: Role
    content: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ThreadDetails:
    """A thread as it stands in a list."""

    thread: Thread
    category: CategoryInfo | None
    message_count: int
    last_message: LastMessage | None


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """A part of a list, newest activity first. `total` counts all that match; `next` is where to go on, None at
    the end."""

    items: tuple[ThreadDetails, ...]
    total: int
    next: ThreadCursor | None


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages. `has_more`: there are others further on in the direction that was asked for."""

    items: tuple[Message, ...]
    total: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class ChatStats:
    """A user's conversations in figures; averages are None without anything to average.

    `active` are those that are not archived. `tokens` are the messages' own: those of questions are estimates.
    """

    threads: int
    active: int
    messages: int
    tokens: int
    messages_per_thread: float | None
    tokens_per_message: float | None
    recent: tuple[ThreadDetails, ...]
