"""From our requests to those of GigaChat's /v1 chat; pure, without the network."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.content import Attachment, MediaKind, ToolResult
from core.providers.requests import file_as_text
from core.providers.types import (
    ChatMessage,
    CompletionRequest,
    Role,
)

IMAGE_TYPES = ("image/jpeg", "image/png", "image/tiff", "image/bmp")
MOST_IMAGES = 10  # of one request
MOST_IMAGE_BYTES = 15 * 1024 * 1024

_LEAST_TEMPERATURE = 0.0001


def images_of(request: CompletionRequest) -> tuple[Attachment, ...]:
    """The images of the conversation; AppError(VALIDATION) when GigaChat would not take them."""
    of_messages = [_images(message) for message in request.messages]
    found = tuple(image for images in of_messages for image in images)
    for image in found:
        if image.mime_type not in IMAGE_TYPES:
            raise AppError(
                ErrorKind.VALIDATION,
                N_(
                    "GigaChat takes JPEG, PNG, TIFF and BMP images, not {type}. Convert the image and try again."
                ),
                type=image.mime_type[:100],
            )
        if len(image.data or b"") > MOST_IMAGE_BYTES:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("GigaChat takes images of at most {limit} MB. Make the image smaller and try again."),
                limit=MOST_IMAGE_BYTES // 1024**2,
            )
    if any(len(images) > 1 for images in of_messages):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("GigaChat takes one image with a message. Send each further image in a message of its own."),
        )
    if len(found) > MOST_IMAGES:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("GigaChat takes at most {limit} images in a conversation. Start a new chat for the others."),
            limit=MOST_IMAGES,
        )
    return found


def payload(request: CompletionRequest, files: Mapping[Attachment, str]) -> dict[str, Any]:
    """The request as the SDK's `chat` takes it. `files`: the ids that its images have in GigaChat's storage."""
    messages = _messages(request.messages, files)
    if request.system_prompt:
        # The only system message there may be, and only as the first.
        messages.insert(0, {"role": "system", "content": request.system_prompt})
    body: dict[str, Any] = {"model": request.model, "messages": messages}
    if request.temperature is not None:
        # 0 itself is out of range; anything up to 0.001 gives the most predictable answer.
        body["temperature"] = max(request.temperature, _LEAST_TEMPERATURE)
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.max_output_tokens is not None:
        body["max_tokens"] = request.max_output_tokens
    if request.response_schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "schema": dict(request.response_schema.schema),
            "strict": True,
        }
    if request.tools:
        # Without "auto", or with no functions of ours beside it, GigaChat's own ones (drawing) may be called.
        body["function_call"] = "auto"
        # Past the SDK's model of a schema, which drops what it does not know (nested `required`, `anyOf` …).
        body["additional_fields"] = {"functions": functions_of(request)}
    return body


def functions_of(request: CompletionRequest) -> list[dict[str, Any]]:
    """The functions as GigaChat takes them; it insists on `parameters`, and on `properties` in them."""
    return [
        {
            "name": tool.name,
            **({"description": tool.description} if tool.description else {}),
            "parameters": {"type": "object", "properties": {}, **tool.parameters},
        }
        for tool in request.tools
    ]


def counted_texts(request: CompletionRequest) -> list[str]:
    """The texts whose tokens make up the request. Only texts can be counted, so functions are theirs as JSON."""
    texts = [request.system_prompt or ""]
    texts += [_text(message) for message in request.messages]
    for message in request.messages:
        texts += [json.dumps(dict(call.arguments), ensure_ascii=False) for call in message.tool_calls]
        texts += [result.content for result in message.tool_results]
    texts += [json.dumps(function, ensure_ascii=False) for function in functions_of(request)]
    return [text for text in texts if text]


def _messages(messages: tuple[ChatMessage, ...], files: Mapping[Attachment, str]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    for at, message in enumerate(messages):
        if message.role is Role.ASSISTANT and message.tool_calls:
            following = messages[at + 1] if at + 1 < len(messages) else None
            results = following.tool_results if following and following.role is Role.TOOL else ()
            sent += _calls_and_results(message, results)
        elif message.role is not Role.TOOL:  # the results went with the calls
            images = [files[image] for image in _images(message)]
            sent.append({"role": message.role.value, "content": _text(message)})
            if images:
                sent[-1]["attachments"] = images
    return sent


def _calls_and_results(message: ChatMessage, results: tuple[ToolResult, ...]) -> Iterator[dict[str, Any]]:
    """One function at a time is all GigaChat knows: each call is followed by its own result."""
    for number, call in enumerate(message.tool_calls):
        asked: dict[str, Any] = {
            "role": "assistant",
            "content": "" if number else message.text,
            "function_call": {"name": call.name, "arguments": dict(call.arguments)},
        }
        if call.signature:
            asked["functions_state_id"] = call.signature.decode("utf-8", "replace")
        yield asked
        for result in results:
            if result.call_id == call.id:
                yield {"role": "function", "name": call.name, "content": _object(result.content)}


def _object(content: str) -> str:
    """`content` as the JSON object that a result must be."""
    try:
        value = json.loads(content)
    except ValueError:
        value = content
    return content if isinstance(value, dict) else json.dumps({"result": value}, ensure_ascii=False)


def _text(message: ChatMessage) -> str:
    files = [file_as_text(file) for file in message.attachments if file.kind is MediaKind.TEXT]
    return "\n\n".join([*files, message.text] if message.text else files)


def _images(message: ChatMessage) -> list[Attachment]:
    return [file for file in message.attachments if file.kind is MediaKind.IMAGE]
