"""Adapters that make embeddings: the vectors, their usage, and how a call may fail."""

import asyncio
import logging
import socket
import traceback
from typing import Any

import pytest

from core.errors import AppError, ErrorKind
from core.providers.embedding import EmbeddingRequest
from core.providers.types import Capability, FinishReason, ProviderInfo, StreamEnd, StreamEvent, UsageReport
from tests.contract.adapter import Adapter, embedded, url_of, vectors_of
from tests.contract.adapters import EMBEDDING, every_adapter, that_embeds
from tests.contract.test_provider_failures import REFUSALS
from tests.fakes.http_server import FakeServer
from tests.fakes.script import Script, vector_of

TEXTS = ("первый текст", "a second one", "a\nthird 🙂")


def ask(adapter: Adapter, *inputs: Any, dimensions: int | None = None) -> EmbeddingRequest:
    return EmbeddingRequest(adapter.embedding_model, inputs or TEXTS, dimensions)


def events_of(adapter: Adapter, url: str, request: EmbeddingRequest, **options: Any) -> list[StreamEvent]:
    async def run() -> list[StreamEvent]:
        async with adapter.provider(url, **options) as provider:
            return await embedded(provider, request)

    return asyncio.run(run())


def info_of(adapter: Adapter) -> ProviderInfo:
    return adapter.build("http://127.0.0.1:9").info


def failure_of(
    adapter: Adapter, url: str, request: EmbeddingRequest | None = None, **options: Any
) -> AppError:
    with pytest.raises(AppError) as caught:
        events_of(adapter, url, request or ask(adapter), **options)
    return caught.value


def usage_in(events: list[StreamEvent]) -> list[tuple[int, int, bool]]:
    return [
        (event.usage.input_tokens, event.usage.output_tokens, event.usage.estimated)
        for event in events
        if isinstance(event, UsageReport)
    ]


# --- what comes back ---


@that_embeds
def test_every_input_becomes_its_vector(adapter: Adapter, server: FakeServer) -> None:
    events = events_of(adapter, server.url, ask(adapter))
    assert adapter.wire is not None
    assert adapter.wire.inputs_of(server.asked[0].body) == list(TEXTS)
    assert vectors_of(events) == [vector_of(text) for text in TEXTS]
    assert events[-1] == StreamEnd(FinishReason.STOP)
    assert len({str(vector) for vector in vectors_of(events)}) == 3
    assert len(server.asked) == 1


@that_embeds
def test_input_tokens_are_reported_and_no_output(adapter: Adapter, server: FakeServer) -> None:
    events = events_of(adapter, server.url, ask(adapter))
    words = sum(len(text.split()) for text in TEXTS)
    assert usage_in(events) == [(words, 0, False)]


@that_embeds
def test_usage_that_nobody_told_is_no_report_or_an_estimate(adapter: Adapter, server: FakeServer) -> None:
    server.queue(Script(usage=None))
    events = events_of(adapter, server.url, ask(adapter))
    assert vectors_of(events) == [vector_of(text) for text in TEXTS]
    assert all(estimated and tokens > 5 for tokens, _, estimated in usage_in(events))


@that_embeds
def test_many_inputs_keep_their_order(adapter: Adapter, server: FakeServer) -> None:
    texts = tuple(f"text number {number}" for number in range(250))
    events = events_of(adapter, server.url, ask(adapter, *texts))
    assert vectors_of(events) == [vector_of(text) for text in texts]
    assert usage_in(events)[-1] == (750, 0, False)


@that_embeds
def test_dimensions_are_asked_for_or_refused(adapter: Adapter, server: FakeServer) -> None:
    request = ask(adapter, dimensions=5)
    if Capability.EMBEDDING_DIMENSIONS in info_of(adapter).capabilities:
        assert [len(vector) for vector in vectors_of(events_of(adapter, server.url, request))] == [5, 5, 5]
        return
    error = failure_of(adapter, server.url, request)
    assert (error.kind, server.asked) == (ErrorKind.VALIDATION, [])
    assert "dimensions" in error.text()


@that_embeds
def test_token_ids_are_passed_on_or_refused(adapter: Adapter, server: FakeServer) -> None:
    request = ask(adapter, (9906, 1917), (0,))
    if Capability.EMBEDDING_TOKEN_IDS in info_of(adapter).capabilities:
        assert len(vectors_of(events_of(adapter, server.url, request))) == 2
        assert server.asked[0].body["input"] == [[9906, 1917], [0]]
        return
    error = failure_of(adapter, server.url, request)
    assert (error.kind, server.asked) == (ErrorKind.VALIDATION, [])
    assert "as text" in error.text()


