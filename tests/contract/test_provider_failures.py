"""How a call may fail, for every adapter: the kind, a sentence that says what to do, and never the key."""

import asyncio
import logging
import socket
import traceback
from contextlib import aclosing
from typing import Any

import pytest

from core.errors import AppError, ErrorKind
from core.providers.types import StreamEnd, TextDelta
from tests.contract.adapter import Adapter, ask, collect, url_of
from tests.contract.adapters import every_adapter, on_the_wire
from tests.fakes.http_server import FakeServer
from tests.fakes.script import Script


def failure_of(
    adapter: Adapter, url: str, model: str = "", **options: Any
) -> tuple[AppError, list[TextDelta]]:
    """The AppError of one call and the text that came before it."""
    before: list[TextDelta] = []

    async def run() -> None:
        async with (
            adapter.provider(url, **options) as provider,
            aclosing(provider.stream(ask(model or adapter.model))) as events,
        ):
            async for event in events:
                assert not isinstance(event, StreamEnd)
                if isinstance(event, TextDelta):
                    before.append(event)

    with pytest.raises(AppError) as caught:
        asyncio.run(run())
    return caught.value, before


# --- refusals: kind, and what the sentence must name ---

REFUSALS = [
    ("wrong_key", ErrorKind.WRONG_KEY, "_API_KEY"),
    ("forbidden", ErrorKind.WRONG_KEY, "_API_KEY"),
    ("no_balance", ErrorKind.BILLING, "balance"),
    ("rate_limit", ErrorKind.RATE_LIMIT, "no more requests"),
    ("unknown_model", ErrorKind.UNKNOWN_MODEL, "Pick another model"),
    ("too_long", ErrorKind.INVALID_CONTEXT, "new chat"),
    ("broken", ErrorKind.PROVIDER, "HTTP 500"),
    ("overloaded", ErrorKind.PROVIDER, "overloaded"),
    ("no_region", ErrorKind.PROVIDER, "region"),
]


@on_the_wire
@pytest.mark.parametrize(("name", "kind", "named"), REFUSALS, ids=[name for name, *_ in REFUSALS])
def test_refusals(adapter: Adapter, server: FakeServer, name: str, kind: ErrorKind, named: str) -> None:
    server.queue(getattr(adapter.wire, name)())
    error, before = failure_of(adapter, server.url)
    assert (error.kind, before) == (kind, [])
    assert named in error.text()
    assert len(server.asked) == 1, "retries belong to the engine"


@on_the_wire
def test_a_rate_limit_says_when_to_try_again(adapter: Adapter, server: FakeServer) -> None:
    assert adapter.wire is not None
    server.queue(adapter.wire.rate_limit(seconds=7))
    error, _ = failure_of(adapter, server.url)
    assert error.params["seconds"] == 7
    assert "in 7 s" in error.text()


@every_adapter
def test_an_unknown_model_is_named(adapter: Adapter, server: FakeServer | None) -> None:
    error, _ = failure_of(adapter, url_of(server), model="no-such-model")
    assert error.kind is ErrorKind.UNKNOWN_MODEL
    assert "no-such-model" in error.text()


@on_the_wire
def test_an_error_inside_the_stream_keeps_the_text_before_it(adapter: Adapter, server: FakeServer) -> None:
    assert adapter.wire is not None
    server.queue(Script(chunks=["before"], stream_error=adapter.wire.STREAM_ERROR))
    error, before = failure_of(adapter, server.url)
    assert error.kind is ErrorKind.RATE_LIMIT
    assert before == [TextDelta("before")]


# --- broken connections and answers ---


@on_the_wire
@pytest.mark.parametrize("script", [Script(cut_after=2), Script(chunks=["Hello", ", "], finish=None)])
def test_a_cut_stream(adapter: Adapter, server: FakeServer, script: Script) -> None:
    server.queue(script)
    error, before = failure_of(adapter, server.url)
    assert error.kind is ErrorKind.CUT_STREAM
    assert [delta.text for delta in before] == ["Hello", ", "]


