"""The Gemini SDK's chunks of an answer in our events."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from core.providers.content import ToolCall
from core.providers.gemini_wire import MADE_ID
from core.providers.types import (
    FinishReason,
    SafetyRating,
    StreamEnd,
    TextDelta,
    TokenUsage,
    ToolCallRequested,
    UsageReport,
)

if TYPE_CHECKING:
    from google.genai import types

_REASONS: dict[str, FinishReason] = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.LENGTH,
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "MODEL_ARMOR",
            "ESCALATION",
            "PUP_LIMITED_DISABLED",
        ),
        FinishReason.SAFETY,
    ),
}


class Answer:
    """Reads one answer chunk by chunk. `end` is None until the model has ended."""

    def __init__(self) -> None:
        self._called = False
        self._end: StreamEnd | None = None
        self._safety: tuple[SafetyRating, ...] = ()

    @property
    def end(self) -> StreamEnd | None:
        """How the model ended. Gemini calls it STOP also when it waits for a function."""
        if self._end is None:
            return None
        called = self._called and self._end.reason is FinishReason.STOP
        reason = FinishReason.TOOL_CALLS if called else self._end.reason
        return replace(self._end, reason=reason, safety=self._safety)

    def events(
        self, chunk: "types.GenerateContentResponse"
    ) -> Iterator[TextDelta | ToolCallRequested | UsageReport]:
        """What `chunk` brings; ValueError for a call of no function."""
        candidate = _first(chunk)
        for part in (candidate and candidate.content and candidate.content.parts) or ():
            if part.function_call is not None:
                self._called = True
                yield ToolCallRequested(_call(part.function_call, part.thought_signature))
            elif part.text and not part.thought:
                yield TextDelta(part.text)
        if chunk.usage_metadata is not None:
            yield UsageReport(usage_of(chunk.usage_metadata))
        self._end = _end(chunk, candidate) or self._end
        # What a later chunk says covers more of the answer.
        self._safety = _safety(chunk, candidate) or self._safety


def _first(chunk: "types.GenerateContentResponse") -> "types.Candidate | None":
    """The first of the answers asked for; Gemini leaves out an index of 0."""
    return next((candidate for candidate in chunk.candidates or () if not candidate.index), None)


def _call(call: "types.FunctionCall", signature: bytes | None) -> ToolCall:
    if not call.name:
        raise ValueError("a call of a function without its name")
    return ToolCall(call.id or f"{MADE_ID}{uuid4().hex}", call.name, call.args or {}, signature)


def _end(chunk: "types.GenerateContentResponse", candidate: "types.Candidate | None") -> StreamEnd | None:
    if candidate is not None:
        if candidate.finish_reason is None:
            return None
        raw = str(candidate.finish_reason.value)
        return StreamEnd(_REASONS.get(raw, FinishReason.OTHER), raw)
    if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason is not None:
        return StreamEnd(FinishReason.SAFETY, str(chunk.prompt_feedback.block_reason.value))
    return None


def _safety(
    chunk: "types.GenerateContentResponse", candidate: "types.Candidate | None"
) -> tuple[SafetyRating, ...]:
    """Of the answer; of the prompt where that was blocked and there is no answer."""
    source = candidate if candidate is not None else chunk.prompt_feedback
    return tuple(
        SafetyRating(str(rating.category.value), str(rating.probability.value), bool(rating.blocked))
        for rating in (source and source.safety_ratings) or ()
        if rating.category is not None and rating.probability is not None
    )


def usage_of(found: "types.GenerateContentResponseUsageMetadata") -> TokenUsage:
    """Gemini counts thoughts and the results of tools beside its prompt and candidates; we count them in."""
    thoughts = found.thoughts_token_count or 0
    return TokenUsage(
        input_tokens=(found.prompt_token_count or 0) + (found.tool_use_prompt_token_count or 0),
        cached_input_tokens=found.cached_content_token_count or 0,
        input_audio_tokens=_audio(found.prompt_tokens_details) + _audio(found.tool_use_prompt_tokens_details),
        output_tokens=(found.candidates_token_count or 0) + thoughts,
        reasoning_tokens=thoughts,
        output_audio_tokens=_audio(found.candidates_tokens_details),
    )


def _audio(details: "list[types.ModalityTokenCount] | None") -> int:
    return sum(
        entry.token_count or 0
        for entry in details or ()
        if entry.modality is not None and entry.modality.value == "AUDIO"
    )
