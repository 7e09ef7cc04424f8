"""What adapters with a real SDK share: the HTTP client, when it closes, and one edge where errors change hands."""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from core.errors import AppError
from core.providers.access import Access
from core.providers.embedding import Embedded, EmbeddingRequest
from core.providers.failures import CallFacts, broken, garbage, refused, shown_url, too_long_to_embed
from core.providers.public_hosts import PublicOnly
from core.providers.refusals import Refusal
from core.providers.requests import check_embedding, check_request
from core.providers.types import (
    CompletionRequest,
    ConnectionReport,
    ModelInfo,
    ModelRequest,
    PreparedRequest,
    ProviderInfo,
    StreamEnd,
    StreamEvent,
)

if TYPE_CHECKING:
    import httpx2

ClientT = TypeVar("ClientT")
ResultT = TypeVar("ResultT")

CONNECT_SECONDS = 10.0  # an address that answers at all does so sooner


@dataclass(slots=True)
class Call:
    """One call on its way. `responses`: what the server has begun to answer, to be closed when the call ends."""

    model: str = ""
    responses: "list[httpx2.Response]" = field(default_factory=list["httpx2.Response"])

    @contextmanager
    def watched(self) -> Generator[None, None, None]:
        """Collects the responses that begin inside. Yield no event inside: the caller has another context."""
        token = _CALL.set(self)
        try:
            yield
        finally:
            _CALL.reset(token)


_CALL: ContextVar[Call | None] = ContextVar("_CALL", default=None)


