"""Counting the tokens of a request before it is sent: by the provider where it can, by an estimate elsewhere."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.config import Settings
from core.errors import AppError, ErrorKind
from core.generation.tokens import TokenCount, count_tokens
from core.providers.demo import DemoProvider
from core.providers.estimate import estimate_prompt_tokens
from core.providers.registry import ProviderRegistry
from core.providers.types import ChatMessage, CompletionRequest, Role
from tests.fakes.gemini_server import GeminiServer
from tests.support.lab import MODEL

REQUEST = CompletionRequest(MODEL, (ChatMessage(Role.USER, "How many tokens is this?"),))
ESTIMATE = TokenCount(estimate_prompt_tokens(REQUEST), estimated=True)


def counted(tmp_path: Path, url: str, provider: str = "gemini") -> TokenCount:
    values: dict[str, Any] = {
        "data_dir": tmp_path,
        "GEMINI_API_KEY": "test-key-of-no-use",
        "GOOGLE_GEMINI_BASE_URL": url,
    }
    registry = ProviderRegistry(Settings.model_validate(values), DemoProvider())

    async def count() -> TokenCount:
        try:
            return await count_tokens(registry, 1, provider, REQUEST)
        finally:
            await registry.aclose()

    return asyncio.run(count())


def test_the_providers_own_count_comes_first(tmp_path: Path) -> None:
    with GeminiServer() as server:
        count = counted(tmp_path, server.url)
    assert not count.estimated
    assert count.tokens > 0


def test_a_provider_that_cannot_count_is_estimated(tmp_path: Path) -> None:
    with GeminiServer() as server:
        assert counted(tmp_path, server.url, "demo") == ESTIMATE


def test_a_provider_that_cannot_be_asked_is_estimated(tmp_path: Path) -> None:
    assert counted(tmp_path, "http://127.0.0.1:1") == ESTIMATE


def test_an_unknown_provider_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AppError) as refused:
        counted(tmp_path, "http://127.0.0.1:1", "nobody")
    assert refused.value.kind is ErrorKind.NOT_FOUND
