"""Our request in the Gemini SDK's types. The SDK is imported at the first call, as it takes its time."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any, NoReturn, cast

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.content import ANY_OBJECT, Attachment, GeminiOptions, MediaKind, ToolCall, ToolResult
from core.providers.gemini_fields import HARM_BLOCK_THRESHOLDS, HARM_CATEGORIES
from core.providers.requests import file_as_text
from core.providers.types import ChatMessage, CompletionRequest, ReasoningEffort, Role

if TYPE_CHECKING:
    from google.genai import types

MADE_ID = "gemini-call-"
"""How the id of a call begins that Gemini gave none; such an id is ours and does not go back."""

# What Google documents for calls that no Gemini 3 made (another provider did, before it failed). Without any
# signature Gemini 3 refuses the whole conversation.
_NO_SIGNATURE = b"skip_thought_signature_validator"

# Gemini 2.5 takes a number of thinking tokens and no level; models before it do not think.
_BUDGETS = {ReasoningEffort.LOW: 1024, ReasoningEffort.MEDIUM: 8192, ReasoningEffort.HIGH: 24576}
_OLD = re.compile(r"\bgemini-(?:[a-z]+-)*(?:1\.\d|2\.[0-4])")
_WITH_BUDGET = re.compile(r"\bgemini-(?:[a-z]+-)*2\.5")


def sdk_request(
    request: CompletionRequest,
) -> "tuple[list[types.Content], types.GenerateContentConfig]":
    """What the SDK is called with; AppError(VALIDATION) for what Gemini does not take."""
    from pydantic import ValidationError

    _check(request)
    try:
        return _contents(request), _config(request)
    except ValidationError as error:
        [first, *_] = error.errors(include_url=False, include_context=False, include_input=False)
    where = ".".join(str(step) for step in first["loc"])
    raise AppError(
        ErrorKind.VALIDATION,
        N_(
            "Gemini cannot be asked like this ({field}: {detail}). Change the message or the model's settings."
        ),
        field=where,
        detail=first["msg"],
    )


def _check(request: CompletionRequest) -> None:
    options = request.gemini or GeminiOptions()
    for setting in options.safety_settings:
        if setting.category not in HARM_CATEGORIES:
            _refuse(
                N_("Gemini has no category of harm “{category}”. Take one of: {choices}."),
                category=setting.category[:100],
                choices=", ".join(HARM_CATEGORIES),
            )
        if setting.threshold not in HARM_BLOCK_THRESHOLDS:
            _refuse(
                N_("Gemini has no threshold “{threshold}”. Take one of: {choices}."),
                threshold=setting.threshold[:100],
                choices=", ".join(HARM_BLOCK_THRESHOLDS),
            )
    if options.audio_timestamp:
        _refuse(
            N_(
                "Gemini offers audioTimestamp only on Google's Enterprise platform. "
                "Take it out of the request or of the model's settings."
            )
        )
    if options.cached_content and (request.system_prompt or request.tools):
        _refuse(
            N_(
                "Gemini takes cachedContent only without a system prompt and functions: they are kept with it. "
                "Take out either of them."
            )
        )


def _refuse(message: str, **params: str | int) -> NoReturn:
    raise AppError(ErrorKind.VALIDATION, message, **params)


# --- the conversation ---


def _contents(request: CompletionRequest) -> "list[types.Content]":
    """One content a turn: messages of the same role in a row are one, as results of functions must be."""
    from google.genai import types

    signed = not (_OLD.search(request.model) or _WITH_BUDGET.search(request.model))
    return [
        types.Content(
            role="model" if role is Role.ASSISTANT else "user",
            parts=[part for message in messages for part in _parts(message, signed)],
        )
        for role, messages in groupby(request.messages, lambda message: message.role)
    ]


def _parts(message: ChatMessage, signed: bool) -> "list[types.Part]":
    """`signed`: the model wants a signature with the first call of a turn."""
    from google.genai import types

    # Google advises to put files before what is asked about them.
    parts = [_attached(attachment) for attachment in message.attachments]
    parts += [_result(result) for result in message.tool_results]
    if message.text:
        parts.append(types.Part(text=message.text))
    unsigned = signed and not any(call.signature for call in message.tool_calls)
    for at, call in enumerate(message.tool_calls):
        parts.append(_call(call, _NO_SIGNATURE if unsigned and at == 0 else call.signature))
    return parts or [types.Part(text="")]


def _attached(attachment: Attachment) -> "types.Part":
    from google.genai import types

    if attachment.data is None:
        file = types.FileData(file_uri=attachment.uri, mime_type=attachment.mime_type)
        return types.Part(file_data=file, video_metadata=_clip(attachment))
    if attachment.kind is MediaKind.TEXT:
        return types.Part(text=file_as_text(attachment))
    blob = types.Blob(data=attachment.data, mime_type=attachment.mime_type)
    return types.Part(inline_data=blob, video_metadata=_clip(attachment))


def _clip(attachment: Attachment) -> "types.VideoMetadata | None":
    from google.genai import types

    start, end = attachment.start_seconds, attachment.end_seconds
    if attachment.kind is not MediaKind.VIDEO or (start is None and end is None):
        return None
    return types.VideoMetadata(start_offset=_duration(start), end_offset=_duration(end))


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def _call(call: ToolCall, signature: bytes | None) -> "types.Part":
    from google.genai import types

    asked = types.FunctionCall(id=_wire_id(call.id), name=call.name, args=dict(call.arguments))
    return types.Part(function_call=asked, thought_signature=signature)


def _result(result: ToolResult) -> "types.Part":
    from google.genai import types

    answer = types.FunctionResponse(
        id=_wire_id(result.call_id), name=result.name, response=_as_object(result.content)
    )
    return types.Part(function_response=answer)


def _wire_id(call_id: str) -> str | None:
    return None if not call_id or call_id.startswith(MADE_ID) else call_id


def _as_object(content: str) -> dict[str, Any]:
    try:
        parsed = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError):
        parsed = None
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {"result": content}


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and the infinities are no JSON


# --- how it is answered ---


def _config(request: CompletionRequest) -> "types.GenerateContentConfig":
    from google.genai import types

    options = request.gemini or GeminiOptions()
    schema = request.response_schema
    return types.GenerateContentConfig(
        system_instruction=request.system_prompt or None,
        temperature=request.temperature,
        max_output_tokens=request.max_output_tokens,
        top_p=request.top_p,
        top_k=request.top_k,
        presence_penalty=request.presence_penalty,
        frequency_penalty=request.frequency_penalty,
        stop_sequences=list(request.stop_sequences) or None,
        seed=request.seed,
        thinking_config=_thinking(request),
        tools=_tools(request),
        response_mime_type="application/json" if schema else options.response_mime_type,
        # The type alone says as much, and a schema of no fields is refused.
        response_json_schema=_plain(schema.schema) if schema and schema.schema != ANY_OBJECT else None,
        safety_settings=_safety(options),
        cached_content=options.cached_content or None,
        labels=dict(options.labels) or None,
        candidate_count=options.candidate_count,
        response_logprobs=options.response_logprobs,
        logprobs=options.logprobs,
        # One call is one request: the SDK would follow up on its own and report the last part's usage.
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def _thinking(request: CompletionRequest) -> "types.ThinkingConfig | None":
    from google.genai import types

    effort = request.reasoning_effort
    if effort is None or _OLD.search(request.model):
        return None
    if effort is ReasoningEffort.NONE:
        return types.ThinkingConfig(thinking_budget=0)
    if _WITH_BUDGET.search(request.model):
        return types.ThinkingConfig(thinking_budget=_BUDGETS[effort])
    return types.ThinkingConfig(thinking_level=types.ThinkingLevel(effort.value.upper()))


def _tools(request: CompletionRequest) -> "list[Any] | None":
    from google.genai import types

    declared = [
        types.FunctionDeclaration(
            name=tool.name,
            description=tool.description or None,
            parameters_json_schema=_plain(tool.parameters) or None,
        )
        for tool in request.tools
    ]
    return [types.Tool(function_declarations=declared)] if declared else None


def _safety(options: GeminiOptions) -> "list[types.SafetySetting] | None":
    from google.genai import types

    return [
        types.SafetySetting(
            category=types.HarmCategory(setting.category),
            threshold=types.HarmBlockThreshold(setting.threshold),
        )
        for setting in options.safety_settings
    ] or None


def _plain(value: Any) -> Any:
    """`value` in dicts and lists, which are all that the SDK turns into JSON."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in cast("Mapping[object, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("Iterable[Any]", value)]
    return value
