"""From our request to the body of Anthropic's Messages API."""

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.anthropic_models import Thinking, Traits, traits
from core.providers.content import ANY_OBJECT, Attachment, FunctionDeclaration, MediaKind, ResponseSchema
from core.providers.requests import file_as_text
from core.providers.types import ChatMessage, CompletionRequest, ProviderInfo, ReasoningEffort, Role

Block = dict[str, Any]

_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_LEAST_BUDGET = 1_024  # of thinking; less is refused
_BUDGETS = {ReasoningEffort.LOW: 2_048, ReasoningEffort.MEDIUM: 8_192, ReasoningEffort.HIGH: 24_576}
# The SDK's own version of the API (2026-10-21) has no sampling parameters for any model, and so has the SDK.
# The one before still has them for the models that know them.
_WITH_SAMPLING = "2023-06-01"
_COUNTED = ("model", "messages", "system", "tools", "thinking", "output_config")


def body(info: ProviderInfo, request: CompletionRequest, output_limit: int | None = None) -> dict[str, Any]:
    """The arguments of `messages.create`; AppError(VALIDATION) for a file that Anthropic cannot take.

    `output_limit`: what the model's own description says, where it is known. Left out is what the model would
    refuse: sampling parameters of models without them or while they think, and `top_p` beside a temperature.
    A temperature above 1 becomes 1, the highest there is. There is no seed and no penalty.
    """
    model = traits(request.model)
    # max_tokens is mandatory. Other providers let a model write as long as it can when nobody says otherwise,
    # and so do we: it is a limit, and only what is written is paid for.
    most = request.max_output_tokens or output_limit or model.output_limit
    effort = _effort(model, request, most)
    config = effort.pop("output_config", {})
    if request.response_schema is not None:
        _check_schema(info, request.response_schema)
        config["format"] = {"type": "json_schema", "schema": _schema(request.response_schema)}
    found: dict[str, Any] = {
        "model": request.model,
        "max_tokens": most,
        "messages": _messages(info, request),
        **effort,
    }
    thinks = effort.get("thinking", {}).get("type") in ("enabled", "adaptive")
    if sampling := _sampling(model, request, thinks=thinks):
        found["extra_body"] = sampling
        found["extra_headers"] = {"anthropic-version": _WITH_SAMPLING}
    if request.system_prompt and request.system_prompt.strip():
        found["system"] = request.system_prompt
    if stops := [stop for stop in request.stop_sequences if stop.strip()]:
        found["stop_sequences"] = stops  # a blank one is refused
    if request.tools:
        found["tools"] = [_tool(tool) for tool in request.tools]
    if config:
        found["output_config"] = config
    return found


def counted(body: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `messages.count_tokens` for a request with `body`."""
    return {name: body[name] for name in _COUNTED if name in body}


def _sampling(model: Traits, request: CompletionRequest, *, thinks: bool) -> dict[str, Any]:
    if not model.sampling or thinks:
        return {}
    found: dict[str, Any] = {}
    if request.temperature is not None:
        found["temperature"] = min(request.temperature, 1.0)
    elif request.top_p is not None:
        found["top_p"] = request.top_p
    if request.top_k is not None:
        found["top_k"] = request.top_k
    return found


def _effort(model: Traits, request: CompletionRequest, most: int) -> dict[str, Any]:
    wanted = request.reasoning_effort
    if wanted is None or model.thinking is Thinking.NEVER:
        return {}
    if wanted is ReasoningEffort.NONE:
        off = {Thinking.ALWAYS: None, Thinking.BETWEEN_TOOLS: "between_tools"}.get(model.thinking, "disabled")
        return {"thinking": {"type": off}} if off else {"output_config": {"effort": "low"}}
    if model.thinking is not Thinking.BUDGET:
        return {"thinking": {"type": "adaptive"}, "output_config": {"effort": wanted.value}}
    budget = min(_BUDGETS[wanted], most // 2)  # it is a part of max_tokens, and the answer needs room too
    # With a budget, the thoughts before a call must come back with its results, and we keep no thoughts.
    if budget < _LEAST_BUDGET or any(message.tool_results for message in request.messages):
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _check_schema(info: ProviderInfo, wanted: ResponseSchema) -> None:
    if wanted.schema == ANY_OBJECT:
        # Every object is closed for it: one without fields would have to stay empty.
        raise AppError(
            ErrorKind.VALIDATION,
            N_("{provider} answers in JSON by a schema only. Send one with the fields of the answer."),
            provider=info.label,
        )


def _schema(wanted: ResponseSchema) -> dict[str, Any]:
    from anthropic import transform_schema

    try:
        # Anthropic refuses what it cannot enforce (minimum, pattern …); the SDK makes it part of the description.
        return transform_schema(dict(wanted.schema))
    except (ValueError, TypeError, AttributeError, AssertionError):
        return dict(wanted.schema)  # the server says better than the SDK what is wrong with it


def _tool(tool: FunctionDeclaration) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description else {}
    schema: dict[str, Any] = {"type": "object", "properties": {}, **tool.parameters}
    return {"name": tool.name, **described, "input_schema": schema}


def _messages(info: ProviderInfo, request: CompletionRequest) -> list[dict[str, Any]]:
    # A call whose results are missing makes Anthropic refuse the whole conversation.
    answered = {result.call_id for message in request.messages for result in message.tool_results}
    turns: list[dict[str, Any]] = []
    for message in request.messages:
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        blocks = list(_blocks(info, message, answered))
        if not blocks:
            continue  # an answer that was stopped before its first word
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"].extend(blocks)
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(info: ProviderInfo, message: ChatMessage, answered: set[str]) -> Iterator[Block]:
    for result in message.tool_results:
        yield {"type": "tool_result", "tool_use_id": _id(result.call_id), "content": result.content}
    for attachment in message.attachments:
        yield _attached(info, attachment)
    if message.text.strip():  # a blank text is refused
        yield {"type": "text", "text": message.text}
    for call in message.tool_calls:
        if call.id in answered:
            yield {"type": "tool_use", "id": _id(call.id), "name": call.name, "input": dict(call.arguments)}


def _id(call_id: str) -> str:
    # One that another provider made may have characters that Anthropic's do not.
    return re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)


def _attached(info: ProviderInfo, attachment: Attachment) -> Block:
    kind = attachment.kind
    source: dict[str, Any]
    if attachment.data is None:
        if kind is MediaKind.TEXT or not (attachment.uri or "").startswith(("https://", "http://")):
            raise AppError(
                ErrorKind.VALIDATION,
                N_(
                    "{provider} takes no files by their address. Attach the file itself, or pick another model."
                ),
                provider=info.label,
            )
        source = {"type": "url", "url": attachment.uri}
    elif kind is MediaKind.TEXT:
        return {"type": "text", "text": file_as_text(attachment)}
    else:
        data = b64encode(attachment.data).decode()
        source = {"type": "base64", "media_type": attachment.mime_type, "data": data}
    if kind is MediaKind.DOCUMENT:
        return {"type": "document", "source": source}
    if attachment.data is not None and attachment.mime_type not in _IMAGES:
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "{provider} takes no files of the type {type}. Send another kind of file, or pick another model."
            ),
            provider=info.label,
            type=attachment.mime_type[:100],
        )
    return {"type": "image", "source": source}
