"""Messages over HTTP: read in parts, added, and sent to a model."""

import asyncio
import json
from threading import Thread
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from core.chat.types import MessageStatus
from core.services import Services
from core.usage.columns import EVENTS
from core.usage.types import Source
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.openai_server import OpenAIServer, no_balance, rate_limit, too_long, unknown_model, usage
from tests.fakes.script import Script
from tests.support.databases import on_both_databases

MODEL = "gpt-5.4-mini"
JSON = {"Content-Type": "application/json"}
ANSWER = {"id", "thread_id", "role", "content", "tokens", "model", "provider", "meta_data", "created_at"}
SENT = {
    "content": "Напиши план исследования",
    "system_prompt": "Ты опытный научный руководитель",
    "max_tokens": 2000,
    "temperature": 0.5,
}


def make(client: TestClient, provider: str = "openai", model: str = MODEL, **more: Any) -> dict[str, Any]:
    body = {"title": "One", "provider": provider, "model": model, **more}
    made = client.post("/api/threads/", json=body)
    assert made.status_code == 201, made.text
    return made.json()


def add(client: TestClient, thread: dict[str, Any], content: str, **more: Any) -> dict[str, Any]:
    body = {"role": "user", "content": content, **more}
    added = client.post(f"/api/threads/{thread['id']}/messages", json=body)
    assert added.status_code == 201, added.text
    return added.json()


def send(client: TestClient, thread: dict[str, Any], content: str = "Hello", **options: Any) -> Any:
    return client.post(f"/api/threads/{thread['id']}/send", json={"content": content}, **options)


@on_both_databases
def test_a_message_is_added_as_documented(ann: TestClient) -> None:
    thread = make(ann)
    said = {
        "role": "user",
        "content": "Объясни, пожалуйста, как работает алгоритм K-means",
        "tokens": 16,
        "model": None,
        "provider": None,
        "metadata": {"browser": "Chrome", "os": "Windows 11", "source": "web"},
    }
    answer = ann.post(f"/api/threads/{thread['uuid']}/messages/", json=said)
    assert answer.status_code == 201
    added = answer.json()
    assert set(added) == ANSWER
    assert added["meta_data"] == said["metadata"]
    same = ("role", "content", "tokens", "model", "provider")
    assert {name: added[name] for name in same} == {name: said[name] for name in same}
    full = ann.get(f"/api/threads/{thread['id']}").json()
    assert full["messages"] == [added]
    assert full["last_message_at"] >= added["created_at"] > thread["last_message_at"]


def test_a_system_message_becomes_the_system_prompt(ann: TestClient, hub: Services) -> None:
    thread = make(ann, system_prompt="Be long")
    added = add(ann, thread, "Be brief", role="system")
    assert (added["role"], added["meta_data"]) == ("system", {})
    assert hub.chat.thread(thread["user_id"], thread["id"]).system_prompt == "Be brief"


@on_both_databases
def test_messages_are_read_in_parts(ann: TestClient) -> None:
    thread = make(ann)
    ids = [add(ann, thread, f"Message {number}")["id"] for number in range(5)]
    address = f"/api/threads/{thread['id']}/messages"

    def read(**query: int) -> list[int]:
        answer = ann.get(address, params=query)
        assert (answer.status_code, answer.headers["x-total-count"]) == (200, "5")
        return [each["id"] for each in answer.json()]

    assert read() == ids
    assert read(limit=2) == ids[-2:]
    assert read(limit=2, before_id=ids[3]) == ids[1:3]
    assert read(limit=2, after_id=ids[0]) == ids[1:3]
    assert read(after_id=ids[-1]) == []
    for wrong in ({"limit": 0}, {"limit": 501}, {"before_id": 1, "after_id": 1}, {"after_id": 10**30}):
        refused = ann.get(address, params=wrong)
        assert (refused.status_code, refused.json()["error_type"]) == (400, "validation"), wrong


