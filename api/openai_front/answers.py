"""What clients of OpenAI's chat completions get, whole and in chunks."""

import json
import time
from base64 import b64encode
from typing import Any

from api.openai_front.answer_schemas import (
    AssistantMessage,
    Call,
    CalledFunction,
    ChatCompletion,
    ChatUsage,
    Choice,
    CompletionDetails,
    Finish,
    HubFacts,
    PromptDetails,
)
from core.errors import AppError, ErrorKind
from core.generation.types import Outcome
from core.i18n import N_
from core.providers.content import ToolCall
from core.providers.types import FinishReason, TokenUsage
from core.store.text import storable
from core.usage.types import CallStatus

_ID = "chatcmpl-"
_DONE = b"data: [DONE]\n\n"
_MARK = "text"
_FINISHES: dict[FinishReason | None, Finish] = {
    FinishReason.LENGTH: "length",
    FinishReason.SAFETY: "content_filter",
    FinishReason.TOOL_CALLS: "tool_calls",
}


class Reply:
    """One answer on its way out. `model` is the name that was asked for."""

    def __init__(self, request_id: str, model: str, *, usage_wanted: bool = False) -> None:
        """`usage_wanted`: a stream ends with a chunk of the usage, and the others say that they have none."""
        self._id, self._model, self._created = f"{_ID}{request_id}", model, int(time.time())
        self._usage_wanted = usage_wanted
        # All but the text is the same for every chunk. It stands behind all else that could look like the mark.
        chunk = self._chunk({"content": _MARK}).decode()
        self._before, _mark, self._after = chunk.rpartition(json.dumps(_MARK))

    def whole(self, outcome: Outcome) -> bytes:
        """The answer in one piece. AppError as `failure_of` says."""
        calls = [_call(each) for each in outcome.tool_calls]
        message = AssistantMessage(content=outcome.text or (None if calls else ""), refusal=None)
        if calls:
            message.tool_calls = calls
        answer = ChatCompletion(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=[Choice(message=message, finish_reason=_finish(outcome))],
            usage=_usage(outcome.usage),
            aihub=facts_of(outcome),
        )
        left_out = {"choices": {0: {"message": {"tool_calls"}}}} if not calls else None
        return answer.model_dump_json(exclude=left_out).encode()

    def begin(self) -> bytes:
        """The first chunk, which says who speaks."""
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def piece(self, text: str) -> bytes:
        """A chunk of the text."""
        # ASCII: some clients take other line ends for the end of a line, too, such as U+2028.
        return f"{self._before}{json.dumps(text)}{self._after}".encode()

    def end(self, outcome: Outcome) -> bytes:
        """What follows the text: the functions asked for, why it ended, the usage if it is wanted, the end."""
        calls = [{"index": at, **_call(each).model_dump()} for at, each in enumerate(outcome.tool_calls)]
        chunks = [self._chunk({"tool_calls": [call]}) for call in calls]
        facts = facts_of(outcome).model_dump()
        chunks.append(self._chunk({}, finish_reason=_finish(outcome), aihub=facts))
        if self._usage_wanted:
            usage = _usage(outcome.usage).model_dump()
            chunks.append(event({**self._facts, "choices": [], "usage": usage}))
        return b"".join((*chunks, _DONE))

    @property
    def _facts(self) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
        }

    def _chunk(self, delta: dict[str, Any], finish_reason: Finish | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        usage = {"usage": None} if self._usage_wanted else {}
        return event({**self._facts, "choices": [choice], **usage, **more})


def event(data: dict[str, Any]) -> bytes:
    """One event of a stream."""
    return f"data: {json.dumps(data)}\n\n".encode()


def failure_of(outcome: Outcome) -> AppError | None:
    """Why there is no answer to give; None when there is one."""
    if outcome.error is None and outcome.status is CallStatus.INTERRUPTED:
        return AppError(ErrorKind.INTERRUPTED, N_("AIHub is shutting down. Try again in a moment."))
    return outcome.error


def _finish(outcome: Outcome) -> Finish:
    return _FINISHES.get(outcome.finish_reason, "stop")


def _call(call: ToolCall) -> Call:
    arguments = storable(json.dumps(dict(call.arguments), ensure_ascii=False))
    asked = Call(id=call.id, function=CalledFunction(name=call.name, arguments=arguments))
    if call.signature is not None:
        # Where Google's own OpenAI-compatible interface has it; clients that keep what they do not know send it back.
        signature = b64encode(call.signature).decode()
        asked.extra_content = {"google": {"thought_signature": signature}}
    return asked


def _usage(usage: TokenUsage) -> ChatUsage:
    return ChatUsage(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
        prompt_tokens_details=PromptDetails(
            cached_tokens=usage.cached_input_tokens, audio_tokens=usage.input_audio_tokens
        ),
        completion_tokens_details=CompletionDetails(
            reasoning_tokens=usage.reasoning_tokens, audio_tokens=usage.output_audio_tokens
        ),
    )


def facts_of(outcome: Outcome) -> HubFacts:
    """Who answered, and what it cost."""
    model, amount = outcome.answered_by, outcome.cost.amount
    assert model is not None, "the engine always knows whom it asked"
    return HubFacts(
        provider=model.provider,
        model=model.model,
        cost=None if amount is None else float(amount.decimal),
        currency=None if amount is None else amount.currency,
        from_cache=outcome.from_cache,
        tokens_estimated=outcome.usage.estimated,
    )
