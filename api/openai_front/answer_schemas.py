"""What an answer to clients of OpenAI holds, and the errors they may get instead."""

from typing import Any, Literal

from api.schemas import Answer

Finish = Literal["stop", "length", "tool_calls", "content_filter"]


class CalledFunction(Answer):
    name: str
    arguments: str


class Call(Answer):
    """A function that the model asks for. `extra_content`: what its provider wants back with the result."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction
    extra_content: dict[str, Any] | None = None


class AssistantMessage(Answer):
    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: str | None = None
    tool_calls: list[Call] | None = None


class Choice(Answer):
    index: Literal[0] = 0
    message: AssistantMessage
    logprobs: None = None
    finish_reason: Finish


class PromptDetails(Answer):
    cached_tokens: int
    audio_tokens: int


class CompletionDetails(Answer):
    reasoning_tokens: int
    audio_tokens: int


class ChatUsage(Answer):
    """The prompt's tokens include cached ones, the completion's include reasoning."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails


class HubFacts(Answer):
    """What only AIHub tells: `provider` and `model` that answered, and the `cost` in units of `currency`, null when
    nobody knows it. `tokens_estimated`: the provider did not report them all."""

    provider: str
    model: str
    cost: float | None
    currency: str | None
    from_cache: bool
    tokens_estimated: bool


class ChatCompletion(Answer):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: ChatUsage
    aihub: HubFacts


class ErrorFacts(Answer):
    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIError(Answer):
    """OpenAI's error object."""

    error: ErrorFacts


ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": OpenAIError, "description": text}
    for status, text in {
        400: "The request cannot be taken as it is; `param` names the field.",
        401: "The token is missing or not valid.",
        403: "The token does not reach that far.",
        404: "There is no such model.",
        413: "Too large.",
        429: "Too many requests, or nothing left to spend.",
        500: "An error of AIHub.",
        502: "An error of the provider.",
        503: "The provider is left alone for a while.",
        504: "The provider took too long.",
    }.items()
}
"""For the `responses` of the routes under /v1."""
