"""From our request to the body of OpenAI's chat completions."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from json import dumps
from typing import Any

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.content import (
    ANY_OBJECT,
    Attachment,
    FunctionDeclaration,
    MediaKind,
    ResponseSchema,
    ToolCall,
)
from core.providers.openai_schema import takes_strict
from core.providers.requests import file_as_text
from core.providers.types import ChatMessage, CompletionRequest, ProviderInfo, Role

Part = dict[str, Any]

_AUDIO = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/x-mp3": "mp3",
}
_LONGEST_ID = 40  # characters of a call's id; OpenAI refuses longer ones, which other providers make


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where servers differ. `output_limit`: what the limit of tokens is called. `image_types`: None for any.

    `top_k`: whether there is such a parameter, which OpenAI's own definition lacks.
    """

    output_limit: str = "max_tokens"
    image_types: frozenset[str] | None = None
    top_k: bool = True


def body(info: ProviderInfo, request: CompletionRequest, dialect: Dialect) -> dict[str, Any]:
    """The body of a request for a chat completion; AppError(VALIDATION) for a file that cannot be sent."""
    schema = request.response_schema
    wanted: dict[str, Any] = {
        "temperature": request.temperature,
        dialect.output_limit: request.max_output_tokens,
        "top_p": request.top_p,
        "presence_penalty": request.presence_penalty,
        "frequency_penalty": request.frequency_penalty,
        "stop": [stop for stop in request.stop_sequences if stop] or None,
        "seed": request.seed,
        "reasoning_effort": request.reasoning_effort.value if request.reasoning_effort else None,
        "tools": [_tool(tool) for tool in request.tools] or None,
        "response_format": _format(schema) if schema else None,
        "top_k": request.top_k if dialect.top_k else None,
    }
    return {
        "model": request.model,
        "messages": list(_messages(info, request, dialect)),
        **{name: value for name, value in wanted.items() if value is not None},
    }


def _tool(tool: FunctionDeclaration) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description else {}
    parameters: dict[str, Any] = {"type": "object", "properties": {}, **tool.parameters}
    return {"type": "function", "function": {"name": tool.name, **described, "parameters": parameters}}


def _format(wanted: ResponseSchema) -> dict[str, Any]:
    if wanted.schema == ANY_OBJECT:
        return {"type": "json_object"}
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", wanted.name)[:64] or "answer"
    strict = {"strict": True} if takes_strict(wanted.schema) else {}
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "schema": dict(wanted.schema), **strict},
    }


def _messages(info: ProviderInfo, request: CompletionRequest, dialect: Dialect) -> Iterator[dict[str, Any]]:
    if request.system_prompt and request.system_prompt.strip():
        yield {"role": "system", "content": request.system_prompt}
    # A call without its result, and a result without its call, make OpenAI refuse the whole conversation.
    called = {call.id for message in request.messages for call in message.tool_calls}
    answered = {result.call_id for message in request.messages for result in message.tool_results}
    for message in request.messages:
        if message.role is Role.TOOL:
            for result in message.tool_results:
                if result.call_id in called:
                    yield {"role": "tool", "tool_call_id": _id(result.call_id), "content": result.content}
        elif message.role is Role.ASSISTANT:
            calls = [_call(call) for call in message.tool_calls if call.id in answered]
            asked = {"tool_calls": calls} if calls else {}
            # Empty after an answer that was stopped at once: many models insist on turns that alternate.
            yield {"role": "assistant", "content": message.text, **asked}
        else:
            yield {"role": message.role.value, "content": _content(info, message, dialect)}


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = dumps(dict(call.arguments), ensure_ascii=False)
    return {"id": _id(call.id), "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _id(call_id: str) -> str:
    if len(call_id) <= _LONGEST_ID:
        return call_id
    return f"call_{hashlib.blake2b(call_id.encode(), digest_size=16).hexdigest()}"


def _content(info: ProviderInfo, message: ChatMessage, dialect: Dialect) -> str | list[Part]:
    parts = [_attached(info, attachment, dialect) for attachment in message.attachments]
    if message.text:
        parts.append({"type": "text", "text": message.text})
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)  # every server knows plain text
    return parts


def _attached(info: ProviderInfo, attachment: Attachment, dialect: Dialect) -> Part:
    kind, mime_type = attachment.kind, attachment.mime_type.lower()
    if kind is MediaKind.TEXT:
        return {"type": "text", "text": file_as_text(attachment)}
    data = b64encode(attachment.data or b"").decode()
    url = f"data:{mime_type};base64,{data}"
    if kind is MediaKind.DOCUMENT:
        return {"type": "file", "file": {"filename": attachment.name or "document.pdf", "file_data": url}}
    if kind is MediaKind.AUDIO and mime_type in _AUDIO:
        return {"type": "input_audio", "input_audio": {"data": data, "format": _AUDIO[mime_type]}}
    if kind is MediaKind.IMAGE and (dialect.image_types is None or mime_type in dialect.image_types):
        return {"type": "image_url", "image_url": {"url": url}}
    raise AppError(
        ErrorKind.VALIDATION,
        N_("{provider} takes no files of the type {type}. Send another kind of file, or pick another model."),
        provider=info.label,
        type=attachment.mime_type[:100],
    )
