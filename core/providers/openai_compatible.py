"""What speaks OpenAI's chat completions (Ollama, llama.cpp, vLLM … and OpenAI itself), through the official SDK."""

import re
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from core.providers.access import Access
from core.providers.embedding import Embedded, EmbeddingRequest, vector_of
from core.providers.failures import cut_stream, garbage
from core.providers.openai_answer import AnswerReader, embedding_usage
from core.providers.openai_wire import Dialect, body
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
    UsageReport,
)

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI, AsyncStream
    from openai.types import CreateEmbeddingResponse

NO_KEY = "not-needed"  # the SDK insists on a key, local servers ignore it
EMBEDDINGS = frozenset(
    {Capability.EMBEDDINGS, Capability.EMBEDDING_DIMENSIONS, Capability.EMBEDDING_TOKEN_IDS}
)
CAPABILITIES = TEXT_CHAT | EMBEDDINGS | {Capability.IMAGES, Capability.TOOLS, Capability.STRUCTURED_OUTPUT}


class ChatCompletionsProvider(SdkProvider["AsyncOpenAI"]):
    """Streams chat completions in the `dialect` of a server."""

    dialect: ClassVar[Dialect] = Dialect()

    def __init__(self, info: ProviderInfo, access: Access) -> None:
        """AppError when the key or the address cannot be right."""
        super().__init__(info, access)
        # Both until the server has refused to be asked.
        self._asks_usage = True
        self._asks_base64 = True

    def _build(self, http: "httpx2.AsyncClient") -> "AsyncOpenAI":
        from openai import AsyncOpenAI

        client = AsyncOpenAI(
            api_key=self._access.api_key,
            base_url=self._access.base_url,
            timeout=http.timeout,
            max_retries=0,
            http_client=http,
        )
        # The environment may hold another account's names and, in OPENAI_CUSTOM_HEADERS, another key; no argument
        # keeps the SDK from sending them to every server.
        client.organization = client.project = None
        client._custom_headers = {}  # pyright: ignore[reportPrivateUsage]
        return client

    async def _events(self, request: CompletionRequest, call: Call) -> AsyncGenerator[StreamEvent, None]:
        import httpx2
        from openai import APIConnectionError

        with call.watched():
            chunks = await self._open(request)
        reader = AnswerReader()
        answered = False
        try:
            async for chunk in chunks:
                answered = True
                for event in reader.read(chunk):
                    yield event
        except (APIConnectionError, httpx2.TransportError):
            if reader.end is None:
                raise
            # The model had finished: only the usage got lost, and that can be estimated.
        if reader.end is None:
            if not answered and "event-stream" not in chunks.response.headers.get("content-type", ""):
                raise garbage(self._facts(request.model), "not an event stream")
            raise cut_stream(self._facts(request.model))
        for requested in tuple(reader.calls()):  # all of them or, when one cannot be read, none
            yield requested
        yield reader.end

    async def _open(self, request: CompletionRequest) -> "AsyncStream[Any]":
        from openai import BadRequestError, UnprocessableEntityError

        arguments = body(self._info, request, self.dialect)
        client = await self._sdk()
        if self._asks_usage:
            try:
                return await _stream(client, {**arguments, "stream_options": {"include_usage": True}})
            except (BadRequestError, UnprocessableEntityError) as error:
                if "stream_options" not in f"{error} {error.body}":
                    raise
        chunks = await _stream(client, arguments)
        self._asks_usage = False
        return chunks

    async def _embeddings(self, request: EmbeddingRequest, call: Call) -> AsyncGenerator[StreamEvent, None]:
        with call.watched():
            answer = await self._embedded(request)
        usage = embedding_usage(answer)
        if usage is not None:
            yield UsageReport(usage)
        found = sorted(answer.data, key=lambda each: each.index)
        # The SDK's type knows numbers alone; what was asked for is base64, and either may come.
        yield Embedded(tuple(vector_of(each.embedding) for each in found))
        yield StreamEnd(FinishReason.STOP)

    async def _embedded(self, request: EmbeddingRequest) -> "CreateEmbeddingResponse":
        from openai import BadRequestError, UnprocessableEntityError, omit

        client = await self._sdk()
        # Its type has lists of one kind only; whoever mixes them is refused by the server.
        inputs = cast("list[str]", list(request.inputs))
        dimensions = omit if request.dimensions is None else request.dimensions
        if self._asks_base64:  # a quarter of the bytes, and nothing to parse
            try:
                return await client.embeddings.create(
                    model=request.model, input=inputs, dimensions=dimensions, encoding_format="base64"
                )
            except (BadRequestError, UnprocessableEntityError) as error:
                if not re.search("encoding_format|base64", f"{error} {error.body}"):
                    raise
        answer = await client.embeddings.create(
            model=request.model, input=inputs, dimensions=dimensions, encoding_format="float"
        )
        self._asks_base64 = False
        return answer

    async def _list_models(self) -> tuple[ModelInfo, ...]:
        client = await self._sdk()
        return tuple([ModelInfo(model.id) async for model in client.models.list() if model.id])

    def _refusal(self, error: Exception) -> Refusal | None:
        from openai import APIConnectionError, APIError, APIStatusError

        if isinstance(error, APIStatusError):
            return Refusal(error.status_code, error.body, retry_after_seconds(error.response.headers))
        if isinstance(error, APIError) and not isinstance(error, APIConnectionError):
            return Refusal(0, error.body or error.message)
        return None


async def _stream(client: "AsyncOpenAI", arguments: Mapping[str, Any]) -> "AsyncStream[Any]":
    """`chat.completions.create`, without its look at each field of `arguments` and of each chunk: they stand as the
    wire has them, and looking takes as long as sending them."""
    from openai import AsyncStream

    return await client.post(
        "/chat/completions",
        body={**arguments, "stream": True},
        cast_to=object,
        stream=True,
        stream_cls=AsyncStream[Any],
    )


class OpenAICompatibleProvider(ChatCompletionsProvider):
    """A server under a name of its own. `timeout_seconds`: how long it may stay silent."""

    def __init__(
        self,
        provider_id: str,
        label: str,
        api_key: str | None,
        base_url: str | None,
        timeout_seconds: float = 120,
        free_reason: str | None = None,
        suggested_models: tuple[ModelInfo, ...] = (),
        setting: str | None = None,
        url_setting: str | None = None,
        public_only: bool = False,
    ) -> None:
        """`setting` and `url_setting`: how sentences name the key and the address; by default the variables
        of the provider's id. AppError when one of the two cannot be right."""
        info = ProviderInfo(provider_id, label, CAPABILITIES, suggested_models, free_reason)
        access = Access(
            api_key or NO_KEY,
            base_url or "",
            setting or f"{provider_id.upper()}_API_KEY",
            url_setting or f"{provider_id.upper()}_BASE_URL",
            timeout_seconds,
            public_only,
        )
        super().__init__(info, access)