def test_a_message_that_cannot_be_kept_is_refused(ann: TestClient) -> None:
    thread = make(ann)
    address = f"/api/threads/{thread['id']}/messages"
    wrong: list[dict[str, Any]] = [
        {"role": "tool"},
        {"role": "robot"},
        {"role": None},
        {"content": " "},
        {"content": None},
        {"content": "\ud800"},
        {"content": "a" * 500_001},
        {"tokens": -1},
        {"tokens": 2**31},
        {"tokens": "16"},
        {"model": "m" * 201},
        {"metadata": [1]},
        {"metadata": {"a": "b" * 20_001}},
    ]
    for each in wrong:
        body = json.dumps({"role": "user", "content": "Hi", **each})
        refused = ann.post(address, content=body, headers=JSON)
        assert (refused.status_code, refused.json()["error_type"]) == (400, "validation"), each
    deep = [b"[" * levels + b"]" * levels for levels in (20, 900)]
    for value in (b"NaN", b"Infinity", b"1" * 5_000, *deep):
        body = b'{"role": "user", "content": "Hi", "metadata": {"a": ' + value + b"}}"
        assert ann.post(address, content=body, headers=JSON).status_code == 400, value[:30]
    add(ann, thread, "Hi", metadata={"a": json.loads("[" * 19 + "]" * 19)})
    assert len(ann.get(address).json()) == 1


@on_both_databases
def test_nul_bytes_in_a_message_do_not_reach_the_database(ann: TestClient) -> None:
    added = add(ann, make(ann), "a\x00b", metadata={"k\x00": "v\x00"}, model="m\x00", provider="p\x00")
    assert "\x00" not in json.dumps(added)
    assert added["content"].replace("\ufffd", "") == "ab"


def test_another_users_thread_takes_no_message(ann: TestClient, bob: TestClient) -> None:
    thread = make(ann, "demo", "demo-1")
    address = f"/api/threads/{thread['id']}"
    answers = [
        bob.get(f"{address}/messages"),
        bob.post(f"{address}/messages", json={"role": "user", "content": "Hi"}),
        bob.post(f"{address}/send", json={"content": "Hi"}),
        bob.post("/api/threads/999999/send", json={"content": "Hi"}),
    ]
    assert [each.status_code for each in answers] == [404] * 4
    assert {each.text for each in answers} == {answers[3].text}
    assert ann.get(f"{address}/messages").json() == []


@on_both_databases
def test_an_answer_comes_as_documented(ann: TestClient, openai: OpenAIServer, hub: Services) -> None:
    openai.queue(Script(chunks=["# План", "\n..."], usage=usage(89, 1245)))
    thread = make(ann, system_prompt="Be brief", temperature=0.9)
    answer = ann.post(f"/api/threads/{thread['uuid']}/send", json=SENT)
    assert answer.status_code == 200, answer.text
    message = answer.json()
    assert set(message) == ANSWER
    assert (message["role"], message["content"], message["tokens"]) == ("assistant", "# План\n...", 1245)
    assert (message["provider"], message["model"]) == ("openai", MODEL)
    meta = message["meta_data"]
    assert meta["tokens"] == {"prompt_tokens": 89, "completion_tokens": 1245, "total_tokens": 1334}
    assert meta["with_context"] is True
    assert meta["cost"] > 0
    assert (meta["finish_reason"], meta["from_cache"], meta["status"]) == ("stop", False, "complete")
    asked = openai.asked[0].body
    assert asked["messages"] == [
        {"role": "system", "content": SENT["system_prompt"]},
        {"role": "user", "content": SENT["content"]},
    ]
    assert asked["temperature"] == 0.5
    assert 2000 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))
    stored = ann.get(f"/api/threads/{thread['id']}").json()["messages"]
    assert [each["role"] for each in stored] == ["system", "user", "assistant"]
    assert stored[-1] == message
    with hub.unit.read() as session:
        assert session.scalars(select(EVENTS.c.source)).all() == [Source.API]


