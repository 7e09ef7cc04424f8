"""An OpenAI-compatible server: `/v1/chat/completions`, streaming and not, `/v1/embeddings` and `/v1/models`.

    with OpenAIServer(Script(chunks=["Hi", " there"], usage=usage(prompt=7, completion=2))) as server:
        provider = OpenAICompatibleProvider("local", "Local", None, server.url)

As the real ones, it sends usage in a stream only when `stream_options` asks for it, in a last chunk without
choices. Embeddings come as base64 where that is asked for; `base64="ignore"` or `"refuse"` makes it an older server.
`stream_options="ignore"` or `"refuse"` makes it an older local server. Functions are asked for in pieces;
`calls="ollama"` sends each one whole, all with the same index and no id, and "stop" as the reason. A result without
its call, or a call without its result, is refused. Errors have OpenAI's shapes: `server.queue(wrong_key())`,
`rate_limit(seconds=7)`, `unknown_model("x")`, `too_long()`, `no_balance()`, `broken()`, `overloaded()`,
`no_region()`, `wrong_schema()`. See tests/fakes/script.py for the rest.
"""

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from tests.fakes.http_server import FakeServer
from tests.fakes.script import COUNTED, Received, Script, vector_of
from tests.fakes.wire import Connection

MODELS = ("gpt-6.1-sol", "gpt-6.1-terra", "gpt-5.4-mini", "local-model")
EMBEDDING_MODELS = ("text-embedding-3-small", "text-embedding-3-large", "local-embed")


