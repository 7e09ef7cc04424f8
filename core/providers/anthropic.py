"""Anthropic's Claude through the official SDK (Messages API)."""

import warnings
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from core.providers.access import Access
from core.providers.anthropic_answer import AnswerReader
from core.providers.anthropic_models import traits
from core.providers.anthropic_request import body, counted
from core.providers.failures import cut_stream, garbage
from core.providers.refusals import Refusal, retry_after_seconds
from core.providers.requests import check_request
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
)

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

BASE_URL = "https://api.anthropic.com"
KEY_SETTING = "ANTHROPIC_API_KEY"
URL_SETTING = "ANTHROPIC_BASE_URL"

# The newest models of each line that both the SDK's list and genai-prices know, and the last one that still
# takes a temperature. Mythos is left out: it is for organisations that Anthropic has verified.
_SUGGESTED = (
    ("claude-sonnet-5-5", "Claude Sonnet 5.5", 1_000_000),
    ("claude-opus-5-5", "Claude Opus 5.5", 1_000_000),
    ("claude-haiku-5-5", "Claude Haiku 5.5", 1_000_000),
    ("claude-fable-5-2", "Claude Fable 5.2", 1_000_000),
    ("claude-sonnet-4-6", "Claude Sonnet 4.6", 1_000_000),
    ("claude-haiku-4-5", "Claude Haiku 4.5", 200_000),
)

INFO = ProviderInfo(
    id="anthropic",
    label="Anthropic",
    capabilities=TEXT_CHAT
    | {
        Capability.IMAGES,
        Capability.DOCUMENTS,
        Capability.FILE_URIS,
        Capability.TOOLS,
        Capability.STRUCTURED_OUTPUT,
        Capability.REASONING_EFFORT,
        Capability.COUNT_TOKENS,
    },
    suggested_models=tuple(
        ModelInfo(name, label, context, traits(name).output_limit) for name, label, context in _SUGGESTED
    ),
)


class AnthropicProvider(SdkProvider["AsyncAnthropic"]):
    """Streams answers of Claude. `timeout_seconds`: how long the server may stay silent.

    A temperature above 1 is sent as 1, and none at all to models that have no such parameter (from Claude
    Opus 4.7 on) or while a model thinks. Without a limit in the request, a model may write as much as it can.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        timeout_seconds: float = 120,
        setting: str = KEY_SETTING,
        public_only: bool = False,
    ) -> None:
        """AppError when the key or the address cannot be right."""
        # The SDK adds /v1 itself; every other provider's address has it, so people write it here too.
        url = (base_url or BASE_URL).strip().rstrip("/").removesuffix("/v1")
        super().__init__(INFO, Access(api_key, url, setting, URL_SETTING, timeout_seconds, public_only))
        self._output_limits: dict[str, int] = {}  # as the list of models last told

    def _build(self, http: "httpx2.AsyncClient") -> "AsyncAnthropic":
        from anthropic import AsyncAnthropic

        # Whoever picks an old model sees in the list of models that it is one; Python's warning reaches nobody.
        warnings.filterwarnings(
            "ignore", message=r"The model '.*' is deprecated", category=DeprecationWarning
        )
        # Everything said explicitly, or the environment would say it (another key, a profile, a host, tracing).
        client = AsyncAnthropic(
            api_key=self._access.api_key,
            base_url=self._access.base_url,
            timeout=http.timeout,
            max_retries=0,
            open_telemetry=False,
            http_client=http,
        )
        # ANTHROPIC_CUSTOM_HEADERS may hold another key, and no argument switches it off.
        client._custom_headers = {}  # pyright: ignore[reportPrivateUsage]
        return client

    async def _events(self, request: CompletionRequest, call: Call) -> AsyncGenerator[StreamEvent, None]:
        import httpx2
        from anthropic import APIConnectionError

        client = await self._sdk()
        arguments = self._body(request)
        with call.watched():
            events = await client.messages.create(**arguments, stream=True)
        reader = AnswerReader()
        answered = False
        try:
            async for event in events:
                answered = True
                for found in reader.read(event):
                    yield found
        except (APIConnectionError, httpx2.TransportError):
            if reader.end is None:
                raise
            # The model had finished: nothing but the goodbye got lost.
        if not answered and "event-stream" not in events.response.headers.get("content-type", ""):
            raise garbage(self._facts(request.model), "not an event stream")
        yield self._ended(reader, request.model)

    def _ended(self, reader: AnswerReader, model: str) -> StreamEnd:
        if reader.end is None:
            raise cut_stream(self._facts(model))
        if reader.unreadable_call and reader.end.reason is not FinishReason.LENGTH:
            raise garbage(self._facts(model), "a function's arguments are not JSON")
        return reader.end

    async def _list_models(self) -> tuple[ModelInfo, ...]:
        client = await self._sdk()
        found = [
            ModelInfo(model.id, model.display_name or "", model.max_input_tokens, model.max_tokens)
            async for model in client.models.list(limit=1000)
            if model.id and model.lifecycle != "retired"  # those stay in the list, but answer no more
        ]
        self._output_limits.update({model.id: model.output_limit for model in found if model.output_limit})
        return tuple(found)

    async def _count_tokens(self, request: CompletionRequest) -> int | None:
        check_request(self._info, request)
        client = await self._sdk()
        return (await client.messages.count_tokens(**counted(self._body(request)))).input_tokens

    def _body(self, request: CompletionRequest) -> dict[str, Any]:
        return body(self._info, request, self._output_limits.get(request.model))

    def _refusal(self, error: Exception) -> Refusal | None:
        from anthropic import APIStatusError

        if not isinstance(error, APIStatusError):
            return None
        # An error inside a stream has the status with which the stream began.
        status = error.status_code if error.status_code >= 400 else 0
        return Refusal(status, error.body, retry_after_seconds(error.response.headers))
