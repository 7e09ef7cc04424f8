"""One attempt: the events of one stream of a provider, put where they belong."""

import time
from collections.abc import Callable
from contextlib import aclosing

from core.generation.generation import Generation
from core.providers.content import ToolCall
from core.providers.embedding import Embedded, EmbeddingRequest, Vector
from core.providers.types import (
    ModelRequest,
    Provider,
    StreamEnd,
    TextDelta,
    TokenUsage,
    ToolCallRequested,
    UsageReport,
)
from core.store.text import storable


class ProviderStream:
    """Fills a generation's buffer; what else was said stands in its fields, also when reading failed.

    `first_token`: when text, a function call or an embedding came, by the monotonic clock; from then on nothing
    may be asked again.
    """

    def __init__(self, generation: Generation, answered: Callable[[], None] = lambda: None) -> None:
        """`answered` is called when the model has said something, or ended."""
        self.usage: TokenUsage | None = None
        self.end: StreamEnd | None = None
        self.tool_calls: list[ToolCall] = []
        self.vectors: list[Vector] = []
        self.first_token: float | None = None
        self._generation = generation
        self._answered = answered

    async def read(self, provider: Provider, request: ModelRequest) -> None:
        """Read until the model ends by itself; AppError when it does not."""
        embeds = isinstance(request, EmbeddingRequest)
        async with aclosing(provider.embed(request) if embeds else provider.stream(request)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    self._begin()
                    self._generation.append(storable(event.text))
                elif isinstance(event, UsageReport):
                    self.usage = event.usage
                elif isinstance(event, ToolCallRequested):
                    self._begin()
                    self.tool_calls.append(event.call)
                elif isinstance(event, Embedded):
                    self._begin()
                    self.vectors += event.vectors
                else:
                    self.end = event
                    self._answered()

    def _begin(self) -> None:
        if self.first_token is None:
            self.first_token = time.monotonic()
            self._generation.waiting = None
            self._answered()
