"""Google Gemini through the official google-genai SDK (Developer API, v1beta)."""

import warnings
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from core.providers.access import Access
from core.providers.embedding import Embedded, EmbeddingRequest, vector_of
from core.providers.estimate import estimate_prompt_tokens
from core.providers.failures import cut_stream
from core.providers.gemini_answers import Answer
from core.providers.gemini_wire import sdk_request
from core.providers.refusals import Refusal, retry_after_seconds
from core.providers.sdk_adapter import Call, SdkProvider
from core.providers.types import (
    TEXT_CHAT,
    Capability,
    CompletionRequest,
    FinishReason,
    ModelInfo,
    ProviderInfo,
    StreamEnd,
    StreamEvent,
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
    capabilities=TEXT_CHAT
    | {
        Capability.IMAGES,
        Capability.DOCUMENTS,
        Capability.AUDIO,
        Capability.VIDEO,
        Capability.FILE_URIS,
        Capability.TOOLS,
        Capability.STRUCTURED_OUTPUT,
        Capability.REASONING_EFFORT,
        Capability.COUNT_TOKENS,
        Capability.EMBEDDINGS,
        Capability.EMBEDDING_DIMENSIONS,
    },
    suggested_models=tuple(
        ModelInfo(name) for name in ("gemini-3.8-flash", "gemini-3.5-flash", "gemini-3.1-pro-preview")
    ),
    embedding_models=(ModelInfo("gemini-embedding-001"), ModelInfo("gemini-embedding-2")),
)

MOST_IN_A_BATCH = 100  # texts that one request of Google's may ask embeddings of


class GeminiProvider(SdkProvider["genai.Client"]):
    """Streams answers of Gemini models."""

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        timeout_seconds: float = 120,
        setting: str = KEY_SETTING,
        public_only: bool = False,
    ) -> None:
        """AppError when the key or the address cannot be right.

        `timeout_seconds`: how long the server may stay silent. `setting`: how sentences name the key.
        """
        url = base_url or BASE_URL
        super().__init__(INFO, Access(api_key, url, setting, URL_SETTING, timeout_seconds, public_only))

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
        contents, config = sdk_request(request)
        answer = Answer()
        with call.watched():
            opened = await client.aio.models.generate_content_stream(
                model=request.model, contents=cast("types.ContentListUnion", contents), config=config
            )
            # The request goes out with the first chunk.
            chunks = cast("AsyncGenerator[types.GenerateContentResponse, None]", opened)
            chunk = await anext(chunks, None)
        async with aclosing(chunks):
            while chunk is not None:
                for event in answer.events(chunk):
                    yield event
                chunk = await anext(chunks, None)
        if answer.end is None:
            raise cut_stream(self._facts(request.model))
        yield answer.end

    async def _embeddings(self, request: EmbeddingRequest, call: Call) -> AsyncGenerator[StreamEvent, None]:
        """In batches, one after another; what came of the first ones is reported when a later one fails."""
        client = await self._sdk()

        from google.genai import types

        config = types.EmbedContentConfig(output_dimensionality=request.dimensions)
        usage = TokenUsage()
        for start in range(0, len(request.inputs), MOST_IN_A_BATCH):
            batch = replace(request, inputs=request.inputs[start : start + MOST_IN_A_BATCH])
            # Contents, because the SDK puts plain texts together to one for models that take pictures as well.
            contents = [types.Content(parts=[types.Part(text=str(text))]) for text in batch.inputs]
            with call.watched():
                answer = await client.aio.models.embed_content(
                    model=request.model, contents=cast("types.ContentListUnion", contents), config=config
                )
            usage = _with(usage, answer.usage_metadata, batch)
            yield UsageReport(usage)
            yield Embedded(tuple(vector_of(each.values or ()) for each in answer.embeddings or ()))
        yield StreamEnd(FinishReason.STOP)

    async def _list_models(self) -> tuple[ModelInfo, ...]:
        client = await self._sdk()
        found = [
            ModelInfo(
                model.name.removeprefix("models/"),
                model.display_name or "",
                model.input_token_limit or None,
                model.output_token_limit or None,
                " ".join((model.description or "").split()),
            )
            async for model in await client.aio.models.list()
            if model.name and "generateContent" in (model.supported_actions or ())
        ]
        return tuple(found)

    async def _count_tokens(self, request: CompletionRequest) -> int | None:
        """The input tokens of the whole request: turns, files, system prompt, functions, schema and cached prefix.

        The SDK's own arguments cover the turns alone on the Developer API. Google counts everything when the
        complete body of the later call stands in `generateContentRequest`, beside which it ignores `contents`.
        """
        from google.genai import types

        name = request.model if "/" in request.model else f"models/{request.model}"
        asked = {"model": name, **(await self.prepare(request)).body}
        client = await self._sdk()
        counted = await client.aio.models.count_tokens(
            model=request.model,
            contents=".",  # the SDK demands some; what follows empties them
            config=types.CountTokensConfig(
                http_options=types.HttpOptions(extra_body={"contents": [], "generateContentRequest": asked})
            ),
        )
        return counted.total_tokens

    def _refusal(self, error: Exception) -> Refusal | None:
        from google.genai import errors

        if not isinstance(error, errors.APIError):
            return None
        response = cast("httpx2.Response | None", getattr(error, "response", None))
        retry_after = retry_after_seconds(response.headers) if response is not None else None
        # Inside a stream there are no headers, and the code is whatever the body says.
        code, details = cast("object", error.code), cast("object", error.details)  # pyright: ignore[reportUnknownMemberType]
        return Refusal(code if isinstance(code, int) else 0, details, retry_after)


def _with(usage: TokenUsage, found: "types.UsageMetadata | None", batch: EmbeddingRequest) -> TokenUsage:
    """`usage` with that of one more batch, which not every model tells."""
    told = found.prompt_token_count if found is not None else None
    return replace(
        usage,
        input_tokens=usage.input_tokens + (told or estimate_prompt_tokens(batch)),
        estimated=usage.estimated or not told,
    )