def test_the_context_goes_along_unless_it_is_not_wanted(ann: TestClient, openai: OpenAIServer) -> None:
    thread = make(ann, system_prompt="Be brief")
    first = send(ann, thread, "One").json()["content"]
    with_context = send(ann, thread, "Two")
    without = send(ann, thread, "Three", params={"use_context": "false"})
    said = [[each["content"] for each in asked.body["messages"]] for asked in openai.asked]
    assert said == [["Be brief", "One"], ["Be brief", "One", first, "Two"], ["Be brief", "Three"]]
    assert with_context.json()["meta_data"]["with_context"] is True
    assert without.json()["meta_data"]["with_context"] is False


def test_what_a_provider_refuses_has_its_documented_error(ann: TestClient, openai: OpenAIServer) -> None:
    thread = make(ann)
    expected = [
        (rate_limit(), 429, "rate_limit"),
        (no_balance(), 400, "billing"),
        (too_long(), 400, "invalid_context"),
        (unknown_model(), 400, "validation"),
        (Script(status=418, error="<p>teapot</p>"), 500, "api_error"),
        (Script(chunks=["Half"], cut_after=1), 500, "api_error"),
    ]
    for script, status, error_type in expected:
        openai.queue(script)
        refused = send(ann, thread)
        assert (refused.status_code, refused.json()["error_type"]) == (status, error_type), script
        assert refused.json()["error"] is True
        assert refused.json()["error_message"]
    stored = ann.get(f"/api/threads/{thread['id']}/messages").json()
    answers = [each for each in stored if each["role"] == "assistant"]
    assert [each["meta_data"]["status"] for each in answers] == ["failed"] * len(expected)
    assert answers[0]["meta_data"]["error"]["error_type"] == "rate_limit"
    assert send(ann, thread).status_code == 200


def test_a_rate_limit_says_when_to_come_back(ann: TestClient, openai: OpenAIServer) -> None:
    openai.queue(rate_limit(7))
    assert send(ann, make(ann)).headers["retry-after"] == "7"


def test_a_provider_without_a_key_is_said_before_anything_is_stored(ann: TestClient) -> None:
    thread = make(ann)
    refused = send(ann, thread, headers={"Accept-Language": "en"})
    assert (refused.status_code, refused.json()["error_type"]) == (400, "api_key_not_found")
    assert ann.get(f"/api/threads/{thread['id']}/messages").json() == []


def test_errors_are_said_in_the_callers_language(ann: TestClient, openai: OpenAIServer) -> None:
    openai.queue(no_balance())
    thread = make(ann)
    russian = {"Accept-Language": "ru"}
    refused = send(ann, thread, headers=russian).json()["error_message"]
    stored = ann.get(f"/api/threads/{thread['id']}", headers=russian).json()["messages"][-1]
    assert stored["meta_data"]["error"]["error_message"] == refused
    assert any("а" <= letter <= "я" for letter in refused)


def test_a_message_that_cannot_be_sent_is_refused(ann: TestClient) -> None:
    thread = make(ann, "demo", "demo-1")
    wrong: list[Any] = [
        {},
        {"content": ""},
        {"content": " \n"},
        {"content": 5},
        {"content": "a" * 500_001},
        {"content": "Hi", "max_tokens": 0},
        {"content": "Hi", "temperature": 3},
        {"content": "Hi", "system_prompt": "a" * 20_001},
    ]
    for body in wrong:
        refused = ann.post(f"/api/threads/{thread['id']}/send", json=body)
        assert (refused.status_code, refused.json()["error_type"]) == (400, "validation"), body
    assert send(ann, thread, params={"use_context": "perhaps"}).status_code == 400
    assert ann.get(f"/api/threads/{thread['id']}/messages").json() == []


