"""Claude asked through its fake server."""

import asyncio
from typing import Any

from core.providers.anthropic import AnthropicProvider
from core.providers.types import CompletionRequest
from tests.contract.adapter import KEY, collect
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.script import Script

NEWEST, WITH_TEMPERATURE, BY_BUDGET = "claude-sonnet-5-5", "claude-sonnet-4-6", "claude-3-7-sonnet-latest"


def events_of(request: CompletionRequest, script: Script | None = None) -> list[Any]:
    """The events of one answer."""
    with AnthropicServer(script) as server:
        return asyncio.run(answer_from(server.url, request))


async def answer_from(url: str, request: CompletionRequest) -> list[Any]:
    """The same, from a server that is already there."""
    provider = AnthropicProvider(KEY, url)
    try:
        return await collect(provider, request)
    finally:
        await provider.aclose()
