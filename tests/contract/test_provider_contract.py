"""What core.providers.types.Provider promises, for every adapter, with the real SDKs against the wire fakes."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from core.errors import AppError, ErrorKind
from core.providers.types import Capability, FinishReason, StreamEnd, TextDelta, UsageReport
from tests.contract.adapter import Adapter, ask, collect, text_of, until_text, url_of
from tests.contract.adapters import every_adapter, on_the_wire
from tests.fakes.http_server import FakeServer
from tests.fakes.script import Script


def events_of(adapter: Adapter, server: FakeServer | None, **options: Any) -> list[Any]:
    async def run() -> list[Any]:
        async with adapter.provider(url_of(server)) as provider:
            return await collect(provider, ask(adapter.model, **options))

    return asyncio.run(run())


# --- answers ---


@every_adapter
def test_an_answer_is_text_then_usage_then_one_end(adapter: Adapter, server: FakeServer | None) -> None:
    events = events_of(adapter, server)
    assert isinstance(events[-1], StreamEnd)
    assert events[-1].reason is FinishReason.STOP
    assert [type(event) for event in events].count(StreamEnd) == 1
    assert all(event.text for event in events if isinstance(event, TextDelta))
    assert any(isinstance(event, UsageReport) for event in events)


@on_the_wire
def test_deltas_join_to_the_text_as_it_was_sent(adapter: Adapter, server: FakeServer) -> None:
    sent = ["# Заголовок\n\n", "```py\nprint('✓')\n", "```\u2028", " \n", "конец 🙂"]
    server.queue(Script(chunks=sent, thoughts=["secretly thinking"]))
    events = events_of(adapter, server)
    assert [event.text for event in events if isinstance(event, TextDelta)] == sent


@every_adapter
def test_chunks_arrive_before_the_answer_is_complete(adapter: Adapter, server: FakeServer | None) -> None:
    if server is not None:
        server.queue(Script(chunks=["first", "second"], hang_after=1))

    async def run() -> None:
        async with (
            adapter.provider(url_of(server)) as provider,
            aclosing(provider.stream(ask(adapter.model))) as events,
        ):
            await until_text(events)
            if server is not None:
                assert not server.asked[0].finished
                server.release()
            rest = [event async for event in events]
            assert isinstance(rest[-1], StreamEnd)

    asyncio.run(run())


@every_adapter
def test_usage_is_reported(adapter: Adapter, server: FakeServer | None) -> None:
    events = events_of(adapter, server)
    usage = [event.usage for event in events if isinstance(event, UsageReport)][-1]
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0
    assert usage.estimated is (server is None)


@every_adapter
def test_an_answer_cut_to_length_says_so(adapter: Adapter, server: FakeServer | None) -> None:
    if server is not None:
        server.queue(Script(finish="MAX_TOKENS" if adapter.name == "gemini" else "length"))
    events = events_of(adapter, server, max_output_tokens=3)
    assert events[-1].reason is FinishReason.LENGTH


@on_the_wire
def test_unknown_finish_reasons_are_other_with_the_raw_word(adapter: Adapter, server: FakeServer) -> None:
    server.queue(Script(finish="SOMETHING_NEW"))
    assert events_of(adapter, server)[-1] == StreamEnd(FinishReason.OTHER, "SOMETHING_NEW")


@on_the_wire
def test_no_usage_means_no_report(adapter: Adapter, server: FakeServer) -> None:
    server.queue(Script(usage=None))
    events = events_of(adapter, server)
    assert text_of(events) == "Hello, world!"
    assert not [event for event in events if isinstance(event, UsageReport)]


@every_adapter
def test_one_provider_serves_many_answers_at_once(adapter: Adapter, server: FakeServer | None) -> None:
    async def run() -> None:
        async with adapter.provider(url_of(server)) as provider:
            answers = await asyncio.gather(*(collect(provider, ask(adapter.model)) for _ in range(8)))
        assert len({text_of(answer) for answer in answers}) == 1

    asyncio.run(run())


# --- stop ---


@every_adapter
def test_closing_the_stream_closes_the_connection(adapter: Adapter, server: FakeServer | None) -> None:
    if server is not None:
        server.queue(Script(hang_after=1))

    async def run() -> None:
        async with adapter.provider(url_of(server)) as provider:
            events = provider.stream(ask(adapter.model))
            await until_text(events)
            await events.aclose()
            if server is not None:
                asked = server.asked
                await asyncio.to_thread(server.wait_for, lambda: asked[0].left)
            # What was stopped does not harm the next answer.
            assert isinstance((await collect(provider, ask(adapter.model)))[-1], StreamEnd)

    asyncio.run(run())


@on_the_wire
def test_cancelling_the_task_closes_the_connection(adapter: Adapter, server: FakeServer) -> None:
    server.queue(Script(hang_after=0))

    async def run() -> None:
        async with adapter.provider(server.url) as provider:
            task = asyncio.create_task(collect(provider, ask(adapter.model)))
            await asyncio.to_thread(server.wait_for, lambda: server.asked)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(server.wait_for, lambda: server.asked[0].left)

    asyncio.run(run())


# --- models ---


@every_adapter
def test_models_are_listed(adapter: Adapter, server: FakeServer | None) -> None:
    async def run() -> list[str]:
        async with adapter.provider(url_of(server)) as provider:
            assert Capability.LIST_MODELS in provider.info.capabilities
            return [model.id for model in await provider.models()]

    names = asyncio.run(run())
    assert adapter.model in names
    assert not any("embedding" in name or "/" in name for name in names)


@on_the_wire
@pytest.mark.parametrize("name", ["wrong_key", "overloaded"])
def test_models_that_cannot_be_listed(adapter: Adapter, server: FakeServer, name: str) -> None:
    server.listing = getattr(adapter.wire, name)()

    async def run() -> None:
        async with adapter.provider(server.url) as provider:
            await provider.models()

    with pytest.raises(AppError) as caught:
        asyncio.run(run())
    assert caught.value.kind in (ErrorKind.WRONG_KEY, ErrorKind.PROVIDER)
    assert adapter.key not in caught.value.text()
    assert caught.value.__context__ is None
