"""From the events of Anthropic's message stream to ours."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from core.providers.content import ToolCall
from core.providers.types import (
    FinishReason,
    StreamEnd,
    StreamEvent,
    TextDelta,
    TokenUsage,
    ToolCallRequested,
    UsageReport,
)

if TYPE_CHECKING:
    from anthropic.types import (
        RawContentBlockDeltaEvent,
        RawContentBlockStartEvent,
        RawMessageStreamEvent,
    )

_REASONS: dict[str, FinishReason] = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.SAFETY,
}
_FIGURES = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


class AnswerReader:
    """Reads one stream. `end` is set once the model has said why it stopped.

    `unreadable_call`: a function was asked for with arguments that are no JSON object, as when the answer
    was cut to length inside them.
    """

    def __init__(self) -> None:
        self.end: StreamEnd | None = None
        self.unreadable_call = False
        self._figures: dict[str, int] = {}
        self._calls: dict[int, _PartialCall] = {}

    def read(self, event: "RawMessageStreamEvent") -> Iterator[StreamEvent]:
        """What `event` means, if anything. AttributeError and the like when it is not what it should be."""
        match event.type:
            case "message_start":
                yield from self._counted(event.message.usage)
            case "content_block_start":
                yield from self._started(event)
            case "content_block_delta":
                yield from self._continued(event)
            case "content_block_stop":
                yield from self._called(self._calls.pop(event.index, None))
            case "message_delta":
                yield from self._counted(event.usage)
                if event.delta.stop_reason:
                    raw = str(event.delta.stop_reason)
                    self.end = StreamEnd(_REASONS.get(raw, FinishReason.OTHER), raw)
            case _:
                pass  # message_stop says nothing new, and there may be newer events than we know

    def _started(self, event: "RawContentBlockStartEvent") -> Iterator[StreamEvent]:
        block = event.content_block
        if block.type == "tool_use":
            self._calls[event.index] = _PartialCall(block.id, block.name, block.input)
        elif block.type == "text" and block.text:
            yield TextDelta(block.text)

    def _continued(self, event: "RawContentBlockDeltaEvent") -> Iterator[StreamEvent]:
        if event.delta.type == "text_delta" and event.delta.text:
            yield TextDelta(event.delta.text)
        elif event.delta.type == "input_json_delta" and event.index in self._calls:
            self._calls[event.index].add(event.delta.partial_json)

    def _called(self, call: "_PartialCall | None") -> Iterator[StreamEvent]:
        if call is None:
            return  # a text or a thought has ended
        arguments = call.arguments
        if arguments is None:
            self.unreadable_call = True
        else:
            yield ToolCallRequested(ToolCall(call.id, call.name, arguments))

    def _counted(self, usage: object) -> Iterator[StreamEvent]:
        # All figures are cumulative; the last report of a stream names only those that have changed.
        for name in _FIGURES:
            self._note(name, getattr(usage, name, None))
        details = getattr(usage, "output_tokens_details", None)
        self._note("thinking_tokens", getattr(details, "thinking_tokens", None))
        if any(self._figures.values()):
            yield UsageReport(_usage(self._figures))

    def _note(self, name: str, figure: object) -> None:
        if isinstance(figure, int):  # the SDK does not check what a server sends
            self._figures[name] = figure


class _PartialCall:
    def __init__(self, call_id: str, name: str, given: object) -> None:
        self.id, self.name, self._given, self._json = call_id, name, given, ""

    def add(self, piece: str) -> None:
        self._json += piece

    @property
    def arguments(self) -> dict[str, Any] | None:
        """None when they are no JSON object."""
        try:
            found: object = json.loads(self._json) if self._json else self._given or {}
        except ValueError:
            return None
        return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _usage(figures: dict[str, int]) -> TokenUsage:
    """Anthropic counts what was read from and written to the cache beside its input; we count them in."""
    read = figures.get("cache_read_input_tokens", 0)
    written = figures.get("cache_creation_input_tokens", 0)
    return TokenUsage(
        input_tokens=figures.get("input_tokens", 0) + read + written,
        cached_input_tokens=read,
        cache_write_tokens=written,
        output_tokens=figures.get("output_tokens", 0),
        reasoning_tokens=figures.get("thinking_tokens", 0),
    )