def test_a_thread_that_is_being_answered_takes_no_other_message(
    ann: TestClient, gemini: GeminiServer
) -> None:
    gemini.queue(Script(chunks=["Slow", " answer"], hang_after=1))
    thread = make(ann, "gemini", "gemini-3.8-flash")
    answers: list[Any] = []
    first = Thread(target=lambda: answers.append(send(ann, thread)))
    first.start()
    gemini.wait_for(lambda: len(gemini.asked) == 1)
    other = TestClient(
        ann.app, base_url="http://127.0.0.1", headers={"Authorization": ann.headers["Authorization"]}
    )
    refused = [
        send(other, thread),
        other.post(f"/api/threads/{thread['id']}/messages", json={"role": "user", "content": "Hi"}),
    ]
    gemini.release()
    first.join(20)
    assert [(each.status_code, each.json()["error_type"]) for each in refused] == [(400, "validation")] * 2
    assert "still being answered" in refused[0].json()["error_message"]
    assert (answers[0].status_code, answers[0].json()["content"]) == (200, "Slow answer")
    assert len(ann.get(f"/api/threads/{thread['id']}/messages").json()) == 2


def test_a_stopped_answer_is_given_as_far_as_it_came(
    ann: TestClient, gemini: GeminiServer, hub: Services
) -> None:
    gemini.queue(Script(chunks=["Half", " more"], hang_after=1))
    thread = make(ann, "gemini", "gemini-3.8-flash")
    answers: list[Any] = []
    waiting = Thread(target=lambda: answers.append(send(ann, thread)))
    waiting.start()
    gemini.wait_for(lambda: len(gemini.asked) == 1)
    running = hub.chat.live(hub.chat.messages(thread["user_id"], thread["id"])[-1])
    assert running is not None
    assert next(chunk.text for chunk in running.follow() if chunk) == "Half"
    assert hub.chat.stop(thread["user_id"], thread["id"])
    waiting.join(20)
    assert (answers[0].status_code, answers[0].json()["content"]) == (200, "Half")
    assert answers[0].json()["meta_data"]["status"] == MessageStatus.STOPPED.value


def on_a_loop(client: TestClient) -> httpx2.AsyncClient:
    """The same person, whose requests can be left."""
    transport = httpx2.ASGITransport(app=client.app)
    headers = {"Authorization": client.headers["Authorization"]}
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers, timeout=60)


def test_a_caller_who_goes_away_leaves_the_answer_running(
    ann: TestClient, gemini: GeminiServer, hub: Services
) -> None:
    gemini.queue(Script(chunks=["Whole", " answer"], hang_after=1))
    thread = make(ann, "gemini", "gemini-3.8-flash")

    async def leave() -> None:
        async with on_a_loop(ann) as client:
            address = f"/api/threads/{thread['id']}/send"
            asking = asyncio.create_task(client.post(address, json={"content": "Hi"}))
            await asyncio.to_thread(gemini.wait_for, lambda: len(gemini.asked) == 1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    asyncio.run(leave())
    running = hub.chat.live(hub.chat.messages(thread["user_id"], thread["id"])[-1])
    assert running is not None
    gemini.release()
    assert running.wait(20)
    assert ann.get(f"/api/threads/{thread['id']}/messages").json()[-1]["content"] == "Whole answer"


def test_who_waits_for_an_answer_holds_no_thread(ann: TestClient, openai: OpenAIServer) -> None:
    # More than a server has threads for requests.
    count = 45
    openai.default = Script(hang_after=1)
    threads = [make(ann) for _ in range(count)]

    async def ask() -> tuple[int, list[int]]:
        async with on_a_loop(ann) as client:
            asking = [
                asyncio.create_task(client.post(f"/api/threads/{each['id']}/send", json={"content": "Hi"}))
                for each in threads
            ]
            await asyncio.to_thread(openai.wait_for, lambda: len(openai.asked) == count)
            meanwhile = (await client.get("/api/threads")).status_code
            openai.release()
            return meanwhile, [(await each).status_code for each in asking]

    assert asyncio.run(ask()) == (200, [200] * count)
