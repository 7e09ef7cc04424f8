"""What crosses the providers' door: wire-neutral requests, events and facts."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from core.providers.content import (
    Attachment,
    FunctionDeclaration,
    GeminiOptions,
    MediaKind,
    ResponseSchema,
    ToolCall,
    ToolResult,
)
from core.providers.embedding import Embedded, EmbeddingRequest


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"  # the results of the functions that the turn before asked for


class Capability(StrEnum):
    """What an adapter can do; the UI reads these instead of catching exceptions."""

    STREAM = "stream"
    USAGE_IN_STREAM = "usage_in_stream"
    SYSTEM_PROMPT = "system_prompt"
    TEMPERATURE = "temperature"
    LIST_MODELS = "list_models"
    IMAGES = "images"
    DOCUMENTS = "documents"
    AUDIO = "audio"
    VIDEO = "video"
    FILE_URIS = "file_uris"
    TOOLS = "tools"
    STRUCTURED_OUTPUT = "structured_output"
    REASONING_EFFORT = "reasoning_effort"
    COUNT_TOKENS = "count_tokens"  # an exact count by the provider, before sending
    BALANCE = "balance"  # tells what is left of a prepaid package
    EMBEDDINGS = "embeddings"
    EMBEDDING_DIMENSIONS = "embedding_dimensions"  # as many as are asked for
    EMBEDDING_TOKEN_IDS = "embedding_token_ids"  # noqa: S105 - takes inputs as token ids; no secret


TEXT_CHAT = frozenset(
    {
        Capability.STREAM,
        Capability.USAGE_IN_STREAM,
        Capability.SYSTEM_PROMPT,
        Capability.TEMPERATURE,
        Capability.LIST_MODELS,
    }
)
"""What every adapter of a real provider can do."""

MEDIA: Mapping[MediaKind, Capability] = {
    MediaKind.IMAGE: Capability.IMAGES,
    MediaKind.DOCUMENT: Capability.DOCUMENTS,
    MediaKind.AUDIO: Capability.AUDIO,
    MediaKind.VIDEO: Capability.VIDEO,
}
"""What an adapter must be able to do to take an attachment; text files go to all."""


class ReasoningEffort(StrEnum):
    """How long a model is to think, for those that do."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


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
    and audio output. `estimated` is true when any figure was not reported by the provider. Figures are
    what the server said, even where they make no sense: the engine judges them, not the adapter.
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
    """One turn of a conversation as a provider sees it; `role` is user, assistant or tool.

    `attachments` belong to a user's turn, `tool_calls` to an assistant's, `tool_results` to a tool's.
    """

    role: Role
    text: str
    attachments: tuple[Attachment, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """What is asked of a model; None leaves the provider's default. `temperature` is 0..2, `top_p` 0..1.

    An adapter leaves out what its provider does not know, and raises AppError(VALIDATION) only where the
    answer would not be what was asked for: an attachment it cannot send, a function, a schema.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    system_prompt: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop_sequences: tuple[str, ...] = ()
    seed: int | None = None
    reasoning_effort: ReasoningEffort | None = None
    tools: tuple[FunctionDeclaration, ...] = ()
    response_schema: ResponseSchema | None = None
    gemini: GeminiOptions | None = None


ModelRequest = CompletionRequest | EmbeddingRequest
"""What can be asked of a model."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Usage so far, cumulative: the last one of a stream counts."""

    usage: TokenUsage


@dataclass(frozen=True, slots=True)
class SafetyRating:
    """How likely a provider takes an answer, or the prompt it refused, to do a kind of harm, in its own words.

    `blocked`: whether it kept the text back for that.
    """

    category: str
    probability: str
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The model ended by itself. `raw_reason` is the provider's own word for it. `safety`: from those that rate."""

    reason: FinishReason
    raw_reason: str = ""
    safety: tuple[SafetyRating, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCallRequested:
    """The model asks for a function; one event a call, when it is complete."""

    call: ToolCall


StreamEvent = TextDelta | ToolCallRequested | Embedded | UsageReport | StreamEnd


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that can be picked. Its limits are tokens, None when the provider does not tell; `description` is the
    provider's own, "" when there is none."""

    id: str
    label: str = ""
    input_limit: int | None = None
    output_limit: int | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """What a provider is and can do.

    `free_reason`: why its calls cost an explicit 0 (English, for the price source); None = priced or unpriced.
    `notice`: a label (translatable) that stands on every message of it, or None. `embedding_models`: known ones
    that make embeddings; a provider lists the models that chat.
    """

    id: str
    label: str
    capabilities: frozenset[Capability]
    suggested_models: tuple[ModelInfo, ...] = ()
    free_reason: str | None = None
    notice: str | None = None
    embedding_models: tuple[ModelInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """What a working connection tells. `tokens_left`: what remains of prepaid packages, by model."""

    models: int = 0
    tokens_left: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """What an SDK would send: `body` is the exact JSON. Neither `url` nor `body` holds a key."""

    method: str
    url: str
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Provider(Protocol):
    """One AI provider behind its official SDK.

    `stream` yields any number of TextDelta and UsageReport and exactly one StreamEnd, the last event; `embed` the
    same with Embedded, as many vectors in all as there are inputs. They raise AppError only: the SDK's errors are
    converted once, inside the adapter. A stream that the server cuts off before a finish reason raises
    AppError(CUT_STREAM). Closing the generator (aclose) or cancelling the task closes the connection. No retries
    here: the engine owns them.
    """

    @property
    def info(self) -> ProviderInfo: ...

    def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamEvent, None]: ...

    def embed(self, request: EmbeddingRequest) -> AsyncGenerator[StreamEvent, None]: ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models this key can use, in the provider's order; AppError when it cannot be asked."""
        ...

    async def check(self) -> ConnectionReport:
        """Ask the provider whether key and address work, without paying for an answer.

        AppError with what is wrong and what to do, the most telling the provider allows.
        """
        ...

    async def prepare(self, request: CompletionRequest) -> PreparedRequest:
        """What `stream` would send for `request`, without sending anything; AppError as in `stream`."""
        ...

    async def count_tokens(self, request: CompletionRequest) -> int | None:
        """Input tokens of `request` by the provider's own count; None when it offers none. AppError when
        it cannot be asked. Costs nothing."""
        ...

    async def aclose(self) -> None:
        """Close the SDK's connections."""
        ...
