"""How an answer of chat completions is read, as OpenAI and as other servers send it."""

import asyncio
import json
from typing import Any

import pytest

from core.errors import AppError, ErrorKind
from core.providers.openai_compatible import OpenAICompatibleProvider
from core.providers.types import FinishReason, StreamEnd, ToolCallRequested
from tests.contract.adapter import ask, collect, text_of
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.script import Script

LOOK = {"name": "look", "arguments": '{"city": "Oslo"}'}


def read(server: OpenAIServer) -> list[Any]:
    async def run() -> list[Any]:
        provider = OpenAICompatibleProvider("local", "Local", None, server.url)
        try:
            return await collect(provider, ask("local-model"))
        finally:
            await provider.aclose()

    return asyncio.run(run())


def read_deltas(*deltas: dict[str, Any], finish: str = "tool_calls") -> list[Any]:
    """The events of an answer that consists of `deltas`."""
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    events = [{"choices": [choice]} for choice in choices]
    sent = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    with OpenAIServer(Script(chunks=[], garbage_after=0, garbage=sent.encode(), finish=finish)) as server:
        return read(server)


def read_calls(*pieces: dict[str, Any], finish: str = "tool_calls") -> list[Any]:
    return read_deltas(*({"tool_calls": [piece]} for piece in pieces), finish=finish)


def calls_of(events: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    calls = [event.call for event in events if isinstance(event, ToolCallRequested)]
    assert len({call.id for call in calls}) == len(calls)
    assert all(call.id for call in calls)
    return [(call.name, dict(call.arguments)) for call in calls]


def test_whole_calls_without_ids_and_with_one_index() -> None:
    wanted = [("look", {"city": "Oslo"}), ("look", {"city": "Осло"}), ("stop", {})]
    with OpenAIServer(Script(chunks=["Wait."], tool_calls=wanted), calls="ollama") as server:
        events = read(server)
    assert calls_of(events) == wanted
    assert text_of(events) == "Wait."
    assert events[-1] == StreamEnd(FinishReason.TOOL_CALLS, "stop")


def test_calls_with_one_index_are_told_apart_by_their_ids() -> None:
    events = read_calls(
        {"index": 0, "id": "a", "function": {"name": "look", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"n": 1}'}},
        {"index": 0, "id": "b", "function": {"name": "look", "arguments": '{"n": '}},
        {"index": 0, "id": "b", "function": {"name": "look", "arguments": "2}"}},
    )
    assert calls_of(events) == [("look", {"n": 1}), ("look", {"n": 2})]
    assert [event.call.id for event in events if isinstance(event, ToolCallRequested)] == ["a", "b"]


def test_calls_may_be_mixed() -> None:
    events = read_calls(
        {"index": 0, "id": "a", "function": {"name": "one", "arguments": '{"n"'}},
        {"index": 1, "id": "b", "function": {"name": "two", "arguments": '{"n"'}},
        {"index": 0, "function": {"arguments": ": 1}"}},
        {"index": 1, "function": {"arguments": ": 2}"}},
    )
    assert calls_of(events) == [("one", {"n": 1}), ("two", {"n": 2})]


@pytest.mark.parametrize(
    "pieces",
    [
        [{"id": "a", "function": LOOK}],
        [{"index": None, "id": None, "function": LOOK}],
        [{"index": 0, "id": "a", "function": {"name": "look", "arguments": {"city": "Oslo"}}}],
        [{"index": 0, "id": "a"}, {"index": 0, "function": LOOK}],
        [
            {"index": 0, "function": {"name": "look", "arguments": '{"city": '}},
            {"index": 0, "function": {"name": "look", "arguments": '"Oslo"}'}},
        ],
        [{"index": 0, "id": "a", "function": LOOK}, {"index": 0, "id": "a", "function": {"name": "look"}}],
    ],
    ids=["no index", "nulls", "parsed", "id first", "name twice", "name again"],
)
def test_other_ways_to_ask_for_a_function(pieces: list[dict[str, Any]]) -> None:
    assert calls_of(read_calls(*pieces)) == [("look", {"city": "Oslo"})]


def test_an_id_that_comes_twice_is_replaced() -> None:
    events = read_calls(
        {"index": 0, "id": "look", "function": LOOK}, {"index": 1, "id": "look", "function": LOOK}
    )
    assert calls_of(events) == [("look", {"city": "Oslo"})] * 2


@pytest.mark.parametrize("arguments", ["", None, " ", "{}"])
def test_a_function_without_parameters(arguments: str | None) -> None:
    events = read_calls({"index": 0, "id": "a", "function": {"name": "now", "arguments": arguments}})
    assert calls_of(events) == [("now", {})]


@pytest.mark.parametrize("arguments", ['{"city": ', "[1]", "null", '"Oslo"', '{"n": NaN}', 7, ["x"]])
def test_arguments_that_are_no_json_object_are_a_bad_answer(arguments: Any) -> None:
    good = {"index": 0, "id": "a", "function": LOOK}
    with pytest.raises(AppError) as caught:
        read_calls(good, {"index": 1, "id": "b", "function": {"name": "look", "arguments": arguments}})
    assert caught.value.kind is ErrorKind.BAD_ANSWER
    assert "LOCAL_BASE_URL" in caught.value.text()


def test_a_function_without_a_name_is_a_bad_answer() -> None:
    with pytest.raises(AppError) as caught:
        read_calls({"index": 0, "id": "a", "function": {"arguments": "{}"}})
    assert caught.value.kind is ErrorKind.BAD_ANSWER


@pytest.mark.parametrize(
    ("finish", "reason"), [("length", FinishReason.LENGTH), ("content_filter", FinishReason.SAFETY)]
)
def test_a_call_that_was_cut_short_is_left_out(finish: str, reason: FinishReason) -> None:
    events = read_calls(
        {"index": 0, "id": "a", "function": LOOK},
        {"index": 1, "id": "b", "function": {"name": "look", "arguments": '{"ci'}},
        {"index": 2, "id": "c", "function": {"name": "look", "arguments": ""}},
        finish=finish,
    )
    assert calls_of(events) == [("look", {"city": "Oslo"})]
    assert events[-1] == StreamEnd(reason, finish)


@pytest.mark.parametrize("finish", ["tool_calls", "function_call", "stop", "tool_use"])
def test_the_reason_of_an_answer_with_calls(finish: str) -> None:
    events = read_calls({"index": 0, "id": "a", "function": LOOK}, finish=finish)
    assert events[-1] == StreamEnd(FinishReason.TOOL_CALLS, finish)


def test_a_stream_that_is_cut_off_asks_for_nothing() -> None:
    script = Script(chunks=["Wait."], tool_calls=[("look", {})], finish=None)
    with OpenAIServer(script) as server, pytest.raises(AppError) as caught:
        read(server)
    assert caught.value.kind is ErrorKind.CUT_STREAM


def test_a_refusal_is_text_and_ends_for_safety() -> None:
    events = read_deltas({"refusal": "I cannot "}, {"refusal": "do that."}, finish="stop")
    assert text_of(events) == "I cannot do that."
    assert events[-1] == StreamEnd(FinishReason.SAFETY, "refusal")
