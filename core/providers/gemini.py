"""Google Gemini through the official google-genai SDK (Developer API, v1beta)."""

import warnings
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from core.providers.access import Access
from core.providers.failures import cut_stream
from core.providers.refusals import Refusal, retry_after_seconds
from core.providers.sdk_adapter import Call, SdkProvider
from core.providers.types import (
    Capability,
    CompletionRequest,
    FinishReason,
    ModelInfo,
    ProviderInfo,
    Role,
    StreamEnd,
    StreamEvent,
    TextDelta,
    TokenUsage,
    UsageReport,
)

if TYPE_CHECKING:
    import httpx2
    from google import genai
    from google.genai import types

BASE_URL = "https://generativelanguage.googleapis.com"
KEY_SETTING = "GEMINI_API_KEY"
URL_SETTING = "GOOGLE_GEMINI_BASE_URL"

INFO = ProviderInfo(
    id="gemini",
    label="Gemini",
    capabilities=frozenset(Capability),
    suggested_models=tuple(
        ModelInfo(name) for name in ("gemini-3.8-flash", "gemini-3.5-flash", "gemini-3.1-pro-preview")
    ),
)

_REASONS: dict[str, FinishReason] = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.LENGTH,
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "MODEL_ARMOR",
            "ESCALATION",
            "PUP_LIMITED_DISABLED",
        ),
        FinishReason.SAFETY,
    ),
}


class GeminiProvider(SdkProvider["genai.Client"]):
    """Streams answers of Gemini models. `timeout_seconds`: how long the server may stay silent."""

    def __init__(self, api_key: str, base_url: str | None = None, timeout_seconds: float = 120) -> None:
        """AppError when the key or the address cannot be right."""
        super().__init__(
            INFO, Access(api_key, base_url or BASE_URL, KEY_SETTING, URL_SETTING, timeout_seconds)
        )

    def _build(self, http: "httpx2.AsyncClient") -> "genai.Client":
        from google import genai
        from google.genai import types

        # The SDK warns about every finish reason newer than itself; ours become OTHER with the raw word.
        warnings.filterwarnings("ignore", message=".* is not a valid ", module=r"google\.genai\._common")
        # Everything said explicitly, or the environment would say it (Vertex AI, another key, version or host).
        return genai.Client(
            enterprise=False,
            api_key=self._access.api_key,
            http_options=types.HttpOptions(
                base_url=self._access.base_url, api_version="v1beta", httpx_async_client=http
            ),
        )

    async def _events(self, request: CompletionRequest, call: Call) -> AsyncGenerator[StreamEvent, None]:
        client = await self._sdk()
        end: StreamEnd | None = None
        with call.watched():
            opened = await client.aio.models.generate_content_stream(
                model=request.model, contents=_contents(request), config=_config(request)
            )
            # The request goes out with the first chunk.
            chunks = cast("AsyncGenerator[types.GenerateContentResponse, None]", opened)
            chunk = await anext(chunks, None)
        async with aclosing(chunks):
            while chunk is not None:
                for text in _texts(chunk):
                    yield TextDelta(text)
                if chunk.usage_metadata is not None:
                    yield UsageReport(_usage(chunk.usage_metadata))
                end = _end(chunk) or end
                chunk = await anext(chunks, None)
        if end is None:
            raise cut_stream(self._facts(request.model))
        yield end

    async def _list_models(self) -> tuple[ModelInfo, ...]:
        client = await self._sdk()
        found = [
            ModelInfo(model.name.removeprefix("models/"), model.display_name or "")
            async for model in await client.aio.models.list()
            if model.name and "generateContent" in (model.supported_actions or ())
        ]
        return tuple(found)

    def _refusal(self, error: Exception) -> Refusal | None:
        from google.genai import errors

        if not isinstance(error, errors.APIError):
            return None
        response = cast("httpx2.Response | None", getattr(error, "response", None))
        retry_after = retry_after_seconds(response.headers) if response is not None else None
        # Inside a stream there are no headers, and the code is whatever the body says.
        code, details = cast("object", error.code), cast("object", error.details)  # pyright: ignore[reportUnknownMemberType]
        return Refusal(code if isinstance(code, int) else 0, details, retry_after)


def _contents(request: CompletionRequest) -> "types.ContentListUnion":
    from google.genai import types

    return [
        types.Content(
            role="model" if message.role is Role.ASSISTANT else "user", parts=[types.Part(text=message.text)]
        )
        for message in request.messages
    ]


def _config(request: CompletionRequest) -> "types.GenerateContentConfig":
    from google.genai import types

    return types.GenerateContentConfig(
        system_instruction=request.system_prompt or None,
        temperature=request.temperature,
        max_output_tokens=request.max_output_tokens,
        # One call is one request: the SDK would follow up on its own and report the last part's usage.
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def _texts(chunk: "types.GenerateContentResponse") -> Iterable[str]:
    for candidate in (chunk.candidates or ())[:1]:
        for part in (candidate.content and candidate.content.parts) or ():
            if part.text and not part.thought:
                yield part.text


def _end(chunk: "types.GenerateContentResponse") -> StreamEnd | None:
    for candidate in (chunk.candidates or ())[:1]:
        if candidate.finish_reason is None:
            return None
        raw = str(candidate.finish_reason.value)
        return StreamEnd(_REASONS.get(raw, FinishReason.OTHER), raw)
    if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason is not None:
        return StreamEnd(FinishReason.SAFETY, str(chunk.prompt_feedback.block_reason.value))
    return None


def _usage(found: "types.GenerateContentResponseUsageMetadata") -> TokenUsage:
    """Gemini counts thoughts and the results of tools beside its prompt and candidates; we count them in."""
    thoughts = found.thoughts_token_count or 0
    return TokenUsage(
        input_tokens=(found.prompt_token_count or 0) + (found.tool_use_prompt_token_count or 0),
        cached_input_tokens=found.cached_content_token_count or 0,
        input_audio_tokens=_audio(found.prompt_tokens_details) + _audio(found.tool_use_prompt_tokens_details),
        output_tokens=(found.candidates_token_count or 0) + thoughts,
        reasoning_tokens=thoughts,
        output_audio_tokens=_audio(found.candidates_tokens_details),
    )


def _audio(details: "list[types.ModalityTokenCount] | None") -> int:
    return sum(
        entry.token_count or 0
        for entry in details or ()
        if entry.modality is not None and entry.modality.value == "AUDIO"
    )
