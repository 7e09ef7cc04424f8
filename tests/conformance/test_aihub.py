"""AIHub's document, replayed against a running hub: every method and path, its fields, its status."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conformance import aihub_shapes as shapes
from tests.conformance.conftest import EMAIL, PASSWORD, Hub, bearer
from tests.conformance.shapes import differences, taken
from tests.fakes.script import Script


@pytest.fixture
def category(api: httpx.Client) -> dict[str, Any]:
    body = {"name": "Учебные проекты", "description": "Всё для занятий", "color": "#4B0082"}
    return taken(api.post("/api/categories/", json=body), 201, shapes.CATEGORY)


@pytest.fixture
def thread(api: httpx.Client, category: dict[str, Any]) -> dict[str, Any]:
    body = {
        "title": "Продажи за год",
        "provider": "openai",
        "model": "gpt-4o",
        "category_id": category["id"],
        "is_pinned": False,
        "is_archived": False,
        "initial_message": "Как лучше показать сезонность?",
        "system_prompt": "Ты опытный аналитик",
        "max_tokens": 2000,
        "temperature": 0.8,
    }
    made = taken(api.post("/api/threads/", json=body), 201, {**shapes.THREAD, "messages": [shapes.STORED]})
    assert [each["role"] for each in made["messages"]] == ["system", "user"]
    assert made["message_count"] == 2
    assert {name: made[name] for name in ("title", "provider", "model", "category_id")} == {
        name: body[name] for name in ("title", "provider", "model", "category_id")
    }
    return made


# --- accounts ---


def test_signing_in_by_form_and_by_json(hub: Hub) -> None:
    with httpx.Client(base_url=hub.url) as client:
        form = client.post("/api/auth/token", data={"username": EMAIL, "password": PASSWORD})
        taken(form, 200, shapes.TOKEN)
        taken(client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD}), 200, shapes.TOKEN)


def test_a_user_signs_up_and_changes_the_profile(hub: Hub) -> None:
    with httpx.Client(base_url=hub.url) as client:
        who = {"email": "newcomer@example.com", "username": "newcomer", "password": PASSWORD}
        made = taken(client.post("/api/users/", json=who), 201, shapes.USER)
    with bearer(hub.url, "newcomer@example.com") as client:
        assert taken(client.get("/api/users/me"), 200, shapes.USER) == made
        new = {"email": "newemail@example.com", "username": "new_username", "password": "new_password"}
        changed = taken(client.put("/api/users/me", json=new), 200, shapes.USER)
        assert (changed["id"], changed["email"], changed["username"]) == (
            made["id"],
            "newemail@example.com",
            "new_username",
        )


def test_keys_are_kept_masked_changed_and_deleted(api: httpx.Client) -> None:
    body = {
        "provider": "anthropic",
        "api_key": "sk-ant-api-key-123456789",
        "name": "Claude API Key",
        "is_active": True,
    }
    made = taken(api.post("/api/api-keys/", json=body), 201, shapes.KEY)
    assert "*" in made["api_key"]
    assert body["api_key"] not in json.dumps(made)
    listed = taken(api.get("/api/api-keys/"), 200, [shapes.KEY])
    assert made in listed
    change = {"name": "Updated Key Name", "api_key": "sk-new-api-key-987654321", "is_active": False}
    changed = taken(api.put(f"/api/api-keys/{made['id']}", json=change), 200, shapes.KEY)
    assert (changed["name"], changed["is_active"]) == ("Updated Key Name", False)
    # Never more than a third of it is shown.
    assert (changed["api_key"][:6], changed["api_key"][-2:]) == ("sk-new", "21")
    assert api.delete(f"/api/api-keys/{made['id']}").status_code == 204
    taken(api.delete(f"/api/api-keys/{made['id']}"), 404, shapes.ERROR)


# --- threads ---


def test_threads_are_listed_by_every_documented_filter(api: httpx.Client, thread: dict[str, Any]) -> None:
    wanted: dict[str, Any] = {
        "skip": 0,
        "limit": 100,
        "category_id": thread["category_id"],
        "is_archived": "false",
        "is_pinned": "false",
        "search": "продажи",
    }
    found = taken(api.get("/api/threads/", params=wanted), 200, [shapes.THREAD])
    assert [each["id"] for each in found] == [thread["id"]]
    for name, value in {"is_archived": "true", "is_pinned": "true", "search": "nowhere", "skip": 1}.items():
        assert taken(api.get("/api/threads/", params={**wanted, name: value}), 200, []) == []


def test_a_thread_is_read_changed_and_deleted(api: httpx.Client, thread: dict[str, Any]) -> None:
    whole = {**shapes.THREAD, "messages": [shapes.STORED]}
    read = taken(api.get(f"/api/threads/{thread['id']}"), 200, whole)
    assert read["messages"] == thread["messages"]
    other = taken(
        api.post("/api/categories/", json={"name": "Базы данных", "description": "SQL", "color": "#800080"}),
        201,
        shapes.CATEGORY,
    )
    change = {
        "title": "Запросы под нагрузкой",
        "category_id": other["id"],
        "is_pinned": True,
        "is_archived": False,
    }
    changed = taken(api.put(f"/api/threads/{thread['id']}", json=change), 200, whole)
    assert {name: changed[name] for name in change} == change
    assert changed["category"] == other
    assert api.delete(f"/api/threads/{thread['id']}").status_code == 204
    taken(api.get(f"/api/threads/{thread['id']}"), 404, shapes.ERROR)


def test_several_threads_are_archived_and_deleted_at_once(api: httpx.Client, thread: dict[str, Any]) -> None:
    second = api.post(
        "/api/threads/",
        json={
            "title": "Вторая",
            "provider": "openai",
            "model": "gpt-4o",
            "category_id": thread["category_id"],
            "initial_message": "Привет",
        },
    )
    ids = [thread["id"], second.json()["id"]]
    archived = taken(api.post("/api/threads/bulk-archive", json={"thread_ids": ids}), 200, [shapes.THREAD])
    assert {each["id"] for each in archived} == set(ids)
    assert all(each["is_archived"] for each in archived)
    taken(api.post("/api/threads/bulk-delete", json={"thread_ids": [*ids, 10**9]}), 404, shapes.ERROR)
    assert api.get(f"/api/threads/{ids[0]}").status_code == 200
    assert api.post("/api/threads/bulk-delete", json={"thread_ids": ids}).status_code == 204
    assert [api.get(f"/api/threads/{each}").status_code for each in ids] == [404, 404]


def test_a_message_is_added_as_it_is(api: httpx.Client, thread: dict[str, Any]) -> None:
    body = {
        "role": "user",
        "content": "Как работает K-means?",
        "tokens": 16,
        "model": None,
        "provider": None,
        "metadata": {"browser": "Chrome", "os": "Windows 11", "source": "web"},
    }
    answer = api.post(f"/api/threads/{thread['id']}/messages", json=body)
    made = taken(answer, 201, {**shapes.STORED, "tokens": 16, "meta_data": body["metadata"]})
    assert (made["tokens"], made["meta_data"], made["content"]) == (16, body["metadata"], body["content"])


@pytest.mark.parametrize("use_context", [True, False])
def test_a_message_is_answered(
    hub: Hub, api: httpx.Client, thread: dict[str, Any], use_context: bool
) -> None:
    body = {
        "content": "Составь план исследования",
        "system_prompt": "Ты научный руководитель",
        "max_tokens": 2000,
        "temperature": 0.5,
    }
    answer = api.post(
        f"/api/threads/{thread['id']}/send", params={"use_context": str(use_context).lower()}, json=body
    )
    made = taken(answer, 200, shapes.ANSWERED)
    assert (made["content"], made["meta_data"]["with_context"]) == ("Hello, world!", use_context)
    tokens = made["meta_data"]["tokens"]
    assert tokens["total_tokens"] == tokens["prompt_tokens"] + tokens["completion_tokens"]
    assert made["tokens"] == tokens["completion_tokens"]
    sent = hub.openai.asked[-1].body["messages"]
    assert ("Как лучше показать сезонность?" in json.dumps(sent, ensure_ascii=False)) is use_context


def events_of(answer: Iterator[str]) -> list[tuple[str, Any]]:
    """The events of a stream by name, and their data."""
    found: list[tuple[str, Any]] = []
    name = ""
    for line in answer:
        kind, _, value = line.partition(": ")
        if kind == "event":
            name = value
        elif kind == "data":
            found.append((name, json.loads(value)))
    return found


def streamed(client: httpx.Client, path: str, body: dict[str, Any], **params: Any) -> list[tuple[str, Any]]:
    with client.stream("POST", path, json=body, params=params) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        return events_of(answer.iter_lines())


DONE = {"message_id": 1, "finish_reason": "stop", "tokens": shapes.TOKENS, "cost": 0.01, "from_cache": False}


def test_a_new_thread_is_streamed(api: httpx.Client, category: dict[str, Any]) -> None:
    body = {
        "title": "Сезонные тренды",
        "provider": "openai",
        "model": "gpt-4o",
        "category_id": category["id"],
        "is_pinned": False,
        "is_archived": False,
        "initial_message": "Как найти тренды?",
        "system_prompt": "Ты эксперт",
        "max_tokens": 2000,
        "temperature": 0.7,
    }
    events = streamed(api, "/api/threads/stream", body)
    names = [name for name, _ in events]
    assert names[:2] == ["thread", "connected"]
    assert names[-1] == "done"
    assert set(names[2:-1]) == {"delta"}
    assert differences(events[0][1], shapes.THREAD) == []
    assert differences(events[-1][1], DONE) == []
    assert "".join(data["text"] for name, data in events if name == "delta") == "Hello, world!"
    stored = api.get(f"/api/threads/{events[0][1]['id']}").json()["messages"][-1]
    assert (stored["id"], stored["content"]) == (events[-1][1]["message_id"], "Hello, world!")


def test_an_answer_is_streamed(api: httpx.Client, thread: dict[str, Any]) -> None:
    body = {
        "content": "Сравни базы NoSQL",
        "system_prompt": "Ты эксперт",
        "max_tokens": 3000,
        "temperature": 0.3,
    }
    events = streamed(api, f"/api/threads/{thread['id']}/stream", body, use_context="true", timeout=120)
    assert [name for name, _ in events if name != "delta"] == ["connected", "done"]
    assert differences(events[0][1], {"thread_id": 1, "user_message_id": 1}) == []
    assert differences(events[-1][1], DONE) == []


def test_a_stream_is_stopped(hub: Hub, api: httpx.Client, thread: dict[str, Any]) -> None:
    hub.openai.when("никогда не кончается", Script(chunks=["one ", "two "], hang_after=2))
    body = {"content": "Это никогда не кончается"}
    with api.stream("POST", f"/api/threads/{thread['id']}/stream", json=body) as answer:
        lines = answer.iter_lines()
        for line in lines:
            if line.startswith("data") and "two" in line:
                break
        with bearer(hub.url, EMAIL) as another:
            another.headers["Accept-Language"] = "ru"
            stopped = another.post(f"/api/threads/{thread['id']}/stream/stop")
        assert taken(stopped, 200, {"success": True, "message": "x"})["message"] == "Генерация прервана"
        (name, done), *_ = events_of(lines)[-1:]
    hub.openai.release()
    assert (name, done["finish_reason"]) == ("done", "stopped")
    assert api.get(f"/api/threads/{thread['id']}").json()["messages"][-1]["content"] == "one two "


# --- the library ---


def test_categories_are_kept(api: httpx.Client, category: dict[str, Any]) -> None:
    assert category in taken(api.get("/api/categories/"), 200, [shapes.CATEGORY])
    change = {"name": "Машинное обучение", "description": "Проекты по ML", "color": "#800080"}
    changed = taken(api.put(f"/api/categories/{category['id']}", json=change), 200, shapes.CATEGORY)
    assert {name: changed[name] for name in change} == change
    assert api.delete(f"/api/categories/{category['id']}").status_code == 204
    taken(api.delete(f"/api/categories/{category['id']}"), 404, shapes.ERROR)


def test_prompts_are_kept_and_found(api: httpx.Client, category: dict[str, Any]) -> None:
    body = {
        "title": "План исследования рынка",
        "content": "Опиши аудиторию продукта {название_продукта}",
        "description": "Для маркетинга",
        "category_id": category["id"],
        "is_favorite": True,
    }
    made = taken(api.post("/api/prompts/", json=body), 201, shapes.PROMPT)
    assert taken(api.get(f"/api/prompts/{made['id']}"), 200, shapes.PROMPT) == made
    wanted = {
        "skip": 0,
        "limit": 100,
        "category_id": category["id"],
        "is_favorite": "true",
        "search": "аудиторию",
    }
    assert taken(api.get("/api/prompts/", params=wanted), 200, [shapes.PROMPT]) == [made]
    change = {**body, "title": "Улучшенный план", "content": "Разработай план по теме {тема}"}
    changed = taken(api.put(f"/api/prompts/{made['id']}", json=change), 200, shapes.PROMPT)
    assert {name: changed[name] for name in change} == change
    assert api.delete(f"/api/prompts/{made['id']}").status_code == 204
    taken(api.get(f"/api/prompts/{made['id']}"), 404, shapes.ERROR)


# --- models, usage, direct calls ---


def test_models_are_listed_with_prices(api: httpx.Client) -> None:
    found = taken(api.get("/api/models/available"), 200, {"models": [shapes.MODEL]})["models"]
    by_name = {(each["provider"], each["id"]): each for each in found}
    priced = by_name["openai", "gpt-4o"]
    assert differences(priced["pricing"], {"input": 10.0, "output": 30.0}) == []
    assert {"description", "max_tokens"} <= set(priced)


def test_preferences_are_kept(api: httpx.Client) -> None:
    body = {
        "provider": "anthropic",
        "model": "claude-3-opus",
        "max_tokens": 2000,
        "temperature": 0.5,
        "system_prompt": "Ты копирайтер",
        "is_default": True,
    }
    made = taken(api.post("/api/models/preferences", json=body), 201, shapes.PREFERENCE)
    assert made in taken(api.get("/api/models/preferences"), 200, [shapes.PREFERENCE])
    by_provider = taken(api.get("/api/models/preferences/default"), 200, {"anthropic": shapes.PREFERENCE})
    assert by_provider["anthropic"] == made
    change = {
        "max_tokens": 4000,
        "temperature": 0.3,
        "system_prompt": "Ты научный консультант",
        "is_default": True,
    }
    path = f"/api/models/preferences/{made['id']}"
    changed = taken(api.put(path, json=change), 200, shapes.PREFERENCE)
    assert {name: changed[name] for name in change} == change
    assert api.delete(path).status_code == 204
    taken(api.delete(path), 404, shapes.ERROR)


def test_a_completion_belongs_to_no_thread_and_counts(api: httpx.Client) -> None:
    before = taken(api.get("/api/statistics/summary"), 200, shapes.SUMMARY)["all_time"]
    threads = len(api.get("/api/threads/").json())
    body = {
        "provider": "openai",
        "model": "gpt-4o",
        "prompt": "Стихи о весне",
        "max_tokens": 1500,
        "temperature": 0.8,
        "system_prompt": "Ты поэт",
    }
    made = taken(api.post("/api/threads/completion", json=body), 200, shapes.COMPLETION)
    assert made["text"] == "Hello, world!"
    after = api.get("/api/statistics/summary").json()["all_time"]
    assert after["requests"] - before["requests"] == 1
    assert after["tokens"] - before["tokens"] == made["tokens"]["total_tokens"]
    assert len(api.get("/api/threads/").json()) == threads


def test_tokens_are_counted(api: httpx.Client) -> None:
    body = {"provider": "openai", "model": "gpt-4o", "text": "Основные темы романа"}
    found = taken(api.post("/api/threads/token-count", json=body), 200, shapes.COUNT)
    assert found["token_count"] > 0


def test_usage_adds_up(api: httpx.Client, thread: dict[str, Any]) -> None:
    assert api.post(f"/api/threads/{thread['id']}/send", json={"content": "Считай"}).status_code == 200
    found = taken(api.get("/api/statistics/usage"), 200, shapes.USAGE)
    for part in ("daily_usage", "model_usage", "provider_summary"):
        assert sum(each["requests"] for each in found[part]) == found["total_requests"]
        assert sum(each["tokens"] for each in found[part]) == found["total_tokens"]
    day = {"start_date": "2024-02-16", "end_date": "2024-03-16"}
    empty = api.get("/api/statistics/usage", params=day).json()
    assert (empty["start_date"], empty["end_date"], empty["total_requests"]) == (*day.values(), 0)
    savings = taken(api.get("/api/statistics/summary"), 200, shapes.SUMMARY)["savings"]
    month = api.get("/api/statistics/summary").json()["current_month"]["cost"]
    assert savings["vs_subscription"] == pytest.approx(20 - month)


# --- errors ---


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/api/threads/", {"title": "No model"}, 400, "validation"),
        ("GET", "/api/threads/999999", None, 404, "not_found"),
        ("GET", "/api/threads/0", None, 404, "not_found"),
        ("GET", "/api/nothing-here", None, 404, "not_found"),
        ("POST", "/api/threads/999999/send", {"content": "?"}, 404, "not_found"),
        (
            "POST",
            "/api/threads/completion",
            {"provider": "gigachat", "model": "GigaChat", "prompt": "?"},
            400,
            "api_key_not_found",
        ),
        (
            "POST",
            "/api/threads/completion",
            {"provider": "nobody", "model": "x", "prompt": "?"},
            404,
            "not_found",
        ),
    ],
)
def test_errors_have_the_documented_object(
    api: httpx.Client, method: str, path: str, body: Any, status: int, kind: str
) -> None:
    for language in ("en", "ru"):
        answer = api.request(method, path, json=body, headers={"Accept-Language": language})
        found = taken(answer, status, shapes.ERROR)
        assert found["error_type"] == kind
        russian = any("а" <= letter.lower() <= "я" for letter in found["error_message"])
        assert russian is (language == "ru"), found["error_message"]


def test_without_a_token_nobody_gets_in(hub: Hub) -> None:
    with httpx.Client(base_url=hub.url) as client:
        found = taken(client.get("/api/threads/"), 401, shapes.ERROR)
        assert found["error_type"] == "unauthorized"


@pytest.mark.parametrize(
    ("script", "status", "kind"),
    [("rate_limit", 429, "rate_limit"), ("no_balance", 400, "billing"), ("too_long", 400, "invalid_context")],
)
def test_what_a_provider_refuses_has_its_documented_type(
    hub: Hub, api: httpx.Client, thread: dict[str, Any], script: str, status: int, kind: str
) -> None:
    from tests.fakes import openai_server

    # As often as the hub asks again.
    hub.openai.when(f"refuse with {script}", getattr(openai_server, script)())
    answer = api.post(f"/api/threads/{thread['id']}/send", json={"content": f"refuse with {script}"})
    assert taken(answer, status, shapes.ERROR)["error_type"] == kind
