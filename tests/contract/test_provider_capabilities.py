"""What an adapter says it can do, it does; what it cannot, it refuses before anything is sent."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from core.errors import AppError, ErrorKind
from core.providers.content import Attachment, FunctionDeclaration, ResponseSchema, ToolCall, ToolResult
from core.providers.types import (
    MEDIA,
    Capability,
    ChatMessage,
    CompletionRequest,
    FinishReason,
    PreparedRequest,
    Provider,
    Role,
    StreamEnd,
    TextDelta,
    ToolCallRequested,
    UsageReport,
)
from tests.contract.adapter import Adapter, ask, collect, text_of, url_of
from tests.contract.adapters import every_adapter, on_the_wire
from tests.fakes.http_server import FakeServer
from tests.fakes.script import Script

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
WEATHER = FunctionDeclaration(
    "get_weather",
    "The weather in a city",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
PERSON = ResponseSchema(
    {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    },
    "person",
)
MEDIA_TYPES = {
    "image": "image/png",
    "document": "application/pdf",
    "audio": "audio/wav",
    "video": "video/mp4",
}


def with_attachment(model: str, attachment: Attachment) -> CompletionRequest:
    return CompletionRequest(model, (ChatMessage(Role.USER, "What is this?", attachments=(attachment,)),))


def on(adapter: Adapter, server: FakeServer | None, work: Any) -> Any:
    """What `work(provider)` gives."""

    async def run() -> Any:
        async with adapter.provider(url_of(server)) as provider:
            return await work(provider)

    return asyncio.run(run())


def can(adapter: Adapter, server: FakeServer | None) -> frozenset[Capability]:
    async def capabilities(provider: Provider) -> frozenset[Capability]:
        return provider.info.capabilities

    return on(adapter, server, capabilities)


def answer(request: CompletionRequest) -> Any:
    def work(provider: Provider) -> Coroutine[Any, Any, list[Any]]:
        return collect(provider, request)

    return work


def refusal_of(adapter: Adapter, server: FakeServer | None, request: CompletionRequest) -> AppError:
    """The AppError of a request that must not be sent."""
    with pytest.raises(AppError) as caught:
        on(adapter, server, answer(request))
    assert server is None or not server.asked
    return caught.value


# --- functions ---


@on_the_wire
def test_a_function_is_asked_for(adapter: Adapter, server: FakeServer) -> None:
    assert adapter.wire is not None
    assert Capability.TOOLS in can(adapter, server)
    server.queue(Script(chunks=[], tool_calls=[("get_weather", {"city": "Москва", "days": [1, 2]})]))
    events = on(adapter, server, answer(ask(adapter.model, "Weather?", tools=(WEATHER,))))
    calls = [event.call for event in events if isinstance(event, ToolCallRequested)]
    assert [(call.name, call.arguments) for call in calls] == [
        ("get_weather", {"city": "Москва", "days": [1, 2]})
    ]
    assert calls[0].id
    assert events[-1].reason is FinishReason.TOOL_CALLS
    assert adapter.wire.tool_names_of(server.asked[0].body) == ["get_weather"]


@on_the_wire
def test_several_functions_and_text_before_them(adapter: Adapter, server: FakeServer) -> None:
    wanted = (
        [("get_weather", {"city": "Oslo"})]
        if adapter.name == "gigachat"
        else [
            ("get_weather", {"city": "Oslo"}),
            ("get_weather", {"city": "Rome"}),
        ]
    )  # GigaChat asks for one function at a time
    server.queue(Script(chunks=["Let me ", "look."], tool_calls=wanted))
    events = on(adapter, server, answer(ask(adapter.model, "Weather?", tools=(WEATHER,))))
    calls = [event.call for event in events if isinstance(event, ToolCallRequested)]
    assert [(call.name, dict(call.arguments)) for call in calls] == wanted
    assert len({call.id for call in calls}) == len(calls)
    assert text_of(events) == "Let me look."


@on_the_wire
def test_the_result_of_a_function_goes_back(adapter: Adapter, server: FakeServer) -> None:
    assert adapter.wire is not None
    call = ToolCall("call-1", "get_weather", {"city": "Oslo"})
    result = ToolResult("call-1", "get_weather", '{"degrees": -3}')
    messages = (
        ChatMessage(Role.USER, "Weather?"),
        ChatMessage(Role.ASSISTANT, "", tool_calls=(call,)),
        ChatMessage(Role.TOOL, "", tool_results=(result,)),
    )
    events = on(adapter, server, answer(CompletionRequest(adapter.model, messages, tools=(WEATHER,))))
    assert isinstance(events[-1], StreamEnd)
    assert adapter.wire.tool_results_of(server.asked[0].body) == ['{"degrees": -3}']


# --- structured output ---


@on_the_wire
def test_a_schema_is_asked_for(adapter: Adapter, server: FakeServer) -> None:
    assert adapter.wire is not None
    if Capability.STRUCTURED_OUTPUT not in can(adapter, server):
        error = refusal_of(adapter, server, ask(adapter.model, "Who?", response_schema=PERSON))
        assert error.kind is ErrorKind.VALIDATION
        return
    server.queue(Script(chunks=['{"name": "Ada"', ', "age": 36}']))
    events = on(adapter, server, answer(ask(adapter.model, "Who?", response_schema=PERSON)))
    assert text_of(events) == '{"name": "Ada", "age": 36}'
    assert set(adapter.wire.schema_of(server.asked[0].body)["properties"]) == {"name", "age"}


# --- attachments ---


@on_the_wire
def test_an_image_arrives(adapter: Adapter, server: FakeServer) -> None:
    assert adapter.wire is not None
    if Capability.IMAGES not in can(adapter, server):
        pytest.fail("every provider of ours takes images")
    events = on(adapter, server, answer(with_attachment(adapter.model, Attachment("image/png", PNG))))
    assert isinstance(events[-1], StreamEnd)
    assert adapter.wire.images_of(server.asked[-1].body) == [("image/png", PNG)]


@every_adapter
@pytest.mark.parametrize("kind", sorted(MEDIA_TYPES))
def test_media_it_cannot_take_is_refused_before_sending(
    adapter: Adapter, server: FakeServer | None, kind: str
) -> None:
    needed = next(capability for media, capability in MEDIA.items() if media == kind)
    request = with_attachment(adapter.model, Attachment(MEDIA_TYPES[kind], b"some bytes", name="file"))
    if needed in can(adapter, server):
        assert isinstance(on(adapter, server, answer(request))[-1], StreamEnd)
        return
    error = refusal_of(adapter, server, request)
    assert error.kind is ErrorKind.VALIDATION
    assert MEDIA_TYPES[kind] in error.text()


@every_adapter
def test_an_unknown_type_is_refused_before_sending(adapter: Adapter, server: FakeServer | None) -> None:
    program = Attachment("application/x-msdownload", b"MZ", name="setup.exe")
    error = refusal_of(adapter, server, with_attachment(adapter.model, program))
    assert error.kind is ErrorKind.VALIDATION
    assert "application/x-msdownload" in error.text()


@on_the_wire
def test_a_text_file_is_part_of_the_message(adapter: Adapter, server: FakeServer) -> None:
    notes = Attachment("text/csv", "город;цена\nОсло;7".encode(), name="prices.csv")
    on(adapter, server, answer(with_attachment(adapter.model, notes)))
    assert "Осло;7" in str(server.asked[-1].body)
    assert "prices.csv" in str(server.asked[-1].body)


# --- what would be sent, and how long it is ---


@every_adapter
def test_what_is_prepared_is_what_is_sent(adapter: Adapter, server: FakeServer | None) -> None:
    request = ask(
        adapter.model, "One", "Two", "Three", system_prompt="Be brief.", temperature=0.2, max_output_tokens=50
    )

    async def prepare(provider: Provider) -> PreparedRequest:
        return await provider.prepare(request)

    prepared = on(adapter, server, prepare)
    assert adapter.key not in repr(prepared)
    assert prepared.method == "POST"
    if server is not None:
        assert not server.asked
        on(adapter, server, answer(request))
        assert prepared.body == server.asked[-1].body


@every_adapter
def test_tokens_are_counted_where_the_provider_can(adapter: Adapter, server: FakeServer | None) -> None:
    async def count(provider: Provider) -> int | None:
        return await provider.count_tokens(ask(adapter.model, "How long is this?", system_prompt="Be brief."))

    counted = on(adapter, server, count)
    if Capability.COUNT_TOKENS in can(adapter, server):
        assert isinstance(counted, int)
        assert counted > 0
    else:
        assert counted is None


# --- the test of a connection ---


@every_adapter
def test_a_connection_that_works(adapter: Adapter, server: FakeServer | None) -> None:
    async def check(provider: Provider) -> int:
        return (await provider.check()).models

    assert on(adapter, server, check) > 0


@on_the_wire
def test_a_connection_with_a_wrong_key(adapter: Adapter, server: FakeServer) -> None:
    assert adapter.wire is not None
    server.listing = adapter.wire.wrong_key()

    async def check(provider: Provider) -> None:
        await provider.check()

    with pytest.raises(AppError) as caught:
        on(adapter, server, check)
    assert caught.value.kind is ErrorKind.WRONG_KEY
    assert adapter.key not in caught.value.text()


# --- figures that make no sense are the engine's to judge ---


@on_the_wire
def test_absurd_usage_comes_through_as_it_was_sent(adapter: Adapter, server: FakeServer) -> None:
    assert adapter.wire is not None
    server.queue(Script(usage=adapter.wire.usage(-5, 3)))
    events = on(adapter, server, answer(ask(adapter.model)))
    usage = [event.usage for event in events if isinstance(event, UsageReport)][-1]
    assert (usage.input_tokens, usage.output_tokens) == (-5, 3)


@on_the_wire
def test_an_answer_without_content_ends(adapter: Adapter, server: FakeServer) -> None:
    server.queue(Script(chunks=[]))

    async def read(provider: Provider) -> list[Any]:
        async with aclosing(provider.stream(ask(adapter.model))) as stream:
            return [event async for event in stream]

    events = on(adapter, server, read)
    assert not [event for event in events if isinstance(event, TextDelta)]
    assert isinstance(events[-1], StreamEnd)
