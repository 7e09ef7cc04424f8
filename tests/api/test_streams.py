"""Answers as server-sent events."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from api.aihub import stream_events
from core.chat.types import MessageStatus
from core.generation.generation import Generation
from core.services import Services
from core.usage.columns import EVENTS
from core.usage.types import Source
from tests.api.conftest import SignUp
from tests.fakes.gemini_server import GeminiServer, overloaded, usage
from tests.fakes.script import Script
from tests.support.event_stream import events_from, events_in, names_of, text_of
from tests.support.hub import MODEL
from tests.support.live_api import serving

NEW = {
    "title": "Анализ сезонных трендов",
    "provider": "gemini",
    "model": MODEL,
    "category_id": None,
    "is_pinned": False,
    "is_archived": False,
    "initial_message": "Как выявить и визуализировать сезонные тренды в данных о продажах?",
    "system_prompt": "Ты эксперт по анализу данных",
    "max_tokens": 2000,
    "temperature": 0.7,
}
HANGING = Script(chunks=["Once ", "upon ", "a time"], hang_after=2)


def thread_of(client: TestClient, provider: str = "gemini", model: str = MODEL) -> int:
    made = client.post("/api/threads/", json={"title": "One", "provider": provider, "model": model})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def token(client: TestClient) -> dict[str, str]:
    return {"Authorization": client.headers["Authorization"]}


@contextmanager
def live(client: TestClient) -> Iterator[httpx.Client]:
    """The same person over a real connection."""
    with serving() as url, httpx.Client(base_url=url, headers=token(client), timeout=30) as real:
        yield real


def finish(hub: Services) -> None:
    """Wait until nothing is being written."""
    for generation in list(hub.generation._live.values()):  # the engine's own list
        assert generation.wait(20)


def sources_of(hub: Services) -> list[str]:
    """Where the calls in the ledger came from."""
    with hub.unit.read() as session:
        return list(session.execute(select(EVENTS.c.source)).scalars())


def test_a_new_thread_is_streamed_as_documented(ann: TestClient, gemini: GeminiServer) -> None:
    gemini.queue(Script(chunks=["Возьми ", "скользящее ", "среднее."], usage=usage(prompt=40, output=9)))
    answer = ann.post("/api/threads/stream", json=NEW)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
    events = events_in(answer.text)
    assert names_of(events) == ["thread", "connected", "delta", "done"]
    thread, connected, done = events[0].data, events[1].data, events[-1].data
    stored = ann.get(f"/api/threads/{thread['id']}").json()
    assert {name: stored[name] for name in thread if name != "updated_at"} == {
        name: value for name, value in thread.items() if name != "updated_at"
    }
    assert [message["role"] for message in stored["messages"]] == ["system", "user", "assistant"]
    assert connected == {"thread_id": thread["id"], "user_message_id": stored["messages"][1]["id"]}
    assert text_of(events) == stored["messages"][2]["content"] == "Возьми скользящее среднее."
    assert done == {
        "message_id": stored["messages"][2]["id"],
        "finish_reason": "stop",
        "tokens": {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49},
        "cost": stored["messages"][2]["meta_data"]["cost"],
        "from_cache": False,
    }


def test_every_event_says_how_far_the_text_has_come(ann: TestClient, gemini: GeminiServer) -> None:
    gemini.queue(Script(chunks=["Hi\n\nthere\r", "\u2028 event: \x85", "end 😀"]))
    events = events_in(ann.post("/api/threads/stream", json=NEW).text)
    text = "Hi\n\nthere\r\u2028 event: \x85end 😀"
    assert text_of(events) == text
    assert len({event.id.partition(":")[0] for event in events}) == 1
    sequences = [event.sequence for event in events]
    assert sequences[:2] == [0, 1]
    assert sequences[-2:] == [2 + len(text), 3 + len(text)]
    assert sequences == sorted(set(sequences))


def test_a_message_is_streamed_with_its_thread_and_counted_once(
    ann: TestClient, hub: Services, gemini: GeminiServer
) -> None:
    thread_id = thread_of(ann)
    first = events_in(ann.post(f"/api/threads/{thread_id}/stream", json={"content": "Hello"}).text)
    assert names_of(first) == ["connected", "delta", "done"]
    ann.post(f"/api/threads/{thread_id}/stream?use_context=false&timeout=600", json={"content": "Again"})
    ann.post(f"/api/threads/{thread_id}/stream/", json={"content": "And again", "temperature": 0.3})
    contents = [[part["parts"][0]["text"] for part in each.body["contents"]] for each in gemini.asked]
    assert contents == [
        ["Hello"],
        ["Again"],
        ["Hello", "Hello, world!", "Again", "Hello, world!", "And again"],
    ]
    assert gemini.asked[2].body["generationConfig"]["temperature"] == 0.3
    roles = [each["role"] for each in ann.get(f"/api/threads/{thread_id}/messages").json()]
    assert roles == ["user", "assistant"] * 3
    assert sources_of(hub) == [Source.API] * 3


def test_what_goes_wrong_in_the_stream_is_its_last_event(ann: TestClient, gemini: GeminiServer) -> None:
    thread_id = thread_of(ann)
    gemini.queue(overloaded())
    russian = {"Accept-Language": "ru"}
    answer = ann.post(f"/api/threads/{thread_id}/stream", json={"content": "Hello"}, headers=russian)
    events = events_in(answer.text)
    assert (answer.status_code, names_of(events)) == (200, ["connected", "error"])
    error = events[-1].data
    assert (set(error), error["error"]) == ({"error", "error_message", "error_type"}, True)
    assert error["error_type"] == "api_error"
    stored = ann.get(f"/api/threads/{thread_id}/messages", headers=russian).json()[-1]
    assert stored["meta_data"]["error"]["error_message"] == error["error_message"]
    assert any("а" <= letter <= "я" for letter in error["error_message"])


def test_what_is_wrong_before_the_stream_is_an_answer_of_its_own(
    ann: TestClient, gemini: GeminiServer
) -> None:
    own = f"{thread_of(ann)}/stream"
    hello, invalid, missing = {"content": "Hello"}, (400, "validation"), (404, "not_found")
    for path, body, expected in (
        (own, {"content": ""}, invalid),
        (own, {}, invalid),
        (f"{own}?timeout=0", hello, invalid),
        (f"{own}?timeout=601", hello, invalid),
        (f"{own}?use_context=maybe", hello, invalid),
        ("999999/stream", hello, missing),
        ("stream", {**NEW, "initial_message": None}, invalid),
        ("stream", {**NEW, "provider": "nobody"}, invalid),
        ("stream", {**NEW, "provider": "anthropic"}, (400, "api_key_not_found")),
        ("stream", {**NEW, "category_id": 7}, missing),
    ):
        refused = ann.post(f"/api/threads/{path}", json=body)
        assert (refused.status_code, refused.json()["error_type"]) == expected, (path, body)
        assert refused.headers["content-type"] == "application/json"
    assert gemini.asked == []


def test_a_thread_is_answered_once_at_a_time(ann: TestClient, hub: Services, gemini: GeminiServer) -> None:
    thread_id = thread_of(ann)
    gemini.queue(HANGING)
    with live(ann) as real:
        with real.stream("POST", f"/api/threads/{thread_id}/stream", json={"content": "Hello"}) as answer:
            assert next(events_from(answer.iter_text())).name == "connected"
            second = real.post(f"/api/threads/{thread_id}/stream", json={"content": "Again"})
        assert (second.status_code, second.json()["error_type"]) == (400, "validation")
        gemini.release()
        finish(hub)


def test_the_deadline_ends_the_stream_and_keeps_the_text(ann: TestClient, gemini: GeminiServer) -> None:
    thread_id = thread_of(ann)
    gemini.queue(HANGING)
    answer = ann.post(f"/api/threads/{thread_id}/stream?timeout=1", json={"content": "Hello"})
    events = events_in(answer.text)
    assert names_of(events) == ["connected", "delta", "error"]
    assert "1 s" in events[-1].data["error_message"]
    stored = ann.get(f"/api/threads/{thread_id}/messages").json()[-1]
    assert stored["content"] == text_of(events) == "Once upon "
    assert stored["meta_data"]["status"] == "failed"


def test_a_stop_ends_the_stream_with_what_was_written(ann: TestClient, gemini: GeminiServer) -> None:
    thread_id = thread_of(ann)
    gemini.queue(HANGING)
    with live(ann) as real:
        path = f"/api/threads/{thread_id}/stream"
        with real.stream("POST", path, json={"content": "Hello"}) as answer:
            events = events_from(answer.iter_text())
            seen = [next(events), next(events)]
            other = real.post(f"{path}/stop", params={"message_id": seen[0].data["user_message_id"]}).json()
            stopped = real.post(f"{path}/stop").json()
            seen += events
    assert (other["success"], stopped["success"]) == (False, True)
    assert names_of(seen) == ["connected", "delta", "done"]
    assert (text_of(seen), seen[-1].data["finish_reason"]) == ("Once upon ", "stopped")
    again = ann.post(f"{path}/stop")
    assert (again.status_code, set(again.json()), again.json()["success"]) == (
        200,
        {"success", "message"},
        False,
    )


def test_a_client_that_leaves_does_not_end_the_answer(
    ann: TestClient, hub: Services, gemini: GeminiServer
) -> None:
    thread_id = thread_of(ann)
    gemini.queue(HANGING)
    with live(ann) as real:
        with real.stream("POST", f"/api/threads/{thread_id}/stream", json={"content": "Hello"}) as answer:
            events = events_from(answer.iter_text())
            assert [next(events).name, next(events).name] == ["connected", "delta"]
        gemini.release()
        finish(hub)
    stored = ann.get(f"/api/threads/{thread_id}/messages").json()[-1]
    assert (stored["content"], stored["meta_data"]["status"]) == ("Once upon a time", "complete")


def test_silence_is_filled_with_comments(
    ann: TestClient, hub: Services, gemini: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_events, "KEEP_ALIVE_SECONDS", 0.02)
    thread_id = thread_of(ann)
    gemini.queue(HANGING)
    with (
        live(ann) as real,
        real.stream("POST", f"/api/threads/{thread_id}/stream", json={"content": "Hello"}) as answer,
    ):
        text = ""
        for part in answer.iter_text():
            text += part
            if text.count(": keep-alive\n\n") >= 3:
                gemini.release()
    assert text_of(events_in(text)) == "Once upon a time"


def test_anothers_threads_are_not_there(
    ann: TestClient, bob: TestClient, hub: Services, gemini: GeminiServer
) -> None:
    thread_id = thread_of(ann)
    gemini.queue(HANGING)
    with live(ann) as real:
        with real.stream("POST", f"/api/threads/{thread_id}/stream", json={"content": "Hello"}) as answer:
            event = next(events_from(answer.iter_text()))
            for method, path, body in (
                ("POST", "stream", {"content": "Mine?"}),
                ("GET", "stream", None),
                ("POST", "stream/stop", None),
            ):
                headers = {"Last-Event-ID": event.id}
                taken, missing = (
                    bob.request(method, f"/api/threads/{name}/{path}", json=body, headers=headers)
                    for name in (thread_id, 999_999)
                )
                assert (taken.status_code, taken.json()) == (404, missing.json())
            own = thread_of(bob)
            stolen = bob.get(f"/api/threads/{own}/stream", headers={"Last-Event-ID": event.id})
            assert (stolen.status_code, stolen.json()["error_type"]) == (400, "validation")
        gemini.release()
        finish(hub)
    assert hub.chat.messages(1, thread_id)[-1].status is MessageStatus.COMPLETE


@pytest.mark.parametrize(("scope", "may_read", "may_ask"), [("read", True, False), ("chat", False, True)])
def test_a_token_reaches_as_far_as_its_scopes(
    ann: TestClient, gemini: GeminiServer, scope: str, may_read: bool, may_ask: bool
) -> None:
    thread_id = thread_of(ann)
    ann.post(f"/api/threads/{thread_id}/stream", json={"content": "Hello"})
    made = ann.post("/api/tokens", json={"name": "one", "scopes": [scope]}).json()
    ann.headers["Authorization"] = f"Bearer {made['token']}"
    asked = ann.post(f"/api/threads/{thread_id}/stream", json={"content": "Hello"})
    stopped = ann.post(f"/api/threads/{thread_id}/stream/stop")
    read = ann.get(f"/api/threads/{thread_id}/stream")
    assert asked.status_code == stopped.status_code == (200 if may_ask else 403)
    assert read.status_code == (200 if may_read else 403)


def test_without_a_token_nothing_is_streamed(nobody: TestClient, sign_up: SignUp) -> None:
    thread_id = thread_of(sign_up("ann"), "demo", "demo")
    assert nobody.get(f"/api/threads/{thread_id}/stream").status_code == 401
    assert nobody.post("/api/threads/stream", json=NEW).status_code == 401
    assert nobody.post(f"/api/threads/{thread_id}/stream/stop").status_code == 401


def test_two_hundred_streams_at_once_lose_nothing_and_leave_nothing(
    ann: TestClient, hub: Services, gemini: GeminiServer
) -> None:
    words = [f"word{number} " for number in range(20)]
    gemini.default = Script(chunks=words, delay=0.02)

    async def one(client: httpx.AsyncClient) -> list[Any]:
        async with client.stream("POST", "/api/threads/stream", json=NEW) as answer:
            assert answer.status_code == 200
            return events_in("".join([part async for part in answer.aiter_text()]))

    async def all_of(url: str) -> list[list[Any]]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=url, headers=token(ann), limits=limits, timeout=60) as client:
            return await asyncio.gather(*(one(client) for _ in range(200)))

    with serving() as url:
        streams = asyncio.run(all_of(url))
    assert {tuple(names_of(events)) for events in streams} == {("thread", "connected", "delta", "done")}
    assert {text_of(events) for events in streams} == {"".join(words)}
    for events in streams:
        sequences = [event.sequence for event in events]
        assert sequences == sorted(set(sequences))
    assert len({events[0].data["id"] for events in streams}) == 200
    assert len(sources_of(hub)) == 200
    gc.collect()
    assert [each for each in gc.get_objects() if isinstance(each, Generation)] == []
