"""Sber's GigaChat through its official SDK (the /v1 contract), with the access tokens it signs in for."""

import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from core.errors import AppError
from core.providers.access import Access, clean_url
from core.providers.content import Attachment
from core.providers.embedding import Embedded, EmbeddingRequest, vector_of
from core.providers.failures import CallFacts, cut_stream
from core.providers.gigachat_answer import Answer
from core.providers.gigachat_client import SignIn, http_client, sdk_client
from core.providers.gigachat_errors import (
    address_of,
    bad_call,
    failure_of,
    is_same_address,
    refusal_of,
    used_up,
)
from core.providers.gigachat_files import Uploads
from core.providers.gigachat_key import check_scope, clean_credentials
from core.providers.gigachat_models import (
    AUTH_URL,
    AUTH_URL_SETTING,
    BASE_URL,
    INFO,
    KEY_SETTING,
    URL_SETTING,
    described,
    is_chat,
)
from core.providers.gigachat_wire import counted_texts, images_of, payload
from core.providers.refusals import Refusal
from core.providers.sdk_adapter import Call, SdkProvider
from core.providers.types import (
    CompletionRequest,
    ConnectionReport,
    FinishReason,
    ModelInfo,
    StreamEnd,
    StreamEvent,
    TokenUsage,
    ToolCallRequested,
    UsageReport,
)

if TYPE_CHECKING:
    import httpx
    import httpx2
    from gigachat.client import GigaChatAsyncClient
    from gigachat.models.chat import ChatCompletionChunk

UPLOADED_LATER = "(uploaded when sent)"
LEAST_SECRET = 6  # characters: anything shorter would be found, and hidden, in ordinary words

__all__ = ["AUTH_URL", "BASE_URL", "INFO", "KEY_SETTING", "GigaChatProvider", "described"]


