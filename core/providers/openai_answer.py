"""From the chunks of a stream of OpenAI's chat completions to our events."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, cast
from uuid import uuid4

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
    from openai.types import CreateEmbeddingResponse
    from openai.types.create_embedding_response import Usage

Json = Mapping[str, Any]
"""An object as a server sent it: the SDK's own objects, built for each chunk, take a third of a call's time."""

_REASONS: dict[str, FinishReason] = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.SAFETY,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
}
# The model was stopped, so what it was asking for then is not all there.
_CUT_SHORT = frozenset({FinishReason.LENGTH, FinishReason.SAFETY})


class AnswerReader:
    """Reads one stream, chunk by chunk; then `calls` has the functions that the model asks for."""

    def __init__(self) -> None:
        self._finish = ""
        self._refused = False
        self._calls: list[_PartialCall] = []
        self._at: dict[int | None, _PartialCall] = {}  # the newest call of an index

    def read(self, chunk: Json) -> Iterator[StreamEvent]:
        """What `chunk` means, if anything. AttributeError and the like when it is not what it should be."""
        choices: list[Json] = chunk.get("choices") or []
        for choice in choices[:1]:
            if delta := choice.get("delta"):
                yield from self._continued(delta)
            if finish := choice.get("finish_reason"):
                self._finish = str(finish)
        found = chunk.get("usage")
        usage = _usage(found) if found is not None else None
        if usage is not None:
            yield UsageReport(usage)

    @property
    def end(self) -> StreamEnd | None:
        """None until the server has said why the model stopped."""
        if not self._finish:
            return None
        reason = _REASONS.get(self._finish, FinishReason.OTHER)
        if self._calls and reason not in _CUT_SHORT:
            reason = FinishReason.TOOL_CALLS  # some servers say "stop" then
        elif self._refused and reason is FinishReason.STOP:
            return StreamEnd(FinishReason.SAFETY, "refusal")
        return StreamEnd(reason, self._finish)

    def calls(self) -> Iterator[ToolCallRequested]:
        """The calls, in order, once the stream is over. ValueError for one that cannot be read, unless the
        answer was cut short, when such a call is left out."""
        cut_short = self.end is not None and self.end.reason in _CUT_SHORT
        ids: set[str] = set()
        for call in self._calls:
            if not call.complete and cut_short:
                continue
            # Nine letters and digits are what the strictest models (Mistral's) take for an id.
            call_id = call.id if call.id and call.id not in ids else uuid4().hex[:9]
            ids.add(call_id)
            yield ToolCallRequested(ToolCall(call_id, call.checked_name, call.arguments))

    def _continued(self, delta: Json) -> Iterator[StreamEvent]:
        refusal = delta.get("refusal")
        self._refused = self._refused or bool(refusal)
        if text := delta.get("content") or refusal:
            yield TextDelta(_text(text))
        pieces: list[Json] = delta.get("tool_calls") or []
        for piece in pieces:
            index = piece.get("index")  # some servers send none
            call = self._at.get(index)
            if call is None or call.is_over(piece):
                call = self._at[index] = _PartialCall()
                self._calls.append(call)
            call.add(piece)


class _PartialCall:
    """A call as far as it has come."""

    def __init__(self) -> None:
        self.id = ""
        self._name = ""
        self._json = ""
        self._given: object = None  # arguments that came parsed

    def is_over(self, piece: Json) -> bool:
        """Whether `piece` begins another call. Ollama gives all calls of an answer the same index."""
        function: Json = piece.get("function") or {}
        if not function.get("name"):
            return False
        own_id = piece.get("id")
        return own_id != self.id if own_id and self.id else self.complete

    def add(self, piece: Json) -> None:
        self.id = self.id or _text(piece.get("id") or "")
        function: Json = piece.get("function") or {}
        self._name = self._name or _text(function.get("name") or "")
        arguments: object = function.get("arguments")
        if isinstance(arguments, str):
            self._json += arguments
        elif arguments is not None:
            self._given = arguments

    @property
    def checked_name(self) -> str:
        if not self._name:
            raise ValueError("a function was asked for without its name")
        return self._name

    @property
    def complete(self) -> bool:
        """Whether there are arguments, and all of them."""
        try:
            _ = self.arguments
        except ValueError:
            return False
        return bool(self._json.strip()) or self._given is not None

    @property
    def arguments(self) -> dict[str, Any]:
        """Of a function without parameters, they may not come at all. ValueError when they are no JSON object."""
        found: object = {} if self._given is None else self._given
        if self._json.strip():
            found = json.loads(self._json, parse_constant=_not_json)
        if not isinstance(found, dict):
            raise ValueError("a function's arguments are not a JSON object")
        return cast("dict[str, Any]", found)


def _not_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _text(value: object) -> str:
    """TypeError for what is no text."""
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _usage(found: Json) -> TokenUsage | None:
    """None when a server fills the fields with zeros, as some do: an estimate is nearer to the truth."""
    prompt, completion = _count(found.get("prompt_tokens")), _count(found.get("completion_tokens"))
    if not prompt and not completion:
        return None
    before: Json = found.get("prompt_tokens_details") or {}
    after: Json = found.get("completion_tokens_details") or {}
    reasoning = _count(after.get("reasoning_tokens"))
    # Some servers (xAI) count reasoning beside the completion; their total tells.
    if reasoning and _count(found.get("total_tokens")) == prompt + completion + reasoning:
        completion += reasoning
    return TokenUsage(
        input_tokens=prompt,
        cached_input_tokens=_count(before.get("cached_tokens")),
        cache_write_tokens=_count(before.get("cache_write_tokens")),
        input_audio_tokens=_count(before.get("audio_tokens")),
        output_tokens=completion,
        reasoning_tokens=reasoning,
        output_audio_tokens=_count(after.get("audio_tokens")),
    )


def embedding_usage(answer: "CreateEmbeddingResponse") -> TokenUsage | None:
    """The input tokens of an embedding call; None when the server left them out, or filled in a zero."""
    found = cast("Usage | None", answer.usage)  # the SDK does not check that there is any
    tokens = _count(found.prompt_tokens) if found is not None else 0
    return TokenUsage(input_tokens=tokens) if tokens else None


def _count(value: object) -> int:
    # The SDK does not check what a server sends; whether a number makes sense is the engine's question.
    return value if isinstance(value, int) else 0
