"""What goes to OpenAI and to local servers, and how their numbers are read. The rest is in tests/contract."""

import asyncio
from typing import Any, Literal

import pytest

from core.errors import AppError, ErrorKind
from core.providers.openai import INFO, SUGGESTED_MODELS, OpenAIProvider
from core.providers.openai_compatible import OpenAICompatibleProvider
from core.providers.types import (
    Capability,
    ChatMessage,
    CompletionRequest,
    ModelInfo,
    PreparedRequest,
    Provider,
    Role,
    StreamEnd,
    TokenUsage,
    UsageReport,
)
from tests.contract.adapter import KEY, ask, collect, text_of
from tests.fakes.openai_server import OpenAIServer, usage, wrong_schema
from tests.fakes.script import Script


def answers(provider: Provider, *requests: CompletionRequest) -> list[list[Any]]:
    async def run() -> list[list[Any]]:
        try:
            return [await collect(provider, request) for request in requests]
        finally:
            await provider.aclose()

    return asyncio.run(run())


def local(server: OpenAIServer) -> Provider:
    return OpenAICompatibleProvider("local", "Local", None, server.url)


def openai(server: OpenAIServer) -> Provider:
    return OpenAIProvider(KEY, server.url)


def reported(events: list[Any]) -> list[TokenUsage]:
    return [event.usage for event in events if isinstance(event, UsageReport)]


def test_the_request() -> None:
    turns = (
        ChatMessage(Role.USER, "one"),
        ChatMessage(Role.ASSISTANT, "two"),
        ChatMessage(Role.USER, "three"),
    )
    request = CompletionRequest("gpt-6.1-sol", turns, "be brief", temperature=0.0, max_output_tokens=99)
    with OpenAIServer() as server:
        answers(openai(server), request)
    assert server.asked[0].body == {
        "model": "gpt-6.1-sol",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "three"},
        ],
        "temperature": 0.0,
        "max_completion_tokens": 99,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_local_servers_get_the_name_they_know_and_need_no_key() -> None:
    with OpenAIServer() as server:
        answers(local(server), ask("local-model", max_output_tokens=5))
    assert server.asked[0].body["max_tokens"] == 5
    assert "max_completion_tokens" not in server.asked[0].body


def test_usage_means_one_thing() -> None:
    details: dict[str, Any] = {
        "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 8, "audio_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 2},
    }
    with OpenAIServer(Script(usage=usage(100, 20, **details))) as server:
        [events] = answers(openai(server), ask("gpt-6.1-sol"))
    assert reported(events) == [
        TokenUsage(
            input_tokens=100,
            cached_input_tokens=40,
            cache_write_tokens=8,
            input_audio_tokens=3,
            output_tokens=20,
            reasoning_tokens=7,
            output_audio_tokens=2,
        )
    ]


def test_reasoning_counted_beside_the_completion_is_counted_in() -> None:
    wire = usage(10, 5, reasoning=100) | {"total_tokens": 115}
    with OpenAIServer(Script(usage=wire)) as server:
        [events] = answers(local(server), ask("local-model"))
    assert [(found.output_tokens, found.reasoning_tokens) for found in reported(events)] == [(105, 100)]


@pytest.mark.parametrize(
    "wire",
    [
        usage(0, 0),
        {"prompt_tokens": None, "completion_tokens": "many", "total_tokens": -1},
        {},
    ],
)
def test_usage_that_says_nothing_is_no_report(wire: dict[str, Any]) -> None:
    with OpenAIServer(Script(usage=wire)) as server:
        [events] = answers(local(server), ask("local-model"))
    assert not reported(events)
    assert isinstance(events[-1], StreamEnd)


@pytest.mark.parametrize("stream_options", ["ignore", "refuse"])
def test_servers_without_stream_options(stream_options: Literal["ignore", "refuse"]) -> None:
    with OpenAIServer(stream_options=stream_options) as server:
        both = answers(local(server), ask("local-model"), ask("local-model"))
    assert [text_of(events) for events in both] == ["Hello, world!"] * 2
    assert not reported(both[0])
    refused_once = 3 if stream_options == "refuse" else 2
    assert len(server.asked) == refused_once, "a refusal is remembered"


def test_what_is_prepared_knows_what_a_server_refused() -> None:
    request = ask("local-model")

    async def run(provider: Provider) -> list[PreparedRequest]:
        before = await provider.prepare(request)
        await collect(provider, request)
        after = await provider.prepare(request)
        await provider.aclose()
        return [before, after]

    with OpenAIServer(stream_options="refuse") as server:
        before, after = asyncio.run(run(local(server)))
    assert [before.body, after.body] == [received.body for received in server.asked]
    assert after.url == f"{server.url}/chat/completions"


def test_a_refusal_of_stream_options_in_other_words() -> None:
    detail = {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}
    with OpenAIServer() as server:
        server.queue(Script(status=422, error={"detail": [detail]}))
        both = answers(local(server), ask("local-model"), ask("local-model"))
    assert [text_of(events) for events in both] == ["Hello, world!"] * 2
    assert ["stream_options" in received.body for received in server.asked] == [True, False, False]