@every_adapter
def test_who_makes_none_says_so_before_anything_is_sent(adapter: Adapter, server: FakeServer | None) -> None:
    makes = Capability.EMBEDDINGS in info_of(adapter).capabilities if server is not None else False
    assert makes == (adapter in EMBEDDING)
    if makes:
        return
    error = failure_of(adapter, url_of(server), EmbeddingRequest("any-model", ("text",)))
    assert error.kind is ErrorKind.VALIDATION
    assert "makes no embeddings" in error.text()
    assert server is None or not server.requests


@that_embeds
def test_the_models_it_names_are_those_of_the_provider(adapter: Adapter, server: FakeServer) -> None:
    assert adapter.wire is not None
    named = [model.id for model in info_of(adapter).embedding_models]
    assert bool(named) == (adapter.name != "local")
    known = {*adapter.wire.EMBEDDING_MODELS, "text-embedding-ada-002"}
    assert set(named) <= known


# --- how it may fail ---


@that_embeds
@pytest.mark.parametrize(("name", "kind", "named"), REFUSALS, ids=[name for name, *_ in REFUSALS])
def test_refusals(adapter: Adapter, server: FakeServer, name: str, kind: ErrorKind, named: str) -> None:
    server.queue(getattr(adapter.wire, name)())
    error = failure_of(adapter, server.url)
    assert error.kind is kind
    # There is no chat to begin anew.
    assert ("shorter texts" if name == "too_long" else named) in error.text()
    assert "conversation" not in error.text()
    assert len(server.asked) == 1, "retries belong to the engine"


@that_embeds
def test_a_model_that_chats_makes_none(adapter: Adapter, server: FakeServer) -> None:
    error = failure_of(adapter, server.url, EmbeddingRequest(adapter.model, ("text",)))
    assert error.kind is ErrorKind.UNKNOWN_MODEL
    assert adapter.model in error.text()


MISHAPS = {
    "too few": (Script(vectors=[[0.5, 1.0]]), ErrorKind.BAD_ANSWER),
    "none": (Script(vectors=[]), ErrorKind.BAD_ANSWER),
    "empty": (Script(vectors=[[], [], []]), ErrorKind.BAD_ANSWER),
    "not a number": (Script(vectors=[[float("nan")]] * 3), ErrorKind.BAD_ANSWER),
    "infinite": (Script(vectors=[[1.0, float("-inf")]] * 3), ErrorKind.BAD_ANSWER),
    "html": (Script(error="<html><title>Welcome to nginx</title></html>"), ErrorKind.BAD_ANSWER),
    "other json": (Script(error={"object": "list"}), ErrorKind.BAD_ANSWER),
    "something else's": (
        Script(status=404, error="<html><title>Not found</title></html>"),
        ErrorKind.UNREACHABLE,
    ),
    "cut": (Script(cut_after=0), ErrorKind.CUT_STREAM),
}


@that_embeds
@pytest.mark.parametrize(("script", "kind"), MISHAPS.values(), ids=MISHAPS)
def test_answers_that_are_none(adapter: Adapter, server: FakeServer, script: Script, kind: ErrorKind) -> None:
    server.queue(script)
    assert failure_of(adapter, server.url).kind is kind


@that_embeds
def test_silence_ends_in_a_timeout(adapter: Adapter, server: FakeServer) -> None:
    server.queue(Script(hang_after=0))
    assert failure_of(adapter, server.url, timeout=0.3).kind is ErrorKind.TIMEOUT


@that_embeds
def test_an_unreachable_host_is_named_with_its_setting(adapter: Adapter) -> None:
    with socket.socket() as held:  # bound but not listening: nothing else can take the port
        held.bind(("127.0.0.1", 0))
        error = failure_of(adapter, f"http://127.0.0.1:{held.getsockname()[1]}")
    assert error.kind is ErrorKind.UNREACHABLE
    assert (adapter.first_url_setting or adapter.url_setting) in error.text()


@that_embeds
def test_the_key_is_in_no_failure_and_no_log(
    adapter: Adapter, server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = adapter.key
    server.queue(Script(status=400, error={"error": {"message": f"bad {key}, Bearer {key}", "code": 400}}))
    error = failure_of(adapter, server.url)
    shown = "".join(traceback.format_exception(error))
    assert key not in f"{error!r} {error.text()} {error.params} {shown} {caplog.text}"
    assert error.__context__ is None
    assert error.__cause__ is None


@that_embeds
def test_absurd_usage_comes_through_as_it_was_sent(adapter: Adapter, server: FakeServer) -> None:
    assert adapter.wire is not None
    server.queue(Script(usage=adapter.wire.usage(-5, 0)))
    assert usage_in(events_of(adapter, server.url, ask(adapter)))[-1][0] == -5