class GigaChatProvider(SdkProvider["GigaChatAsyncClient"]):
    """Streams answers of GigaChat models. The SDK gets and renews the access token that every call needs."""

    def __init__(
        self,
        credentials: str,
        base_url: str | None = None,
        auth_url: str | None = None,
        scope: str = "GIGACHAT_API_PERS",
        verify_ssl: bool = True,
        timeout_seconds: float = 120,
        setting: str = KEY_SETTING,
        default_model: str | None = None,
        ca_bundle_file: str | Path | None = None,
        public_only: bool = False,
    ) -> None:
        """AppError when the key, the scope or an address cannot be right. `credentials`: see clean_credentials.

        `timeout_seconds`: how long the server may stay silent. `ca_bundle_file`: certificates to trust beside
        the usual ones. `verify_ssl=False` trusts any server, and so anyone in between.
        """
        key = clean_credentials(credentials, setting)
        access = Access(key, base_url or BASE_URL, setting, URL_SETTING, timeout_seconds, public_only)
        super().__init__(described(default_model), access)
        auth_url = clean_url(auth_url or AUTH_URL, AUTH_URL_SETTING)
        trusted = Path(ca_bundle_file) if ca_bundle_file else None
        self._sign_in = SignIn(auth_url, check_scope(scope), verify_ssl, trusted)
        self._uploads = Uploads()

    async def check(self) -> ConnectionReport:
        """See Provider.check: the sign-in, the models, and what is left of the packages."""
        models = await self.models()
        left = await self._ask(self._tokens_left())
        chatting = [tokens for name, tokens in left.items() if is_chat(name)]
        if chatting and not any(chatting):
            raise used_up()
        return ConnectionReport(len(models), left)

    async def aclose(self) -> None:
        """Delete the uploaded images and close the connections; a later call opens new ones."""
        uploads, self._uploads = self._uploads, Uploads()
        if self._client is not None and self._transport is None:
            await uploads.clear(self._client)
        await super().aclose()

    async def _events(self, request: CompletionRequest, call: Call) -> AsyncGenerator[StreamEvent, None]:
        images = images_of(request)
        client = await self._sdk()  # in a thread; what is imported here is there by then

        import httpx
        from gigachat.exceptions import ResponseError

        files = await self._file_ids(client, images)
        answer = Answer()
        opened = client.astream(payload(request, files))
        chunks = cast("AsyncGenerator[ChatCompletionChunk, None]", opened)
        async with aclosing(chunks):
            try:
                with call.watched():  # the request goes out with the first chunk
                    chunk = await anext(chunks, None)
                while chunk is not None:
                    for event in answer.events(chunk):
                        yield event
                    chunk = await anext(chunks, None)
            except ResponseError as error:
                if error.status_code in (400, 404, 422):
                    self._uploads.forget(files.values())
                raise
            except httpx.TransportError:
                if answer.end is None:
                    raise
                # The model had finished: nothing but the end of the stream got lost.
        if answer.end is None:
            raise cut_stream(self._facts(request.model))
        if answer.end.raw_reason == "error":
            raise bad_call()
        for tool_call in answer.calls:
            yield ToolCallRequested(tool_call)
        yield answer.end

    async def _embeddings(self, request: EmbeddingRequest, call: Call) -> AsyncGenerator[StreamEvent, None]:
        client = await self._sdk()
        texts = [str(text) for text in request.inputs]
        with call.watched():
            answer = await client.aembeddings(texts, request.model)
        tokens = sum(each.usage.prompt_tokens for each in answer.data)
        if tokens:
            yield UsageReport(TokenUsage(input_tokens=tokens))
        found = sorted(answer.data, key=lambda each: each.index)
        yield Embedded(tuple(vector_of(each.embedding) for each in found))
        yield StreamEnd(FinishReason.STOP)

    async def _file_ids(
        self, client: "GigaChatAsyncClient", images: tuple[Attachment, ...]
    ) -> dict[Attachment, str]:
        if self._transport is not None:  # the request is only looked at
            return dict.fromkeys(images, UPLOADED_LATER)
        return await self._uploads.ids_of(client, images)

    async def _list_models(self) -> tuple[ModelInfo, ...]:
        client = await self._sdk()
        listed = (await client.aget_models()).data
        return tuple(ModelInfo(model.id_) for model in listed if is_chat(model.id_))

    async def _count_tokens(self, request: CompletionRequest) -> int | None:
        """None with images, whose tokens GigaChat does not tell before it answers."""
        if images_of(request):
            return None
        client = await self._sdk()
        texts = counted_texts(request)
        counted = await client.atokens_count(texts, request.model) if texts else []
        return sum(text.tokens for text in counted)

    async def _tokens_left(self) -> dict[str, int]:
        """Tokens by model; empty for keys that pay afterwards, to which the balance is forbidden, and where a
        gateway has no such call."""
        client = await self._sdk()

        from gigachat.exceptions import ForbiddenError, NotFoundError

        try:
            balance = (await client.aget_balance()).balance
        except (ForbiddenError, NotFoundError):
            return {}
        return {package.usage: int(package.value) for package in balance}

    # --- the SDK and its HTTP client ---

    def _build(self, http: "httpx2.AsyncClient") -> "GigaChatAsyncClient":
        credentials = self._access.api_key if self._transport is None else None
        return sdk_client(cast("httpx.AsyncClient", http), self._access.base_url, self._sign_in, credentials)

    def _new_http(self) -> "httpx2.AsyncClient":
        """An httpx client, which this SDK wants where the others have httpx2; what is done with it is the same."""
        client = http_client(
            self._access.base_url,
            self._sign_in,
            (self._access.timeout_seconds, self._connect_seconds),
            cast("httpx.AsyncBaseTransport | None", self._transport),
            self._access.public_only,
        )
        return cast("httpx2.AsyncClient", client)

    # --- failures ---

    def _facts(self, model: str) -> CallFacts:
        facts = super()._facts(model)
        key = self._access.api_key
        secret = base64.b64decode(key).decode().partition(":")[2]
        token = self._client.token if self._client is not None else None
        secrets = [
            word for word in (key, key.rstrip("="), secret, token) if word and len(word) >= LEAST_SECRET
        ]
        return replace(facts, secrets=tuple(secrets))

    def _refusal(self, error: Exception) -> Refusal | None:
        return refusal_of(error)

    def _converted(self, error: Exception, call: Call) -> AppError:
        facts = self._facts(call.model)
        address = address_of(error)
        if address is None:  # something unreadable: without a token nothing but the sign-in is ever asked
            signing_in = self._client is not None and self._client.token is None
        else:
            signing_in = is_same_address(address, self._sign_in.auth_url)
        if signing_in:
            facts = replace(facts, url=self._sign_in.auth_url, url_setting=AUTH_URL_SETTING)
        scope = self._sign_in.scope if signing_in else None
        return failure_of(facts, error, scope, started=bool(call.responses))