@on_the_wire
@pytest.mark.parametrize(
    "script",
    [
        Script(garbage_after=1),
        Script(garbage_after=1, garbage=b"data: \xff\xfe\n\n"),
        Script(error="<html><title>Welcome to nginx</title></html>"),
    ],
    ids=["json", "utf8", "html"],
)
def test_garbage(adapter: Adapter, server: FakeServer, script: Script) -> None:
    server.queue(script)
    error, _ = failure_of(adapter, server.url)
    assert error.kind is ErrorKind.BAD_ANSWER
    assert adapter.url_setting in error.text()


@on_the_wire
@pytest.mark.parametrize(
    "garbage", ["[1, 2]", "42", "null", '"text"', '{"choices": 5, "candidates": 5}', "{}"]
)
def test_json_that_is_no_chunk(adapter: Adapter, server: FakeServer, garbage: str) -> None:
    # The SDKs let some of it pass; what must not happen is an exception that is not ours, or a normal end.
    server.queue(Script(finish=None, garbage_after=1, garbage=f"data: {garbage}\n\n".encode()))
    error, _ = failure_of(adapter, server.url)
    assert error.kind in (ErrorKind.BAD_ANSWER, ErrorKind.CUT_STREAM)


@on_the_wire
@pytest.mark.parametrize("after", [0, 2])
def test_silence_ends_in_a_timeout(adapter: Adapter, server: FakeServer, after: int) -> None:
    server.queue(Script(hang_after=after))
    error, before = failure_of(adapter, server.url, timeout=1.0)
    assert error.kind is ErrorKind.TIMEOUT
    assert len(before) == after
    assert server.asked[0].path


@on_the_wire
def test_an_unreachable_host_is_named_with_its_setting(adapter: Adapter) -> None:
    with socket.socket() as held:  # bound but not listening: nothing else can take the port
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        error, _ = failure_of(adapter, url)
    assert error.kind is ErrorKind.UNREACHABLE
    assert url in error.text()
    assert (adapter.first_url_setting or adapter.url_setting) in error.text()


@on_the_wire
def test_an_address_that_serves_something_else(adapter: Adapter, server: FakeServer) -> None:
    server.queue(Script(status=404, error="<html><title>Error 404 (Not Found)</title></html>"))
    error, _ = failure_of(adapter, server.url)
    assert error.kind is ErrorKind.UNREACHABLE
    assert adapter.url_setting in error.text()


# --- keys ---


@on_the_wire
def test_the_key_reaches_the_server_and_nothing_else(
    adapter: Adapter, server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = adapter.key
    echo = {"error": {"message": f"bad {key} in ?key={key}&x=1 and Bearer {key}", "code": 400}}
    server.queue(Script(status=400, error=echo), Script(error=f"data: {key}"), Script(cut_after=0))
    for _ in range(3):
        error, _ = failure_of(adapter, server.url)
        shown = "".join(traceback.format_exception(error))
        assert key not in f"{error!r} {error.text()} {error.params} {shown}"
        assert error.__context__ is None
        assert error.__cause__ is None
    assert key in str(server.requests[0].headers)
    assert key not in caplog.text


@on_the_wire
def test_no_repr_shows_the_key(adapter: Adapter) -> None:
    provider = adapter.build("http://127.0.0.1:9")
    assert adapter.key not in f"{provider!r} {provider} {provider.info!r} {vars(provider)!r}"


@on_the_wire
@pytest.mark.parametrize("key", ["with space", "line\nbreak", "ключ", "tab\tkey", "\u200bzero-width"])
def test_a_key_that_cannot_be_one_is_refused_before_any_request(adapter: Adapter, key: str) -> None:
    with pytest.raises(AppError) as caught:
        adapter.build("http://127.0.0.1:9", key=key)
    assert caught.value.kind is ErrorKind.WRONG_KEY
    assert adapter.setting in caught.value.text()
    assert key not in caught.value.text()


@on_the_wire
def test_spaces_around_a_key_are_trimmed(adapter: Adapter) -> None:
    with adapter.serve(api_key=adapter.key) as server:

        async def run() -> None:
            async with adapter.provider(server.url, key=f" {adapter.key}\n") as provider:
                assert isinstance((await collect(provider, ask(adapter.model)))[-1], StreamEnd)

        asyncio.run(run())
