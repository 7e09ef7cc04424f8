"""An adapter under contract, with the fake server it speaks to. The entries are in tests/contract/entries."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from core.providers.embedding import Embedded, EmbeddingRequest
from core.providers.types import ChatMessage, CompletionRequest, Provider, Role, StreamEvent, TextDelta
from tests.fakes.http_server import FakeServer

# Looks like nothing that a pattern could recognise as a key, so only exact scrubbing hides it.
KEY = "topsecretvalue-0123456789"


@dataclass(frozen=True)
class Adapter:
    """How to make a provider, and what it is spoken to with.

    `wire` is the module of its fake server: its errors (`wrong_key()`, `rate_limit(seconds=)` …), `usage()`,
    and what it finds in a request's body: `images_of`, `tool_names_of`, `tool_results_of`, `schema_of`, `inputs_of`.
    `embedding_model`: one that makes embeddings, "" where none does.
    """

    name: str
    model: str
    build: Callable[..., Provider]
    wire: ModuleType | None = None
    serve: Callable[..., AbstractContextManager[Any]] = field(default=lambda **_: nullcontext())
    url_setting: str = ""
    setting: str = ""
    key: str = KEY
    embedding_model: str = ""
    first_url_setting: str = ""  # of the address asked first, where that is another than `url_setting`'s

    @asynccontextmanager
    async def provider(self, url: str = "", **options: Any) -> AsyncIterator[Provider]:
        """A provider that talks to `url`, closed afterwards."""
        provider = self.build(url, **options)
        try:
            yield provider
        finally:
            await provider.aclose()


def ask(model: str, *texts: str, **options: Any) -> CompletionRequest:
    """A request whose messages are the user's and the assistant's in turn."""
    roles = (Role.USER, Role.ASSISTANT)
    messages = tuple(ChatMessage(roles[at % 2], text) for at, text in enumerate(texts or ("Say hello",)))
    return CompletionRequest(model, messages, **options)


async def collect(provider: Provider, request: CompletionRequest) -> list[StreamEvent]:
    """All events of one answer."""
    async with aclosing(provider.stream(request)) as events:
        return [event async for event in events]


async def embedded(provider: Provider, request: EmbeddingRequest) -> list[StreamEvent]:
    """All events of one embedding call."""
    async with aclosing(provider.embed(request)) as events:
        return [event async for event in events]


def vectors_of(events: list[StreamEvent]) -> list[list[float]]:
    """The embeddings, in the order of the inputs."""
    return [list(vector) for event in events if isinstance(event, Embedded) for vector in event.vectors]


def text_of(events: list[StreamEvent]) -> str:
    """The answer's text."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def url_of(server: FakeServer | None) -> str:
    """Where the server is; nothing for the demo, which needs none."""
    return server.url if server is not None else ""


async def until_text(stream: AsyncGenerator[StreamEvent, None]) -> StreamEvent:
    """The first text of a stream, which stays open."""
    while not isinstance(event := await anext(stream), TextDelta):
        pass
    return event
