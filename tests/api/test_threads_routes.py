"""Threads over HTTP: as documented, for their owner alone."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.aihub.thread_messages import MOST_CHARS
from core.chat.types import NewMessage
from core.providers.types import Role
from core.services import Services
from tests.support.databases import on_both_databases

THREAD = {
    "title": "Анализ данных о продажах за 2023 год",
    "provider": "openai",
    "model": "gpt-4o",
    "category_id": None,
    "is_pinned": False,
    "is_archived": False,
    "initial_message": "Как лучше визуализировать сезонные тренды?",
    "system_prompt": "Ты опытный аналитик данных",
    "max_tokens": 2000,
    "temperature": 0.8,
}
LISTED = {
    "id",
    "uuid",
    "user_id",
    "title",
    "provider",
    "model",
    "category_id",
    "is_pinned",
    "is_archived",
    "created_at",
    "updated_at",
    "last_message_at",
    "message_count",
    "category",
}
MESSAGE = {"id", "thread_id", "role", "content", "tokens", "model", "provider", "meta_data", "created_at"}
NAMES = ("id", "uuid")
BULK = ("bulk-archive", "bulk-delete")
JSON = {"Content-Type": "application/json"}


def make(client: TestClient, title: str | None = "One", **more: Any) -> dict[str, Any]:
    made = client.post("/api/threads/", json={"title": title, "provider": "demo", "model": "demo-1", **more})
    assert made.status_code == 201, made.text
    return made.json()


def titles(client: TestClient, **query: Any) -> list[str]:
    listed = client.get("/api/threads/", params=query)
    assert listed.status_code == 200, listed.text
    return [each["title"] for each in listed.json()]


@on_both_databases
def test_a_thread_is_made_as_documented_and_no_model_is_asked(ann: TestClient, hub: Services) -> None:
    user_id = ann.get("/api/users/me").json()["id"]
    category = hub.categories.create(user_id, "Аналитика данных", color="#0000FF")
    made = ann.post("/api/threads/", json={**THREAD, "category_id": category.id})
    assert made.status_code == 201
    thread = made.json()
    assert set(thread) == LISTED | {"messages"}
    assert {name: thread[name] for name in ("title", "provider", "model", "message_count")} == {
        "title": THREAD["title"],
        "provider": "openai",
        "model": "gpt-4o",
        "message_count": 2,
    }
    assert (thread["user_id"], thread["category_id"]) == (user_id, category.id)
    assert thread["category"]["name"] == "Аналитика данных"
    assert set(thread["category"]) == {
        "id",
        "user_id",
        "name",
        "description",
        "color",
        "created_at",
        "updated_at",
    }
    system, question = thread["messages"]
    assert set(system) == set(question) == MESSAGE
    assert (system["role"], system["content"]) == ("system", THREAD["system_prompt"])
    assert (question["role"], question["content"]) == ("user", THREAD["initial_message"])
    nothing = {"tokens": None, "model": None, "provider": None, "meta_data": {}}
    assert {name: system[name] for name in nothing} == {name: question[name] for name in nothing} == nothing
    assert len(thread["created_at"]) == len("2024-03-16T10:30:45.123456")
    kept = hub.chat.thread(user_id, thread["id"])
    assert (kept.max_tokens, kept.temperature, kept.system_prompt) == (2000, 0.8, THREAD["system_prompt"])
    assert ann.get(f"/api/threads/{thread['id']}").json() == thread


def test_a_thread_without_a_title_is_named_after_its_message(ann: TestClient) -> None:
    assert make(ann, None, initial_message="How do seasons sell?")["title"] == "How do seasons sell?"
    refused = ann.post("/api/threads", json={"provider": "demo", "model": "demo-1"})
    assert (refused.status_code, refused.json()["error_type"]) == (400, "validation")


WRONG: list[dict[str, Any]] = [
    {"provider": None},
    {"provider": "nobody"},
    {"provider": "de\x00mo"},
    {"model": ""},
    {"model": "m" * 201},
    {"title": "   "},
    {"title": "\ud800"},
    {"title": "t" * 201},
    {"title": 7},
    {"initial_message": " \n"},
    {"initial_message": "a" * 500_001},
    {"system_prompt": "a" * 20_001},
    {"max_tokens": 0},
    {"max_tokens": 10**30},
    {"max_tokens": True},
    {"temperature": 2.5},
    {"temperature": "1"},
    {"is_pinned": "yes"},
    {"is_archived": None},
    {"category_id": 0},
    {"category_id": 10**30},
]


def test_what_cannot_be_kept_is_refused_with_a_sentence(ann: TestClient) -> None:
    for wrong in WRONG:
        body = json.dumps({"title": "One", "provider": "demo", "model": "demo-1", **wrong})
        refused = ann.post("/api/threads", content=body, headers=JSON)
        assert (refused.status_code, refused.json()["error_type"]) == (400, "validation"), wrong
        assert refused.json()["error_message"]
    assert titles(ann) == []


def test_numbers_that_are_none_are_refused(ann: TestClient) -> None:
    for number in (b"NaN", b"1e999", b"-Infinity", b"1" * 5_000):
        body = b'{"title": "One", "provider": "demo", "model": "m", "temperature": ' + number + b"}"
        assert ann.post("/api/threads", content=body, headers=JSON).status_code == 400, number
    assert titles(ann) == []


@on_both_databases
def test_nul_bytes_do_not_reach_the_database(ann: TestClient) -> None:
    made = make(ann, "a\x00b", initial_message="c\x00d", system_prompt="e\x00f")
    assert made["title"].replace("\ufffd", "") == "ab"
    assert [each["content"].replace("\ufffd", "") for each in made["messages"]] == ["ef", "cd"]


@on_both_databases
def test_the_list_is_filtered_searched_and_cut_as_documented(ann: TestClient, hub: Services) -> None:
    category = hub.categories.create(ann.get("/api/users/me").json()["id"], "Work")
    make(ann, "First", category_id=category.id)
    make(ann, "Second", is_pinned=True)
    make(ann, "Третья", is_archived=True)
    listed = ann.get("/api/threads/")
    assert [set(each) for each in listed.json()] == [LISTED] * 3
    assert listed.headers["x-total-count"] == "3"
    assert titles(ann) == ["Третья", "Second", "First"]
    assert titles(ann, category_id=category.id) == ["First"]
    assert titles(ann, is_archived="true") == ["Третья"]
    assert titles(ann, is_archived="false") == ["Second", "First"]
    assert titles(ann, is_pinned="true") == ["Second"]
    assert titles(ann, is_pinned="false", is_archived="false") == ["First"]
    assert titles(ann, search="третЬЯ") == ["Третья"]
    assert titles(ann, search="100%_") == []
    part = ann.get("/api/threads", params={"skip": 1, "limit": 1})
    assert [each["title"] for each in part.json()] == ["Second"]
    assert part.headers["x-total-count"] == "3"


def test_a_list_out_of_bounds_is_refused(ann: TestClient) -> None:
    wrong = [
        "skip=-1",
        "skip=99999999999",
        "limit=0",
        "limit=501",
        "limit=x",
        "is_pinned=perhaps",
        "category_id=0",
    ]
    for query in wrong:
        refused = ann.get(f"/api/threads/?{query}")
        assert (refused.status_code, refused.json()["error_type"]) == (400, "validation"), query


@pytest.mark.parametrize("name", NAMES)
def test_a_change_touches_what_is_sent_and_nothing_else(ann: TestClient, hub: Services, name: str) -> None:
    category = hub.categories.create(ann.get("/api/users/me").json()["id"], "Work")
    made = make(ann, "Old", category_id=category.id, system_prompt="Be brief", temperature=0.5)
    address = f"/api/threads/{made[name]}"
    changed = ann.put(address, json={"title": "New", "is_pinned": True}).json()
    assert set(changed) == LISTED | {"messages"}
    expected = {**made, "title": "New", "is_pinned": True, "updated_at": changed["updated_at"]}
    assert changed == expected
    assert changed["updated_at"] > made["updated_at"]
    without = ann.put(address, json={"category_id": None, "system_prompt": None}).json()
    assert (without["category_id"], without["category"], without["title"]) == (None, None, "New")
    assert without["messages"] == []
    assert ann.put(address, json={}).json() == without
    kept = hub.chat.thread(made["user_id"], made["id"])
    assert (kept.system_prompt, kept.temperature) == (None, 0.5)


def test_a_change_that_cannot_be_kept_changes_nothing(ann: TestClient) -> None:
    made = make(ann)
    wrong = [{"title": None}, {"title": ""}, {"is_archived": 3}, {"model": None}, {"provider": "nobody"}]
    for each in wrong:
        refused = ann.put(f"/api/threads/{made['id']}", json={"is_pinned": True, **each})
        assert (refused.status_code, refused.json()["error_type"]) == (400, "validation"), each
    assert ann.get(f"/api/threads/{made['id']}").json() == made


@pytest.mark.parametrize("name", NAMES)
def test_a_deleted_thread_is_gone(ann: TestClient, name: str) -> None:
    address = f"/api/threads/{make(ann)[name]}"
    gone = ann.delete(address)
    assert (gone.status_code, gone.content) == (204, b"")
    assert ann.get(address).status_code == ann.delete(address).status_code == 404
    assert titles(ann) == []


@on_both_databases
def test_several_are_archived_and_deleted_at_once(ann: TestClient) -> None:
    one, two, three = (make(ann, title) for title in ("One", "Two", "Three"))
    ids = [two["id"], one["id"], two["id"]]
    archived = ann.post("/api/threads/bulk-archive", json={"thread_ids": ids})
    assert archived.status_code == 200
    assert [(each["id"], each["is_archived"]) for each in archived.json()] == [
        (two["id"], True),
        (one["id"], True),
    ]
    assert set(archived.json()[0]) == LISTED
    assert titles(ann, is_archived=False) == ["Three"]
    gone = ann.post("/api/threads/bulk-delete/", json={"thread_ids": [one["id"], three["id"], one["uuid"]]})
    assert (gone.status_code, gone.content) == (204, b"")
    assert titles(ann) == ["Two"]


def test_nothing_is_done_with_none(ann: TestClient) -> None:
    make(ann)
    assert ann.post("/api/threads/bulk-archive", json={"thread_ids": []}).json() == []
    assert ann.post("/api/threads/bulk-delete", json={"thread_ids": []}).status_code == 204
    assert titles(ann, is_archived=False) == ["One"]


@on_both_databases
def test_one_that_is_not_ones_own_stops_them_all(ann: TestClient, bob: TestClient) -> None:
    own, others = make(ann), make(bob)
    for verb in BULK:
        for other in (others["id"], others["uuid"], 10**6, 10**40, -1, "x\x00"):
            refused = ann.post(f"/api/threads/{verb}", json={"thread_ids": [own["id"], other]})
            assert (refused.status_code, refused.json()["error_type"]) == (404, "not_found"), other
    assert titles(ann, is_archived=False) == titles(bob, is_archived=False) == ["One"]


def test_ids_that_are_none_are_refused(ann: TestClient) -> None:
    too_many = list(range(1, 1_002))
    wrong: list[Any] = [None, 5, "5", [None], [True], [1.5], [[1]], [""], too_many]
    for verb in BULK:
        for body in ({}, *({"thread_ids": ids} for ids in wrong)):
            refused = ann.post(f"/api/threads/{verb}", json=body)
            assert (refused.status_code, refused.json()["error_type"]) == (400, "validation"), body


@pytest.mark.parametrize("name", NAMES)
def test_another_users_thread_looks_like_none(ann: TestClient, bob: TestClient, name: str) -> None:
    made = make(ann)
    nothing = bob.get("/api/threads/999999")
    assert (nothing.status_code, nothing.json()["error_type"]) == (404, "not_found")
    address = f"/api/threads/{made[name]}"
    answers = [bob.get(address), bob.put(address, json={"title": "Mine"}), bob.delete(address)]
    assert [(each.status_code, each.json()) for each in answers] == [(404, nothing.json())] * 3
    assert titles(bob) == []
    assert ann.get(address).json() == made


def test_another_users_category_looks_like_none(ann: TestClient, bob: TestClient, hub: Services) -> None:
    theirs = hub.categories.create(ann.get("/api/users/me").json()["id"], "Hers").id
    body = {"title": "One", "provider": "demo", "model": "m", "category_id": theirs}
    assert bob.post("/api/threads", json=body).status_code == 404
    made = make(bob)
    assert bob.put(f"/api/threads/{made['id']}", json={"category_id": theirs}).status_code == 404
    assert titles(bob, category_id=theirs) == []
    assert bob.get(f"/api/threads/{made['id']}").json() == made


def test_a_name_that_no_thread_has_is_not_found(ann: TestClient) -> None:
    for name in ("0", "9" * 19, "9" * 40, "nothing", "%00", "-1", "1.5", "²"):
        missing = ann.get(f"/api/threads/{name}")
        assert (missing.status_code, missing.json()["error_type"]) == (404, "not_found"), name
    assert ann.get(f"/api/threads/{'x' * 65}").status_code == 400


def test_a_token_reaches_as_far_as_its_scopes(ann: TestClient) -> None:
    made = make(ann)
    token = ann.post("/api/tokens", json={"name": "reader", "scopes": ["read"]}).json()["token"]
    reader = {"Authorization": f"Bearer {token}"}
    assert ann.get(f"/api/threads/{made['id']}", headers=reader).status_code == 200
    address = f"/api/threads/{made['id']}"
    refused = [
        ann.put(address, headers=reader, json={"title": "x"}),
        ann.delete(address, headers=reader),
        ann.post("/api/threads", headers=reader, json=THREAD),
        ann.post("/api/threads/bulk-delete", headers=reader, json={"thread_ids": [made["id"]]}),
        ann.post(f"{address}/send", headers=reader, json={"content": "Hi"}),
    ]
    assert [each.status_code for each in refused] == [403] * 5


def test_nobody_sees_no_threads(nobody: TestClient) -> None:
    assert nobody.get("/api/threads/").status_code == 401
    assert nobody.post("/api/threads/", json=THREAD).status_code == 401


@on_both_databases
def test_a_long_thread_comes_with_its_last_messages(ann: TestClient, hub: Services) -> None:
    made = make(ann)
    address = f"/api/threads/{made['id']}"
    big = "x" * 500_000
    for _ in range(MOST_CHARS // len(big)):
        assert ann.post(f"{address}/messages", json={"role": "user", "content": big}).status_code == 201
    for number in range(120):
        hub.threads.add_message(made["user_id"], made["id"], NewMessage(Role.ASSISTANT, str(number)))
    full = ann.get(address).json()
    assert full["message_count"] == 140
    assert [each["content"] for each in full["messages"][-120:]] == [str(n) for n in range(120)]
    first = full["messages"][0]["id"]
    earlier = ann.get(f"{address}/messages", params={"before_id": first, "limit": 500}).json()
    assert len(earlier) + len(full["messages"]) == 140
    assert all(each["id"] < first for each in earlier)
