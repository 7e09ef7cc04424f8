"""A Gemini server: v1beta `streamGenerateContent?alt=sse`, `generateContent`, `countTokens`, `batchEmbedContents`
(of at most 100 texts) and the list of models.

    with GeminiServer(Script(chunks=["Hi", " there"], usage=usage(prompt=7, output=2))) as server:
        provider = GeminiProvider("key", server.url)

Errors have Google's own shapes: `server.queue(wrong_key())`, `rate_limit(seconds=7)`, `unknown_model("x")`,
`too_long()`, `no_balance()`, `broken()`, `overloaded()`, `no_region()`. See tests/fakes/script.py for the rest.

Like Google's, Gemini 3 signs the first call of a turn and refuses a conversation with a turn of calls unsigned;
countTokens counts `generateContentRequest` where there is one, `contents` otherwise.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.http_server import FakeServer
from tests.fakes.script import COUNTED, Received, Script, vector_of
from tests.fakes.wire import Connection

MODELS = ("gemini-3.8-flash", "gemini-3.5-flash", "gemini-3.1-pro-preview")
EMBEDDING_MODELS = ("gemini-embedding-001", "gemini-embedding-2", "text-embedding-004")
MOST_IN_A_BATCH = 100


def usage(
    prompt: int, output: int, *, cached: int = 0, thoughts: int = 0, tools: int = 0, **more: Any
) -> dict[str, Any]:
    """usageMetadata: `prompt` includes `cached`, `output` excludes `thoughts`, as Gemini counts."""
    counts = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": output,
        "cachedContentTokenCount": cached,
        "thoughtsTokenCount": thoughts,
        "toolUsePromptTokenCount": tools,
    }
    named = {name: count for name, count in counts.items() if count}
    return {**named, "totalTokenCount": prompt + output + thoughts + tools, **more}


def _failing(code: int, status: str, message: str, *details: Mapping[str, Any], **script: Any) -> Script:
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return Script(status=code, error={"error": error}, **script)


def wrong_key() -> Script:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    return _failing(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", info)


def forbidden() -> Script:
    return _failing(403, "PERMISSION_DENIED", "Requests to this API are blocked for this key.")


def rate_limit(seconds: int | None = None) -> Script:
    message = "You exceeded your current quota, please check your plan and billing details."
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"}
    return _failing(429, "RESOURCE_EXHAUSTED", message, *([info] if seconds is not None else []))


def no_balance() -> Script:
    return _failing(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted. Go to AI Studio.")


def unknown_model(name: str = "gone") -> Script:
    message = f"models/{name} is not found for API version v1beta, or is not supported for generateContent."
    return _failing(404, "NOT_FOUND", message)


def too_long() -> Script:
    message = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
    return _failing(400, "INVALID_ARGUMENT", message)


def broken() -> Script:
    return _failing(500, "INTERNAL", "An internal error has occurred. Please retry.")


def overloaded() -> Script:
    return _failing(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")


def no_region() -> Script:
    return _failing(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")


def unsigned() -> Script:
    return _failing(
        400, "INVALID_ARGUMENT", "Function call is missing a thought_signature in functionCall parts."
    )


SIGNATURE = b"thought \xfb\xff"

STREAM_ERROR = {"error": {"code": 429, "message": "Resource exhausted.", "status": "RESOURCE_EXHAUSTED"}}


class GeminiServer(FakeServer):
    """Speaks Gemini's REST protocol; `url` is what GOOGLE_GEMINI_BASE_URL is to be."""

    def __init__(
        self, default: Script | None = None, models: tuple[str, ...] = MODELS, api_key: str = ""
    ) -> None:
        super().__init__(default, models, api_key)

    async def respond(self, request: Received, connection: Connection) -> None:
        """Answer one request."""
        if self.api_key and request.headers.get("x-goog-api-key") != self.api_key:
            return await self.whole(wrong_key(), connection)
        if request.method == "GET":
            if self.listing is not None:
                return await self.whole(self.listing, connection)
            return await connection.whole(200, {"models": [*map(_model, self.models), _EMBEDDING]})
        if request.path.endswith(":batchEmbedContents"):
            return await self._embed(request, connection)
        script = self.script_for(request, _last_message(request.body))
        if script.error:
            return await self.whole(script, connection)
        if request.model not in self.models:
            return await self.whole(unknown_model(request.model), connection)
        if request.path.endswith(":countTokens"):
            return await connection.whole(200, {"totalTokens": _tokens(request.body)})
        if _signs(request.model) and not _signed(request.body):
            return await self.whole(unsigned(), connection)
        if request.path.endswith(":streamGenerateContent"):
            return await self._stream(request, script, connection)
        chunk = _chunk(request.model, script.text, script.finish or "STOP")
        return await connection.whole(200, {**chunk, **_counted(script, request, len(script.chunks))})

    async def _embed(self, request: Received, connection: Connection) -> None:
        texts = inputs_of(request.body)
        script = self.script_for(request, " ".join(texts))
        if not script.error and request.model not in EMBEDDING_MODELS:
            return await self.whole(unknown_model(request.model), connection)
        if len(texts) > MOST_IN_A_BATCH:
            message = "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n"
            return await self.whole(_failing(400, "INVALID_ARGUMENT", message), connection)
        found = script.vectors
        if found is None:
            asked = request.body["requests"]
            found = [
                vector_of(text, each.get("outputDimensionality"))
                for text, each in zip(texts, asked, strict=True)
            ]
        answer: dict[str, Any] = {"embeddings": [{"values": list(vector)} for vector in found]}
        if script.usage is not None:
            counted = {"promptTokenCount": sum(len(text.split()) for text in texts)}
            answer["usageMetadata"] = counted if script.usage is COUNTED else script.usage
        return await self.in_one_piece(script, answer, connection)

    async def _stream(self, request: Received, script: Script, connection: Connection) -> None:
        await connection.begin()
        if script.blocked:
            feedback = {"blockReason": script.blocked, **_rated(script)}
            await connection.event({"promptFeedback": feedback, **_counted(script, request, 0)})
            await connection.end()
            return
        for thought in script.thoughts:
            part = {"text": thought, "thought": True}
            await connection.event(
                {"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]}
            )
        sent = 0
        async for piece in self.pieces(script, connection):
            sent += 1
            chunk = _chunk(request.model, piece)
            if script.usage is COUNTED:
                chunk |= _counted(script, request, sent)
            await connection.event(chunk)
        if script.tool_calls:
            await connection.event(_calls(request.model, script))
        if script.stream_error is not None:
            await connection.event(script.stream_error)
        elif script.finish is not None:
            last = _chunk(request.model, "", script.finish or "STOP")
            last["candidates"][0] |= _rated(script)
            await connection.event({**last, **_counted(script, request, sent)})
        await connection.end()


_EMBEDDING = {"name": "models/gemini-embedding-001", "supportedGenerationMethods": ["embedContent"]}


def _model(name: str) -> dict[str, Any]:
    title = name.replace("-", " ").title()
    return {
        "name": f"models/{name}",
        "displayName": title,
        "description": f"Fast and versatile:\n{title}.",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }


def _chunk(model: str, text: str, finish: str = "") -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": model, "responseId": "r-1"}


def _rated(script: Script) -> dict[str, Any]:
    ratings = [{"category": category, "probability": likely} for category, likely in script.safety]
    return {"safetyRatings": ratings} if ratings else {}


def _counted(script: Script, request: Received, sent: int) -> dict[str, Any]:
    if script.usage is None:
        return {}
    if script.usage is not COUNTED:
        return {"usageMetadata": script.usage}
    return {"usageMetadata": usage(prompt=_words(request.body), output=sent)}


def _calls(model: str, script: Script) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"functionCall": {"name": name, "args": arguments}} for name, arguments in script.tool_calls
    ]
    if _signs(model):
        parts[0]["thoughtSignature"] = b64encode(SIGNATURE).decode()
    chunk = _chunk(model, "")
    chunk["candidates"][0]["content"]["parts"] = parts
    return chunk


