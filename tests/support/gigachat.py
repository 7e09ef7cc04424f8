"""A GigaChat provider at work on its fake server, for one answer, check or failure."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.errors import AppError
from core.providers.gigachat import GigaChatProvider
from core.providers.types import CompletionRequest, ConnectionReport
from tests.contract.adapter import ask, collect
from tests.fakes import gigachat_server as wire
from tests.fakes.gigachat_server import GigaChatServer

SECRET = "f9e8d7c6-aaaa-4bbb-9ccc-ddddeeeeffff"
KEY = wire.credentials("0a1b2c3d-1111-4222-8333-444455556666", SECRET)
MODEL = "GigaChat-2"


def on(
    server: GigaChatServer,
    *works: Callable[[GigaChatProvider], Awaitable[Any]],
    key: str = KEY,
    **options: Any,
) -> Any:
    """What the last of `works` gives, one after the other on one provider."""

    async def run() -> Any:
        provider = GigaChatProvider(key, server.url, server.auth_url, timeout_seconds=20, **options)
        result = None
        try:
            for work in works:
                result = await work(provider)
        finally:
            await provider.aclose()
        return result

    return asyncio.run(run())


def answer(request: CompletionRequest | None = None) -> Callable[[GigaChatProvider], Awaitable[Any]]:
    return lambda provider: collect(provider, request or ask(MODEL))


def checked(provider: GigaChatProvider) -> Awaitable[ConnectionReport]:
    return provider.check()


def failure(server: GigaChatServer, *works: Any, **options: Any) -> AppError:
    with pytest.raises(AppError) as caught:
        on(server, *works, **options)
    assert caught.value.__context__ is None
    return caught.value