def test_a_refusal_that_had_another_reason_is_not_remembered() -> None:
    # Some servers repeat the whole request in their error, so that it names everything there was in it.
    echo = Script(status=422, error={"detail": "bad role in {'messages': [], 'stream_options': {}}"})
    with OpenAIServer() as server:
        server.queue(echo, echo)
        provider = local(server)

        async def run() -> list[Any]:
            with pytest.raises(AppError):
                await collect(provider, ask("local-model"))
            events = await collect(provider, ask("local-model"))
            await provider.aclose()
            return events

        assert reported(asyncio.run(run()))
    assert "stream_options" in server.asked[-1].body


def test_an_answer_cut_off_after_its_end_is_whole() -> None:
    cut = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
    with OpenAIServer(Script(chunks=["all of it", ""], garbage_after=1, garbage=cut, cut_after=2)) as server:
        [events] = answers(local(server), ask("local-model"))
    assert text_of(events) == "all of it"
    assert isinstance(events[-1], StreamEnd)


def test_openai_lists_what_chats() -> None:
    names = (
        "gpt-6.1-sol",
        "text-embedding-3-large",
        "gpt-realtime",
        "tts-1",
        "gpt-5.4-pro",
        "gpt-5.2-codex",
        "gpt-audio-mini",
        "gpt-4o-audio-preview",
        "o3",
    )

    async def listed(provider: Provider) -> list[str]:
        found = [model.id for model in await provider.models()]
        await provider.aclose()
        return found

    with OpenAIServer(models=names) as server:
        assert asyncio.run(listed(openai(server))) == ["gpt-6.1-sol", "gpt-audio-mini", "o3"]
        assert asyncio.run(listed(local(server))) == list(names)


def test_suggested_models_are_known_to_the_sdk_and_have_prices() -> None:
    from typing import get_args

    from genai_prices.data_snapshot import get_snapshot
    from openai.types.shared import ChatModel

    prices = get_snapshot()
    for model in SUGGESTED_MODELS:
        assert model.id in get_args(ChatModel)
        prices.find_provider_model(model.id, None, "openai", None)  # LookupError when it is unknown
    assert 4 <= len(SUGGESTED_MODELS) <= 6
    assert ModelInfo("gpt-6.1-sol") == SUGGESTED_MODELS[0]
    assert INFO.suggested_models == SUGGESTED_MODELS


@pytest.mark.parametrize(
    "wire", [usage(-5, 3), usage(10**12, -(10**12)), usage(3, 5, cached=-7, reasoning=10**9), usage(1, -1)]
)
def test_figures_without_sense_come_through(wire: dict[str, Any]) -> None:
    with OpenAIServer(Script(usage=wire)) as server:
        [events] = answers(local(server), ask("local-model"))
    [found] = reported(events)
    assert (found.input_tokens, found.output_tokens) == (wire["prompt_tokens"], wire["completion_tokens"])
    assert found.cached_input_tokens == wire["prompt_tokens_details"]["cached_tokens"]
    assert found.reasoning_tokens == wire["completion_tokens_details"]["reasoning_tokens"]


def test_the_environment_adds_nothing_to_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-account")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-another-account")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer another-key\nX-Secret: another-key")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "another-key")
    with OpenAIServer() as server:
        answers(local(server), ask("local-model"))
        answers(openai(server), ask("gpt-6.1-sol"))
    for received in server.asked:
        assert "another" not in str(received.headers)
    assert server.asked[1].headers["authorization"] == f"Bearer {KEY}"


def test_a_refused_schema_says_what_the_server_said() -> None:
    with OpenAIServer() as server:
        server.queue(wrong_schema())
        with pytest.raises(AppError) as caught:
            answers(openai(server), ask("gpt-6.1-sol"))
    assert caught.value.kind is ErrorKind.VALIDATION
    assert "'additionalProperties' is required" in caught.value.text()


# --- names and keys ---


def test_openai_needs_a_key() -> None:
    with pytest.raises(AppError) as caught:
        OpenAIProvider(" ", setting="“Work”")
    assert caught.value.kind is ErrorKind.NO_KEY
    assert "“Work”" in caught.value.text()


@pytest.mark.parametrize(
    ("names", "key_name", "url_name"),
    [
        ({}, "BOX_API_KEY", "BOX_BASE_URL"),
        ({"setting": "“Mine”", "url_setting": "“My box”"}, "“Mine”", "“My box”"),
    ],
)
def test_sentences_name_what_to_correct(names: dict[str, Any], key_name: str, url_name: str) -> None:
    with pytest.raises(AppError) as caught:
        OpenAICompatibleProvider("box", "My box", "two words", "http://127.0.0.1:1/v1", **names)
    assert key_name in caught.value.text()
    for url in ("no address", "", None):
        with pytest.raises(AppError) as caught:
            OpenAICompatibleProvider("box", "My box", None, url, **names)
        assert caught.value.kind is ErrorKind.UNREACHABLE
        assert url_name in caught.value.text()


def test_what_they_can_do() -> None:
    server = OpenAICompatibleProvider("box", "My box", None, "http://127.0.0.1:1/v1").info
    assert INFO.capabilities - server.capabilities == {
        Capability.DOCUMENTS,
        Capability.AUDIO,
        Capability.REASONING_EFFORT,
    }
    assert server.capabilities < INFO.capabilities
    assert Capability.COUNT_TOKENS not in INFO.capabilities