class SdkProvider(ABC, Generic[ClientT]):
    """A Provider that speaks through an official SDK. For one event loop: its connections belong to it."""

    def __init__(self, info: ProviderInfo, access: Access) -> None:
        """AppError when the key or the address cannot be right."""
        self._info = info
        self._access = access.cleaned()
        self._http: httpx2.AsyncClient | None = None
        self._client: ClientT | None = None
        self._building = threading.Lock()
        self._transport: httpx2.AsyncBaseTransport | None = None  # the network

    @property
    def info(self) -> ProviderInfo:
        """What this provider is and can do."""
        return self._info

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._info.id}>"

    def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamEvent, None]:
        """See Provider.stream."""
        return self._converted_events(request)

    def embed(self, request: EmbeddingRequest) -> AsyncGenerator[StreamEvent, None]:
        """See Provider.embed."""
        return self._converted_events(request)

    async def _converted_events(self, request: ModelRequest) -> AsyncGenerator[StreamEvent, None]:
        call = Call(request.model)
        failure: AppError | None = None
        opened = self._opened(request, call)
        try:
            async with aclosing(opened) as events:
                async for event in events:
                    yield event
        except AppError:
            raise
        except Exception as error:  # noqa: BLE001  whatever an SDK raises becomes ours, here and nowhere else
            failure = self._converted(error, call)
            if isinstance(request, EmbeddingRequest):
                failure = too_long_to_embed(failure)
        finally:
            # The SDK's generators close theirs when they are collected; Stop must not wait for that.
            for response in call.responses:
                await response.aclose()
        if failure is not None:
            raise failure

    def _opened(self, request: ModelRequest, call: Call) -> AsyncGenerator[StreamEvent, None]:
        if isinstance(request, EmbeddingRequest):
            check_embedding(self._info, request)
            return self._counted(request, self._embeddings(request, call))
        check_request(self._info, request)
        return self._events(request, call)

    async def _counted(
        self, request: EmbeddingRequest, found: AsyncGenerator[StreamEvent, None]
    ) -> AsyncGenerator[StreamEvent, None]:
        """`found`, which has to bring one vector for each input."""
        vectors = 0
        async with aclosing(found) as events:
            async for event in events:
                vectors += len(event.vectors) if isinstance(event, Embedded) else 0
                if isinstance(event, StreamEnd) and vectors != len(request.inputs):
                    said = f"{vectors} embeddings for {len(request.inputs)} inputs"
                    raise garbage(self._facts(request.model), said)
                yield event

    async def models(self) -> tuple[ModelInfo, ...]:
        """See Provider.models."""
        return await self._ask(self._list_models())

    async def check(self) -> ConnectionReport:
        """See Provider.check; a key that may list models is a key that works."""
        return ConnectionReport(models=len(await self.models()))

    async def count_tokens(self, request: CompletionRequest) -> int | None:
        """See Provider.count_tokens."""
        return await self._ask(self._count_tokens(request), request.model)

    async def prepare(self, request: CompletionRequest) -> PreparedRequest:
        """See Provider.prepare: the SDK runs on a transport that keeps the request and sends nothing."""
        from core.providers.capture import CaptureTransport

        check_request(self._info, request)
        transport = CaptureTransport()
        probe = copy(self)
        probe._http, probe._client, probe._building = None, None, threading.Lock()
        probe._transport = transport
        failure: AppError | None = None
        try:
            async with aclosing(probe._events(request, Call(request.model))) as events:
                await anext(events, None)
        except AppError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  a capture ends in whatever the SDK makes of it
            failure = self._converted(error, Call(request.model))
        finally:
            await probe.aclose()
        if transport.body is None:
            raise failure or broken(self._facts(request.model), ValueError("nothing was sent"), started=False)
        return PreparedRequest(transport.method, shown_url(transport.url), transport.body)

    async def _ask(self, answer: Coroutine[None, None, ResultT], model: str = "") -> ResultT:
        call = Call(model)
        try:
            return await answer
        except AppError:
            raise
        except Exception as error:  # noqa: BLE001  the same edge
            failure = self._converted(error, call)
        raise failure

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        http, self._http, self._client = self._http, None, None
        if http is not None:
            await http.aclose()

    @abstractmethod
    def _events(self, request: CompletionRequest, call: Call) -> AsyncGenerator[StreamEvent, None]:
        """The stream, with the SDK's own errors."""

    def _embeddings(self, request: EmbeddingRequest, call: Call) -> AsyncGenerator[StreamEvent, None]:
        """The events of `embed`, with the SDK's own errors; where there is Capability.EMBEDDINGS."""
        raise NotImplementedError

    @abstractmethod
    async def _list_models(self) -> tuple[ModelInfo, ...]:
        """The models, with the SDK's own errors."""

    async def _count_tokens(self, request: CompletionRequest) -> int | None:
        """The provider's own count, with the SDK's own errors; None where there is no such call."""
        return None

    @abstractmethod
    def _build(self, http: "httpx2.AsyncClient") -> ClientT:
        """The SDK's client on top of `http`; runs in a thread, once."""

    @abstractmethod
    def _refusal(self, error: Exception) -> Refusal | None:
        """The provider's error answer inside the SDK's exception, if it is one."""

    def _facts(self, model: str) -> CallFacts:
        access = self._access
        return CallFacts(
            provider=self._info.label,
            model=model,
            url=access.base_url,
            setting=access.setting,
            url_setting=access.url_setting,
            timeout_seconds=access.timeout_seconds,
            secrets=(access.api_key,),
        )

    def _converted(self, error: Exception, call: Call) -> AppError:
        refusal = self._refusal(error)
        if refusal is not None:
            return refused(self._facts(call.model), refusal)
        return broken(self._facts(call.model), error, started=bool(call.responses))

    async def _sdk(self) -> ClientT:
        # In a thread: importing an SDK takes 0.3 s, in which the loop's other answers would stand still.
        return self._client or await asyncio.to_thread(self._connected)

    def _connected(self) -> ClientT:
        with self._building:
            if self._client is None:
                self._http = self._new_http()
                self._client = self._build(self._http)
            return self._client

    def _new_http(self) -> "httpx2.AsyncClient":
        import httpx2

        timeout = httpx2.Timeout(self._access.timeout_seconds, connect=self._connect_seconds)

        async def set_timeouts(request: httpx2.Request) -> None:
            # The Gemini SDK would send its timeout to the server as the deadline of the whole answer.
            request.extensions["timeout"] = timeout.as_dict()

        transport = self._transport
        if transport is None and self._access.public_only:
            # No proxy of the environment either: it would look the name up once more.
            guarded = PublicOnly(httpx2, httpx2.AsyncHTTPTransport(), self._access.base_url)
            transport = cast("httpx2.AsyncBaseTransport", guarded)
        # No redirects: they would carry Gemini's key header to whatever host they name.
        return httpx2.AsyncClient(
            transport=transport,
            timeout=timeout,
            follow_redirects=False,
            event_hooks={"request": [set_timeouts], "response": [watch]},
        )

    @property
    def _connect_seconds(self) -> float:
        return min(CONNECT_SECONDS, self._access.timeout_seconds)


async def watch(response: "httpx2.Response") -> None:
    """An HTTP client's hook that gives each response to the call it belongs to."""
    call = _CALL.get()
    if call is not None:
        call.responses.append(response)
