"""OpenAI and everything that speaks its chat completions (Ollama, llama.cpp, vLLM …), through the official SDK."""

import re
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from core.providers.access import Access
from core.providers.failures import cut_stream, garbage
from core.providers.refusals import Refusal, retry_after_seconds
from core.providers.sdk_adapter import Call, SdkProvider
from core.providers.types import (
    Capability,
    CompletionRequest,
    FinishReason,
    ModelInfo,
    ProviderInfo,
    StreamEnd,
    StreamEvent,
    TextDelta,
    TokenUsage,
    UsageReport,
)

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI, AsyncStream
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletionChunk

BASE_URL = "https://api.openai.com/v1"
NO_KEY = "not-needed"  # the SDK insists on a key, local servers ignore it

# The newest chat models that both the SDK's ChatModel list and genai-prices know.
SUGGESTED_MODELS: tuple[ModelInfo, ...] = tuple(
    ModelInfo(name)
    for name in ("gpt-6.1-sol", "gpt-6.1-terra", "gpt-6-luna", "gpt-5.5", "gpt-5.4-mini", "gpt-4.1")
)
# OpenAI lists everything it has; these do not chat, or not through chat completions.
_NOT_CHAT = re.compile(
    r"embedding|whisper|tts|transcribe|dall-e|image|sora|moderation|realtime|audio|live|codex"
    r"|davinci|babbage|instruct|translate|computer-use|deep-research|-pro\b"
)

_REASONS: dict[str, FinishReason] = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.SAFETY,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
}


class OpenAICompatibleProvider(SdkProvider["AsyncOpenAI"]):
    """Streams chat completions. `timeout_seconds`: how long the server may stay silent."""

    def __init__(
        self,
        provider_id: str,
        label: str,
        api_key: str | None,
        base_url: str | None = None,
        timeout_seconds: float = 120,
        free_reason: str | None = None,
        suggested_models: tuple[ModelInfo, ...] = (),
    ) -> None:
        """No base URL is OpenAI's own; AppError when the key or the address cannot be right."""
        info = ProviderInfo(provider_id, label, frozenset(Capability), suggested_models, free_reason)
        names = f"{provider_id.upper()}_API_KEY", f"{provider_id.upper()}_BASE_URL"
        super().__init__(info, Access(api_key or NO_KEY, base_url or BASE_URL, *names, timeout_seconds))
        self._asks_usage = True

    def _build(self, http: "httpx2.AsyncClient") -> "AsyncOpenAI":
        from openai import AsyncOpenAI

        return AsyncOpenAI(
            api_key=self._access.api_key,
            base_url=self._access.base_url,
            timeout=http.timeout,
            max_retries=0,
            http_client=http,
        )

    async def _events(self, request: CompletionRequest, call: Call) -> AsyncGenerator[StreamEvent, None]:
        import httpx2
        from openai import APIConnectionError

        end: StreamEnd | None = None
        with call.watched():
            chunks = await self._open(request)
        answered = False
        try:
            async for chunk in chunks:
                answered = True
                for choice in (chunk.choices or ())[:1]:
                    text = (choice.delta and (choice.delta.content or choice.delta.refusal)) or ""
                    if text:
                        yield TextDelta(text)
                    if choice.finish_reason:
                        raw = str(choice.finish_reason)
                        end = StreamEnd(_REASONS.get(raw, FinishReason.OTHER), raw)
                usage = _usage(chunk.usage) if chunk.usage is not None else None
                if usage is not None:
                    yield UsageReport(usage)
        except (APIConnectionError, httpx2.TransportError):
            if end is None:
                raise
            # The model had finished: only the usage got lost, and that can be estimated.
        if end is None:
            if not answered and "event-stream" not in chunks.response.headers.get("content-type", ""):
                raise garbage(self._facts(request.model), "not an event stream")
            raise cut_stream(self._facts(request.model))
        yield end

    async def _open(self, request: CompletionRequest) -> "AsyncStream[ChatCompletionChunk]":
        from openai import BadRequestError, UnprocessableEntityError

        client = await self._sdk()
        body = self._body(request)
        if self._asks_usage:
            try:
                return await client.chat.completions.create(
                    **body, stream=True, stream_options={"include_usage": True}
                )
            except (BadRequestError, UnprocessableEntityError) as error:
                if "stream_options" not in str(error):
                    raise
            self._asks_usage = False
        return await client.chat.completions.create(**body, stream=True)

    def _body(self, request: CompletionRequest) -> dict[str, Any]:
        messages = [{"role": message.role.value, "content": message.text} for message in request.messages]
        if request.system_prompt:
            messages.insert(0, {"role": "system", "content": request.system_prompt})
        body: dict[str, Any] = {"model": request.model, "messages": messages}
        if request.temperature is not None:
            body["temperature"] = request.temperature
        if request.max_output_tokens is not None:
            # OpenAI's reasoning models refuse the old name, local servers do not know the new one.
            name = "max_completion_tokens" if self._info.id == "openai" else "max_tokens"
            body[name] = request.max_output_tokens
        return body

    async def _list_models(self) -> tuple[ModelInfo, ...]:
        client = await self._sdk()
        found = [model.id async for model in client.models.list() if model.id]
        return tuple(
            ModelInfo(name) for name in found if self._info.id != "openai" or not _NOT_CHAT.search(name)
        )

    def _refusal(self, error: Exception) -> Refusal | None:
        from openai import APIConnectionError, APIError, APIStatusError

        if isinstance(error, APIStatusError):
            return Refusal(error.status_code, error.body, retry_after_seconds(error.response.headers))
        if isinstance(error, APIError) and not isinstance(error, APIConnectionError):
            return Refusal(0, error.body or error.message)
        return None


def _usage(found: "CompletionUsage") -> TokenUsage | None:
    """None when a server fills the fields with zeros, as some do: an estimate is nearer to the truth."""
    prompt, completion = _count(found.prompt_tokens), _count(found.completion_tokens)
    if not prompt and not completion:
        return None
    before, after = found.prompt_tokens_details, found.completion_tokens_details
    reasoning = _count(after.reasoning_tokens) if after else 0
    # Some servers (xAI) count reasoning beside the completion; their total tells.
    if reasoning and _count(found.total_tokens) == prompt + completion + reasoning:
        completion += reasoning
    return TokenUsage(
        input_tokens=prompt,
        cached_input_tokens=_count(before.cached_tokens) if before else 0,
        cache_write_tokens=_count(before.cache_write_tokens) if before else 0,
        input_audio_tokens=_count(before.audio_tokens) if before else 0,
        output_tokens=completion,
        reasoning_tokens=reasoning,
        output_audio_tokens=_count(after.audio_tokens) if after else 0,
    )


def _count(value: object) -> int:
    # The SDK does not check what a server sends.
    return max(0, value) if isinstance(value, int) else 0