def _signs(model: str) -> bool:
    return model.startswith("gemini-3")


def _signed(body: Any) -> bool:
    for content in body.get("contents", ()):
        calls = [part for part in content.get("parts", ()) if "functionCall" in part]
        if calls and not calls[0].get("thoughtSignature"):
            return False
    return True


def _tokens(body: Any) -> int:
    """A token a word, one a function and one a file."""
    asked = body.get("generateContentRequest") or body
    return _words(asked) + len(tool_names_of(asked)) + len(images_of(asked))


def _words(body: Any) -> int:
    said = [*body.get("contents", ()), body.get("systemInstruction", {})]
    return sum(len(part.get("text", "").split()) for content in said for part in content.get("parts", ()))


def _last_message(body: Any) -> str:
    contents = body.get("contents") or [{}]
    return "".join(part.get("text", "") for part in contents[-1].get("parts", ()))


# --- what stands in a request ---


def _parts(body: Any) -> Iterator[dict[str, Any]]:
    for content in body.get("contents", ()):
        yield from content.get("parts", ())


def _either(found: Mapping[str, Any], *names: str) -> Any:
    """Google reads both spellings of a name, and the SDK sends both."""
    return next(found[name] for name in names if name in found)


def inputs_of(body: Any) -> list[str]:
    """The texts that a request wants embedded."""
    return ["".join(part["text"] for part in each["content"]["parts"]) for each in body["requests"]]


def images_of(body: Any) -> list[tuple[str, bytes]]:
    """Type and bytes of every file inside the request, images and others."""
    files = [part["inlineData"] for part in _parts(body) if "inlineData" in part]
    return [
        (_either(file, "mimeType", "mime_type"), b64decode(file["data"], altchars=b"-_")) for file in files
    ]


def tool_names_of(body: Any) -> list[str]:
    """The functions that were declared."""
    return [
        function["name"]
        for tool in body.get("tools", ())
        for function in tool.get("functionDeclarations", ())
    ]


def tool_results_of(body: Any) -> list[str]:
    """The answers of functions as JSON."""
    answers = [part["functionResponse"] for part in _parts(body) if "functionResponse" in part]
    return [json.dumps(answer["response"], ensure_ascii=False) for answer in answers]


def schema_of(body: Any) -> dict[str, Any] | None:
    """The JSON schema of the answer; None unless JSON was asked for."""
    config = body.get("generationConfig", {})
    return config.get("responseJsonSchema") if config.get("responseMimeType") == "application/json" else None
