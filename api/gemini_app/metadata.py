"""What Gemini says about an answer, in Google's words, whoever gave it."""

from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from api.gemini_app.answering import GEMINI
from api.schemas import Answer
from core.generation.types import Outcome
from core.providers.types import FinishReason
from core.store.text import storable

_GOOGLES = {
    FinishReason.STOP: "STOP",
    FinishReason.TOOL_CALLS: "STOP",
    FinishReason.LENGTH: "MAX_TOKENS",
    FinishReason.SAFETY: "SAFETY",
    FinishReason.OTHER: "OTHER",
}
_EXAMPLE: dict[str, Any] = {
    "response_time": 2.1,
    "usage_metadata": {"totalTokenCount": 25, "promptTokenCount": 8, "candidatesTokenCount": 17},
    "finish_reason": "STOP",
    "safety_ratings": [
        {"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"},
        {"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "NEGLIGIBLE"},
    ],
}


class UsageMetadata(Answer):
    """Tokens; the prompt's include cached ones, the candidates' include reasoning."""

    totalTokenCount: int
    promptTokenCount: int
    candidatesTokenCount: int


class Rating(Answer):
    category: str
    probability: str


class AnswerMetadata(Answer):
    """`response_time` is seconds. `finish_reason` is null for an answer that somebody stopped."""

    EXAMPLE: ClassVar[dict[str, Any]] = _EXAMPLE
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    response_time: float
    usage_metadata: UsageMetadata
    finish_reason: str | None
    safety_ratings: list[Rating] = Field(description="Empty when the provider rates nothing.")


def metadata_of(outcome: Outcome, seconds: float) -> AnswerMetadata:
    """The metadata of an answer; `seconds`: how long it took."""
    usage = outcome.usage
    return AnswerMetadata(
        response_time=seconds,
        usage_metadata=UsageMetadata(
            totalTokenCount=usage.total_tokens,
            promptTokenCount=usage.input_tokens,
            candidatesTokenCount=usage.output_tokens,
        ),
        finish_reason=_finish_reason(outcome),
        safety_ratings=[
            Rating(category=storable(rating.category), probability=storable(rating.probability))
            for rating in outcome.safety
        ],
    )


def _finish_reason(outcome: Outcome) -> str | None:
    if outcome.finish_reason is None:
        return None
    model = outcome.answered_by
    if model is not None and model.provider == GEMINI and outcome.raw_reason:
        return storable(outcome.raw_reason)
    return _GOOGLES[outcome.finish_reason]