def usage(
    prompt: int, completion: int, *, cached: int = 0, reasoning: int = 0, **more: Any
) -> dict[str, Any]:
    """OpenAI's usage: `prompt` includes `cached`, `completion` includes `reasoning`."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
        **more,
    }


def _failing(status: int, message: str, kind: str, code: str | None = None, **script: Any) -> Script:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return Script(status=status, error={"error": error}, **script)


def wrong_key() -> Script:
    message = "Incorrect API key provided: sk-wrong***************cret. You can find your key at the website."
    return _failing(401, message, "invalid_request_error", "invalid_api_key")


def forbidden() -> Script:
    return _failing(403, "You have insufficient permissions for this operation.", "invalid_request_error")


def rate_limit(seconds: int | None = None) -> Script:
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    message = "Rate limit reached for gpt-6.1-sol on tokens per min (TPM): Limit 30000, Used 30000."
    return _failing(429, message, "tokens", "rate_limit_exceeded", headers=headers)


def no_balance() -> Script:
    message = "You exceeded your current quota, please check your plan and billing details."
    return _failing(429, message, "insufficient_quota", "insufficient_quota")


def payment_required() -> Script:
    return _failing(402, "Insufficient Balance", "unknown_error", "invalid_request_error")


def unknown_model(name: str = "gone") -> Script:
    message = f"The model `{name}` does not exist or you do not have access to it."
    return _failing(404, message, "invalid_request_error", "model_not_found")


def too_long() -> Script:
    message = (
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000."
    )
    return _failing(400, message, "invalid_request_error", "context_length_exceeded")


def broken() -> Script:
    return _failing(500, "The server had an error while processing your request.", "server_error")


def overloaded() -> Script:
    return _failing(503, "The engine is currently overloaded, please try again later.", "server_error")


def no_region() -> Script:
    message = "Country, region, or territory not supported"
    return _failing(403, message, "request_forbidden", "unsupported_country_region_territory")


def wrong_schema() -> Script:
    message = (
        "Invalid schema for response_format 'answer': In context=(), 'additionalProperties' is required."
    )
    error = {"message": message, "type": "invalid_request_error", "param": "response_format", "code": None}
    return Script(status=400, error={"error": error})


STREAM_ERROR = {"error": {"message": "Rate limit reached.", "type": "tokens", "code": "rate_limit_exceeded"}}


class OpenAIServer(FakeServer):
    """Speaks chat completions; `url` is what OPENAI_BASE_URL or LOCAL_BASE_URL is to be (it ends in /v1)."""

    def __init__(
        self,
        default: Script | None = None,
        models: tuple[str, ...] = MODELS,
        api_key: str = "",
        stream_options: Literal["honour", "ignore", "refuse"] = "honour",
        calls: Literal["openai", "ollama"] = "openai",
        base64: Literal["honour", "ignore", "refuse"] = "honour",
    ) -> None:
        super().__init__(default, models, api_key)
        self.stream_options = stream_options
        self.calls = calls
        self.base64 = base64

    @property
    def url(self) -> str:
        """The base URL, /v1 included."""
        return f"{super().url}/v1"

    async def respond(self, request: Received, connection: Connection) -> None:
        """Answer one request."""
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            return await self.whole(wrong_key(), connection)
        if request.path == "/v1/models":
            return await self._list(connection)
        if request.path == "/v1/embeddings":
            return await self._embed(request, connection)
        if request.path != "/v1/chat/completions":
            return await connection.whole(404, "404 page not found")
        script = self.script_for(request, _last_message(request.body))
        if script.error:
            return await self.whole(script, connection)
        if request.model not in self.models:
            return await self.whole(unknown_model(request.model), connection)
        if self.stream_options == "refuse" and "stream_options" in request.body:
            message = "Unrecognized request argument supplied: stream_options"
            return await self.whole(_failing(400, message, "invalid_request_error"), connection)
        if (message := _unpaired(request.body)) is not None:
            return await self.whole(_failing(400, message, "invalid_request_error"), connection)
        if request.body.get("stream"):
            return await self._stream(request, script, connection)
        return await connection.whole(200, _completion(request, script))

    async def _list(self, connection: Connection) -> None:
        if self.listing is not None:
            return await self.whole(self.listing, connection)
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "x"} for name in self.models]
        return await connection.whole(200, {"object": "list", "data": data})

    async def _embed(self, request: Received, connection: Connection) -> None:
        body = request.body
        script = self.script_for(request, str(body["input"]))
        if not script.error and request.model not in EMBEDDING_MODELS:
            return await self.whole(unknown_model(request.model), connection)
        if self.base64 == "refuse" and body.get("encoding_format") == "base64":
            message = "encoding_format must be float"
            return await self.whole(_failing(400, message, "invalid_request_error"), connection)
        packed = self.base64 == "honour" and body.get("encoding_format") == "base64"
        found = script.vectors
        if found is None:
            found = [vector_of(str(text), body.get("dimensions")) for text in inputs_of(body)]
        data = [
            {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else list(vector)}
            for index, vector in enumerate(found)
        ]
        # Real servers need not keep the order.
        answer: dict[str, Any] = {"object": "list", "data": data[::-1], "model": request.model}
        if script.usage is not None:
            tokens = sum(len(str(text).split()) for text in inputs_of(body))
            counted = {"prompt_tokens": tokens, "total_tokens": tokens}
            answer["usage"] = counted if script.usage is COUNTED else script.usage
        return await self.in_one_piece(script, answer, connection)

    async def _stream(self, request: Received, script: Script, connection: Connection) -> None:
        await connection.begin()
        await connection.event(_chunk(request.model, {"role": "assistant", "content": ""}))
        for thought in script.thoughts:
            await connection.event(_chunk(request.model, {"reasoning_content": thought}))
        sent = 0
        async for piece in self.pieces(script, connection):
            sent += 1
            await connection.event(_chunk(request.model, {"content": piece}))
        for delta in _whole_calls(script) if self.calls == "ollama" else _calls_in_pieces(script):
            await connection.event(_chunk(request.model, {"tool_calls": [delta]}))
        if script.stream_error is not None:
            await connection.event(script.stream_error)
        elif script.finish is not None:
            called = script.tool_calls and self.calls == "openai"
            normal = "tool_calls" if called else "stop"
            await connection.event(_chunk(request.model, {}, script.finish or normal))
            asked = (request.body.get("stream_options") or {}).get("include_usage")
            if asked and self.stream_options == "honour" and script.usage is not None:
                last = {**_chunk(request.model, {}), "choices": []}
                await connection.event({**last, "usage": _counted(script, request, sent)})
            await connection.event("[DONE]")
        await connection.end()


def _chunk(model: str, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": model,
        "choices": [choice],
    }


def _calls_in_pieces(script: Script) -> Iterator[dict[str, Any]]:
    for index, (name, arguments) in enumerate(script.tool_calls):
        begun = {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        yield {"index": index, **begun}
        text = json.dumps(arguments, ensure_ascii=False)
        for at in range(0, len(text), 5):
            yield {"index": index, "function": {"arguments": text[at : at + 5]}}


def _whole_calls(script: Script) -> Iterator[dict[str, Any]]:
    for name, arguments in script.tool_calls:
        function = {"name": name, "arguments": json.dumps(arguments)}
        yield {"id": "", "index": 0, "type": "function", "function": function}


def _completion(request: Received, script: Script) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": script.text}
    if script.tool_calls:
        message["tool_calls"] = [{**call, "id": f"call_{at}"} for at, call in enumerate(_whole_calls(script))]
    finish = script.finish or ("tool_calls" if script.tool_calls else "stop")
    whole = {
        **_chunk(request.model, {}),
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    if script.usage is not None:
        whole["usage"] = _counted(script, request, len(script.chunks))
    return whole


def _counted(script: Script, request: Received, sent: int) -> Any:
    if script.usage is not COUNTED:
        return script.usage
    words = sum(len(_text(message).split()) for message in request.body["messages"])
    return usage(prompt=words, completion=sent)


def _packed(vector: Sequence[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _last_message(body: Any) -> str:
    messages = body.get("messages") or [{}]
    return _text(messages[-1])


def _text(message: Mapping[str, Any]) -> str:
    return " ".join(part["text"] for part in _parts(message) if part["type"] == "text")


def _parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content") or ""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _unpaired(body: Any) -> str | None:
    """What OpenAI says to a result without its call, and the other way round."""
    open_calls: list[str] = []
    for message in [*body.get("messages", ()), {"role": "end"}]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return (
                    "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                )
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            return "An assistant message with 'tool_calls' must be followed by tool messages."
        open_calls += [call["id"] for call in message.get("tool_calls", ())]
    return None


# --- what stands in a request ---


def inputs_of(body: Any) -> list[Any]:
    """What a request for embeddings wants embedded: texts, or lists of token ids."""
    found = body["input"]
    return found if isinstance(found, list) and not isinstance(found[0], int) else [found]


def images_of(body: Any) -> list[tuple[str, bytes]]:
    """Type and bytes of the images in a request."""
    return [
        (url.removeprefix("data:").partition(";")[0], b64decode(url.partition(";base64,")[2], validate=True))
        for message in body["messages"]
        for part in _parts(message)
        if part["type"] == "image_url"
        for url in [part["image_url"]["url"]]
    ]


def tool_names_of(body: Any) -> list[str]:
    """The functions a request offers."""
    return [tool["function"]["name"] for tool in body.get("tools", ()) if tool["type"] == "function"]


def tool_results_of(body: Any) -> list[str]:
    """What the functions answered."""
    return [message["content"] for message in body["messages"] if message["role"] == "tool"]


def schema_of(body: Any) -> Any:
    """The schema that the answer must follow."""
    assert body["response_format"]["type"] == "json_schema"
    return body["response_format"]["json_schema"]["schema"]
