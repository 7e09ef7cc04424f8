"""From the chunks of GigaChat's /v1 stream to our events."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from core.providers.content import ToolCall
from core.providers.types import (
    FinishReason,
    StreamEnd,
    StreamEvent,
    TextDelta,
    TokenUsage,
    UsageReport,
)

if TYPE_CHECKING:
    from gigachat.models.chat import ChatCompletionChunk, Usage

_REASONS: dict[str, FinishReason] = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "function_call": FinishReason.TOOL_CALLS,
    "blacklist": FinishReason.SAFETY,
}


class Answer:
    """What a stream has said so far. `calls` are complete when the stream is; `end` is None until it says one."""

    def __init__(self) -> None:
        self.end: StreamEnd | None = None
        self._calls: list[tuple[str, dict[str, Any]]] = []
        self._state: str | None = None

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The functions asked for, in fact at most one. GigaChat has no ids for calls, so these are made up."""
        signature = self._state.encode() if self._state else None
        return tuple(ToolCall(f"call-{uuid4().hex}", *call, signature) for call in self._calls)

    def events(self, chunk: "ChatCompletionChunk") -> Iterator[StreamEvent]:
        """The text and usage in `chunk`."""
        for choice in chunk.choices[:1]:
            delta = choice.delta
            # "function_in_progress" counts down while GigaChat draws; it is not part of the answer.
            if delta.content and str(getattr(delta.role, "value", delta.role)) != "function_in_progress":
                yield TextDelta(delta.content)
            if delta.function_call is not None:
                arguments = cast("dict[str, Any]", delta.function_call.arguments or {})
                self._calls.append((delta.function_call.name, arguments))
            self._state = delta.functions_state_id or self._state
            if choice.finish_reason:
                raw = choice.finish_reason
                self.end = StreamEnd(_REASONS.get(raw, FinishReason.OTHER), raw)
        if chunk.usage is not None:
            yield UsageReport(_usage(chunk.usage))


def _usage(found: "Usage") -> TokenUsage:
    """GigaChat's `prompt_tokens` leave the cached ones out, as its `total_tokens` do, because they are not billed.

    The API reference calls `total_tokens` the tokens to be paid "after the cached ones are subtracted", and in
    all its examples it is prompt + completion; one has 1 prompt token beside 37 cached ones.
    """
    cached = found.precached_prompt_tokens or 0
    return TokenUsage(
        input_tokens=found.prompt_tokens + cached,
        cached_input_tokens=cached,
        output_tokens=found.completion_tokens,
    )
