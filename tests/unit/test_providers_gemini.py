"""What goes to Gemini, and how its numbers are read. The rest is in tests/contract."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from core.providers.types import (
    ChatMessage,
    CompletionRequest,
    FinishReason,
    Role,
    StreamEnd,
    TokenUsage,
    UsageReport,
)
from tests.contract.adapters import GEMINI, ask, collect, text_of
from tests.fakes.gemini_server import GeminiServer, usage
from tests.fakes.script import Script


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer() as running:
        yield running


def answer(server: GeminiServer, request: CompletionRequest) -> list[Any]:
    async def run() -> list[Any]:
        async with GEMINI.provider(server.url) as provider:
            return await collect(provider, request)

    return asyncio.run(run())


def test_the_request(server: GeminiServer) -> None:
    turns = (
        ChatMessage(Role.USER, "one"),
        ChatMessage(Role.ASSISTANT, "two"),
        ChatMessage(Role.USER, "three"),
    )
    request = CompletionRequest("gemini-3.8-flash", turns, "be brief", temperature=0.0, max_output_tokens=99)
    answer(server, request)
    [received] = server.asked
    assert received.path == "/v1beta/models/gemini-3.8-flash:streamGenerateContent"
    assert [(turn["role"], turn["parts"]) for turn in received.body["contents"]] == [
        ("user", [{"text": "one"}]),
        ("model", [{"text": "two"}]),
        ("user", [{"text": "three"}]),
    ]
    assert received.body["systemInstruction"]["parts"] == [{"text": "be brief"}]
    assert received.body["generationConfig"] == {"temperature": 0.0, "maxOutputTokens": 99}
    assert "x-server-timeout" not in received.headers, (
        "the server would end long answers at our silence limit"
    )


def test_defaults_are_left_to_the_provider(server: GeminiServer) -> None:
    answer(server, ask("gemini-3.8-flash"))
    assert not server.asked[0].body.get("generationConfig")
    assert "systemInstruction" not in server.asked[0].body


def test_the_environment_changes_nothing(server: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_USE_ENTERPRISE", "true")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v9")
    monkeypatch.setenv("GOOGLE_API_KEY", "another")
    answer(server, ask("gemini-3.8-flash"))
    assert server.asked[0].path.startswith("/v1beta/")
    assert server.asked[0].headers["x-goog-api-key"] != "another"


def test_usage_means_one_thing(server: GeminiServer) -> None:
    audio = {
        "promptTokensDetails": [
            {"modality": "AUDIO", "tokenCount": 3},
            {"modality": "TEXT", "tokenCount": 97},
        ]
    }
    server.queue(Script(usage=usage(prompt=100, output=20, cached=40, thoughts=7, tools=5, **audio)))
    reports = [e for e in answer(server, ask("gemini-3.8-flash")) if isinstance(e, UsageReport)]
    assert reports[-1].usage == TokenUsage(
        input_tokens=105,
        cached_input_tokens=40,
        input_audio_tokens=3,
        output_tokens=27,
        reasoning_tokens=7,
    )


def test_each_chunk_with_usage_is_reported(server: GeminiServer) -> None:
    reports = [
        e.usage.output_tokens for e in answer(server, ask("gemini-3.8-flash")) if isinstance(e, UsageReport)
    ]
    assert reports == [1, 2, 3, 3]


def test_thoughts_are_not_text(server: GeminiServer) -> None:
    server.queue(Script(thoughts=["hm"], chunks=["yes"]))
    assert text_of(answer(server, ask("gemini-3.8-flash"))) == "yes"


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII"])
def test_answers_stopped_for_safety(server: GeminiServer, reason: str) -> None:
    server.queue(Script(finish=reason))
    assert answer(server, ask("gemini-3.8-flash"))[-1] == StreamEnd(FinishReason.SAFETY, reason)


def test_a_blocked_prompt_ends_for_safety(server: GeminiServer) -> None:
    server.queue(Script(blocked="PROHIBITED_CONTENT"))
    events = answer(server, ask("gemini-3.8-flash"))
    assert events[-1] == StreamEnd(FinishReason.SAFETY, "PROHIBITED_CONTENT")
    assert not text_of(events)
