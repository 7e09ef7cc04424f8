"""From OpenAI's request to ours."""

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable
from typing import Any, NoReturn, cast

from api.openai_front.chat_schemas import (
    AskedCall,
    AssistantMessage,
    ChatRequest,
    Format,
    ObjectFormat,
    RefusalPart,
    SchemaFormat,
    SystemMessage,
    TextPart,
    Tool,
    ToolMessage,
    UserMessage,
)
from api.openai_front.files import attachment_of
from api.openai_front.request_body import parsed
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.content import (
    ANY_OBJECT,
    FunctionDeclaration,
    ResponseSchema,
    ToolCall,
    ToolResult,
)
from core.providers.types import ChatMessage, CompletionRequest, ReasoningEffort, Role

# The four that are there for all providers; the others lie beyond an end of them or between two.
_EFFORTS = {"minimal": ReasoningEffort.LOW, "xhigh": ReasoningEffort.HIGH, "max": ReasoningEffort.HIGH}


def understood(body: bytes) -> tuple[ChatRequest, CompletionRequest]:
    """A request as it came, and as the engine takes it, under the model's name as it came.

    RequestValidationError, or AppError(VALIDATION) with the field in its parameter `param`.
    """
    asked = parsed(ChatRequest, body)
    _refuse_what_is_not_there(asked)
    system = [_joined(each.content) for each in asked.messages if isinstance(each, SystemMessage)]
    return asked, CompletionRequest(
        model=asked.model,
        messages=_Conversation(asked).messages,
        system_prompt="\n\n".join(filter(None, system)) or None,
        temperature=asked.temperature,
        max_output_tokens=asked.max_completion_tokens or asked.max_tokens,
        top_p=asked.top_p,
        presence_penalty=asked.presence_penalty,
        frequency_penalty=asked.frequency_penalty,
        stop_sequences=tuple(filter(None, asked.stop or ())),
        seed=asked.seed,
        reasoning_effort=_effort(asked.reasoning_effort),
        tools=_tools(asked),
        response_schema=_schema(asked.response_format),
    )


def _refuse_what_is_not_there(asked: ChatRequest) -> None:
    there = {
        "n": asked.n in (None, 1),
        "functions": not asked.functions,
        "modalities": set(asked.modalities or ("text",)) <= {"text"},
        "logprobs": not asked.logprobs,
        "tool_choice": asked.tool_choice in (None, "auto", "none"),
    }
    for param, is_there in there.items():
        if not is_there:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("{param}: AIHub cannot do this for every provider, so it is not offered. Leave it out."),
                param=param,
            )


def _effort(wanted: str | None) -> ReasoningEffort | None:
    return None if wanted is None else _EFFORTS.get(wanted) or ReasoningEffort(wanted)


def _tools(asked: ChatRequest) -> tuple[FunctionDeclaration, ...]:
    if asked.tool_choice == "none":
        return ()
    return tuple(map(_declared, asked.tools or ()))


def _declared(tool: Tool) -> FunctionDeclaration:
    function = tool.function
    return FunctionDeclaration(function.name, function.description or "", function.parameters or {})


def _schema(wanted: Format | None) -> ResponseSchema | None:
    if isinstance(wanted, SchemaFormat):
        return ResponseSchema(wanted.json_schema.schema_, wanted.json_schema.name)
    return ResponseSchema(ANY_OBJECT) if isinstance(wanted, ObjectFormat) else None


class _Conversation:
    """The turns of a request, without its system prompt."""

    def __init__(self, asked: ChatRequest) -> None:
        self._names: dict[str, str] = {}  # of the functions asked for so far, by the id of the call
        self._turns: list[ChatMessage] = []
        for at, message in enumerate(asked.messages):
            param = f"messages[{at}]"
            if isinstance(message, UserMessage):
                self._turns.append(_user(message, param))
            elif isinstance(message, AssistantMessage):
                self._turns.append(self._assistant(message, param))
            elif isinstance(message, ToolMessage):
                self._add_result(message, param)

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        return tuple(self._turns)

    def _assistant(self, message: AssistantMessage, param: str) -> ChatMessage:
        calls = tuple(
            _call(call, f"{param}.tool_calls[{at}]") for at, call in enumerate(message.tool_calls or ())
        )
        self._names.update((call.id, call.name) for call in calls)
        text = _joined(message.content or ()) or message.refusal or ""
        return ChatMessage(Role.ASSISTANT, text, tool_calls=calls)

    def _add_result(self, message: ToolMessage, param: str) -> None:
        name = self._names.get(message.tool_call_id)
        if name is None:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("{param}: No message before this one has a call of this id in its tool_calls."),
                param=f"{param}.tool_call_id",
            )
        result = ToolResult(message.tool_call_id, name, _joined(message.content))
        # What functions answered to one turn is one turn.
        before = self._turns.pop().tool_results if self._turns[-1].role is Role.TOOL else ()
        self._turns.append(ChatMessage(Role.TOOL, "", tool_results=(*before, result)))


def _user(message: UserMessage, param: str) -> ChatMessage:
    texts = [part for part in message.content if isinstance(part, TextPart)]
    files = tuple(
        attachment_of(part, f"{param}.content[{at}]")
        for at, part in enumerate(message.content)
        if not isinstance(part, TextPart)
    )
    return ChatMessage(Role.USER, _joined(texts), files)


def _joined(parts: Iterable[TextPart | RefusalPart]) -> str:
    return "\n".join(part.text if isinstance(part, TextPart) else part.refusal for part in parts)


def _call(call: AskedCall, param: str) -> ToolCall:
    arguments: object = {}
    if call.function.arguments.strip():
        try:
            arguments = json.loads(call.function.arguments, parse_constant=_no_number)
        except (ValueError, RecursionError):
            arguments = None
    if not isinstance(arguments, dict):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("{param}: A JSON object is expected, as a text."),
            param=f"{param}.function.arguments",
        )
    return ToolCall(call.id, call.function.name, cast("dict[str, Any]", arguments), signature_in(call))


def signature_in(call: AskedCall) -> bytes | None:
    """What the provider wants back with a call, where the client sent it back; see `answers.signed`."""
    google: Any = (call.extra_content or {}).get("google")
    text: Any = cast("dict[str, Any]", google).get("thought_signature") if isinstance(google, dict) else None
    try:
        return b64decode(text, validate=True) if isinstance(text, str) else None
    except (Base64Error, ValueError):
        return None


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)  # NaN and the infinities are no JSON
