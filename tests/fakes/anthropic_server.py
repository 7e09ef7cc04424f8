"""Anthropic's Messages API: `/v1/messages`, streaming and not, `/v1/messages/count_tokens` and `/v1/models`.

    with AnthropicServer(Script(chunks=["Hi", " there"], usage=usage(7, 2))) as server:
        provider = AnthropicProvider("key", server.url)

As the real one, it refuses a request without `max_tokens`, a blank text, a temperature above 1, and any
temperature for models without one or with the version of the API that has none. Errors have Anthropic's
shapes: `server.queue(wrong_key())`, `rate_limit(seconds=7)`, `unknown_model("x")`, `too_long()`,
`no_balance()`, `broken()`, `overloaded()`, `no_region()`. `finish="length"` is sent as `max_tokens`. See
tests/fakes/script.py for the rest.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tests.fakes.http_server import FakeServer
from tests.fakes.script import COUNTED, Received, Script
from tests.fakes.wire import Connection

MODELS = ("claude-sonnet-5-5", "claude-opus-5-5", "claude-sonnet-4-6", "claude-3-7-sonnet-latest")
_NO_SAMPLING = ("claude-sonnet-5-5", "claude-opus-5-5")


def usage(
    input_tokens: int, output: int, *, cache_read: int = 0, cache_write: int = 0, **more: Any
) -> dict[str, Any]:
    """Anthropic's usage: `input_tokens` EXCLUDES `cache_read` and `cache_write`."""
    return {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": cache_write,
        "cache_read_input_tokens": cache_read,
        "output_tokens": output,
        **more,
    }


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011"}


def _failing(status: int, kind: str, message: str, **script: Any) -> Script:
    return Script(status=status, error=_error(kind, message), **script)


def wrong_key() -> Script:
    return _failing(401, "authentication_error", "Invalid authentication credentials")


def forbidden() -> Script:
    message = "Your API key does not have permission to use the specified resource."
    return _failing(403, "permission_error", message)


def rate_limit(seconds: int | None = None) -> Script:
    headers = {} if seconds is None else {"retry-after": str(seconds)}
    message = "This request would exceed your account's rate limit. Please try again later."
    return _failing(429, "rate_limit_error", message, headers=headers)


def no_balance() -> Script:
    message = (
        "Your credit balance is too low to access the Anthropic API. "
        "Please go to Plans & Billing to upgrade or purchase credits."
    )
    return _failing(400, "invalid_request_error", message)


def unknown_model(name: str = "gone") -> Script:
    return _failing(404, "not_found_error", f"model: {name}")


def too_long() -> Script:
    return _failing(400, "invalid_request_error", "prompt is too long: 1205013 tokens > 1000000 maximum")


def broken() -> Script:
    return _failing(500, "api_error", "Internal server error")


def overloaded() -> Script:
    return _failing(529, "overloaded_error", "The API is temporarily overloaded.")


def no_region() -> Script:
    return _failing(403, "forbidden", "Request not allowed")


STREAM_ERROR = _error("rate_limit_error", "Rate limited")


def _blocks(body: Any, kind: str) -> Iterator[Any]:
    for message in body["messages"]:
        for block in message["content"]:
            if block["type"] == kind:
                yield block


def images_of(body: Any) -> list[tuple[str, bytes]]:
    """Type and bytes of the images in a request."""
    sources = [block["source"] for block in _blocks(body, "image")]
    return [(source["media_type"], b64decode(source["data"])) for source in sources]


def tool_names_of(body: Any) -> list[str]:
    """The functions a request offers."""
    return [tool["name"] for tool in body.get("tools", ())]


def tool_results_of(body: Any) -> list[str]:
    """What the functions answered; AssertionError when a result belongs to no call before it."""
    calls = {block["id"] for block in _blocks(body, "tool_use")}
    results = list(_blocks(body, "tool_result"))
    assert {block["tool_use_id"] for block in results} <= calls
    return [block["content"] for block in results]


def schema_of(body: Any) -> Any:
    """The schema that the answer must follow."""
    assert body["output_config"]["format"]["type"] == "json_schema"
    return body["output_config"]["format"]["schema"]


