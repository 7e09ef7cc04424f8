"""What crosses the providers' door: wire-neutral requests, events and facts."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Capability(StrEnum):
    """What an adapter can do; the UI reads these instead of catching exceptions."""

    STREAM = "stream"
    USAGE_IN_STREAM = "usage_in_stream"
    SYSTEM_PROMPT = "system_prompt"
    TEMPERATURE = "temperature"
    LIST_MODELS = "list_models"


class FinishReason(StrEnum):
    """Why a model ended, in one vocabulary for all providers."""

    STOP = "stop"
    LENGTH = "length"
    SAFETY = "safety"
    TOOL_CALLS = "tool_calls"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of one call, normalised to ONE meaning whatever the provider's fields mean.

    `input_tokens` includes cached, cache-write and audio input; `output_tokens` includes reasoning
    and audio output. `estimated` is true when any figure was not reported by the provider.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    input_audio_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    output_audio_tokens: int = 0
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of a conversation as a provider sees it; `role` is user or assistant."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """What is asked of a model. `temperature` is 0..2; None leaves the provider's default."""

    model: str
    messages: tuple[ChatMessage, ...]
    system_prompt: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Usage so far, cumulative: the last one of a stream counts."""

    usage: TokenUsage


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The model ended by itself. `raw_reason` is the provider's own word for it."""

    reason: FinishReason
    raw_reason: str = ""


StreamEvent = TextDelta | UsageReport | StreamEnd


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that can be picked."""

    id: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """What a provider is and can do.

    `free_reason`: why its calls cost an explicit 0 (English, for the price source); None = priced or unpriced.
    `notice`: a label (translatable) that stands on every message of it, or None.
    """

    id: str
    label: str
    capabilities: frozenset[Capability]
    suggested_models: tuple[ModelInfo, ...] = ()
    free_reason: str | None = None
    notice: str | None = None


class Provider(Protocol):
    """One AI provider behind its official SDK.

    `stream` yields any number of TextDelta and UsageReport and exactly one StreamEnd, the last event.
    It raises AppError only: the SDK's errors are converted once, inside the adapter. A stream that
    the server cuts off before a finish reason raises AppError(CUT_STREAM). Closing the generator
    (aclose) or cancelling the task closes the connection. No retries here: the engine owns them.
    """

    @property
    def info(self) -> ProviderInfo: ...

    def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamEvent, None]: ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models this key can use, in the provider's order; AppError when it cannot be asked."""
        ...

    async def aclose(self) -> None:
        """Close the SDK's connections."""
        ...
