"""The adapters under contract, each with the fake server it speaks to."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest

from core.providers.demo import DemoProvider
from core.providers.gemini import GeminiProvider
from core.providers.openai_compatible import OpenAICompatibleProvider
from core.providers.types import ChatMessage, CompletionRequest, Provider, Role, StreamEvent, TextDelta
from tests.fakes import gemini_server, openai_server
from tests.fakes.http_server import FakeServer

# Looks like nothing that a pattern could recognise as a key, so only exact scrubbing hides it.
KEY = "topsecretvalue-0123456789"


@dataclass(frozen=True)
class Adapter:
    """How to make a provider, and what it is spoken to with. `wire` holds the errors of its fake server."""

    name: str
    model: str
    build: Callable[..., Provider]
    wire: ModuleType | None = None
    serve: Callable[..., AbstractContextManager[Any]] = field(default=lambda **_: nullcontext())
    url_setting: str = ""
    setting: str = ""

    @asynccontextmanager
    async def provider(self, url: str = "", **options: Any) -> AsyncIterator[Provider]:
        """A provider that talks to `url`, closed afterwards."""
        provider = self.build(url, **options)
        try:
            yield provider
        finally:
            await provider.aclose()


def _gemini(url: str, key: str = KEY, timeout: float = 20) -> Provider:
    return GeminiProvider(key, url, timeout)


def _openai(url: str, key: str = KEY, timeout: float = 20) -> Provider:
    return OpenAICompatibleProvider("openai", "OpenAI", key, url, timeout)


GEMINI = Adapter(
    "gemini",
    "gemini-3.8-flash",
    _gemini,
    gemini_server,
    gemini_server.GeminiServer,
    "GOOGLE_GEMINI_BASE_URL",
    "GEMINI_API_KEY",
)
OPENAI = Adapter(
    "openai",
    "gpt-6.1-sol",
    _openai,
    openai_server,
    openai_server.OpenAIServer,
    "OPENAI_BASE_URL",
    "OPENAI_API_KEY",
)
DEMO = Adapter("demo", "demo", lambda url="": DemoProvider(words_per_second=float("inf")))

ALL = (DEMO, GEMINI, OPENAI)
ON_THE_WIRE = (GEMINI, OPENAI)

every_adapter = pytest.mark.parametrize("adapter", ALL, ids=lambda adapter: adapter.name)
on_the_wire = pytest.mark.parametrize("adapter", ON_THE_WIRE, ids=lambda adapter: adapter.name)


def ask(model: str, *texts: str, **options: Any) -> CompletionRequest:
    """A request whose messages are the user's and the assistant's in turn."""
    roles = (Role.USER, Role.ASSISTANT)
    messages = tuple(ChatMessage(roles[at % 2], text) for at, text in enumerate(texts or ("Say hello",)))
    return CompletionRequest(model, messages, **options)


async def collect(provider: Provider, request: CompletionRequest) -> list[StreamEvent]:
    """All events of one answer."""
    async with aclosing(provider.stream(request)) as events:
        return [event async for event in events]


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