class AnthropicServer(FakeServer):
    """Speaks the Messages API; `url` is what ANTHROPIC_BASE_URL is to be."""

    def __init__(
        self, default: Script | None = None, models: tuple[str, ...] = MODELS, api_key: str = ""
    ) -> None:
        super().__init__(default, models, api_key)

    async def respond(self, request: Received, connection: Connection) -> None:
        """Answer one request."""
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            return await self.whole(wrong_key(), connection)
        if request.path == "/v1/models":
            if self.listing is not None:
                return await self.whole(self.listing, connection)
            return await connection.whole(200, self._list())
        if request.path == "/v1/messages/count_tokens":
            return await connection.whole(200, {"input_tokens": _words(request.body)})
        if request.path != "/v1/messages":
            return await self.whole(_failing(404, "not_found_error", "Not Found"), connection)
        script = self.script_for(request, _last_message(request.body))
        if script.error:
            return await self.whole(script, connection)
        if request.model not in self.models:
            return await self.whole(unknown_model(request.model), connection)
        if fault := _fault(request.body, request.headers.get("anthropic-version", "")):
            return await self.whole(_failing(400, "invalid_request_error", fault), connection)
        if request.body.get("stream"):
            return await self._stream(request, script, connection)
        return await connection.whole(200, _message(request, script))

    def _list(self) -> dict[str, Any]:
        data = [_model(name) for name in self.models]
        return {"data": data, "has_more": False, "first_id": self.models[0], "last_id": self.models[-1]}

    async def _stream(self, request: Received, script: Script, connection: Connection) -> None:
        # Every event has its name on a line of its own; a client skips those without.
        script = replace(script, garbage=b"event: content_block_delta\n" + script.garbage)
        await connection.begin()
        await _send(connection, {"type": "message_start", "message": _started(request, script)})
        await _send(connection, {"type": "ping"})
        index = 0
        if script.thoughts:
            await _block(
                connection, index, {"type": "thinking", "thinking": "", "signature": ""}, _thoughts(script)
            )
            index += 1
        await _send(connection, _start(index, {"type": "text", "text": ""}))
        sent = 0
        async for piece in self.pieces(script, connection):
            sent += 1
            await _send(connection, _delta(index, {"type": "text_delta", "text": piece}))
        if script.stream_error is not None:
            await _send(connection, script.stream_error)
        else:
            await _send(connection, {"type": "content_block_stop", "index": index})
            for number, (name, arguments) in enumerate(script.tool_calls, start=1):
                await _called(connection, index + number, name, arguments)
            if script.finish is not None:
                delta = {"stop_reason": _finish(script), "stop_sequence": None}
                counted = _counted(script, request, sent)
                await _send(connection, {"type": "message_delta", "delta": delta, **counted})
                await _send(connection, {"type": "message_stop"})
        await connection.end()


async def _send(connection: Connection, event: Mapping[str, Any]) -> None:
    data = json.dumps(event, ensure_ascii=False)
    await connection.send(f"event: {event['type']}\ndata: {data}\n\n".encode())


async def _block(
    connection: Connection, index: int, block: dict[str, Any], deltas: list[dict[str, Any]]
) -> None:
    await _send(connection, _start(index, block))
    for delta in deltas:
        await _send(connection, _delta(index, delta))
    await _send(connection, {"type": "content_block_stop", "index": index})


async def _called(connection: Connection, index: int, name: str, arguments: Mapping[str, Any]) -> None:
    block = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
    text = json.dumps(arguments, ensure_ascii=False)
    half = len(text) // 2
    pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", text[:half], text[half:])]
    await _block(connection, index, block, pieces)


def _thoughts(script: Script) -> list[dict[str, Any]]:
    thoughts = [{"type": "thinking_delta", "thinking": thought} for thought in script.thoughts]
    return [*thoughts, {"type": "signature_delta", "signature": "c2lnbmVk"}]


def _start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def _delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _finish(script: Script) -> str:
    if script.blocked:
        return "refusal"
    normal = "tool_use" if script.tool_calls else "end_turn"
    return {"length": "max_tokens", "": normal}.get(script.finish or "", script.finish or "")


def _started(request: Received, script: Script) -> dict[str, Any]:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }
    counted = _counted(script, request, 1)
    if counted.get("usage", {}).get("output_tokens"):
        counted["usage"]["output_tokens"] = 1
    return {**message, **counted}


def _message(request: Received, script: Script) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": script.text}]
    for number, (name, arguments) in enumerate(script.tool_calls, start=1):
        content.append({"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": dict(arguments)})
    counted = _counted(script, request, len(script.chunks))
    return {**_started(request, script), "content": content, "stop_reason": _finish(script), **counted}


def _model(name: str) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": name.replace("-", " ").title(),
        "created_at": "2026-09-28T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
    }


def _fault(body: Any, version: str) -> str:
    if not version:
        return "anthropic-version: header is required"
    if "max_tokens" not in body:
        return "max_tokens: Field required"
    if not all(block["text"].strip() for block in _blocks(body, "text")):
        return "messages: text content blocks must contain non-whitespace text"
    for name in ("temperature", "top_p", "top_k"):
        if name in body and version > "2023-06-01":
            return f"{name}: Extra inputs are not permitted"
        if name in body and body["model"] in _NO_SAMPLING:
            return f"`{name}` is deprecated for this model."
    if body.get("temperature", 0) > 1:
        return "temperature: range: 0..1"
    return ""


def _counted(script: Script, request: Received, sent: int) -> dict[str, Any]:
    if script.usage is None:
        return {}
    if script.usage is not COUNTED:
        return {"usage": dict(script.usage)}
    return {"usage": usage(_words(request.body), sent)}


def _words(body: Any) -> int:
    return len(f"{body.get('system', '')} {_texts(body['messages'])}".split())


def _last_message(body: Any) -> str:
    return _texts(body["messages"][-1:])


def _texts(messages: Any) -> str:
    return " ".join(block["text"] for block in _blocks({"messages": messages}, "text"))
