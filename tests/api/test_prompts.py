"""The prompt library over REST: as documented, one's own alone."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import bearer_with, send
from tests.support.databases import on_both_databases

NEW: dict[str, Any] = {
    "title": "План маркетингового исследования",
    "content": "Проанализируй целевую аудиторию продукта {название_продукта} и предложи стратегию.",
    "description": "Промпт для создания маркетингового плана по продвижению продукта",
    "is_favorite": True,
}
FIELDS = {
    "id",
    "user_id",
    "title",
    "content",
    "description",
    "category_id",
    "is_favorite",
    "created_at",
    "updated_at",
    "category",
}


@pytest.fixture
def shelf(ann: TestClient) -> dict[str, Any]:
    """A category of Ann's."""
    sent = {"name": "Аналитика данных", "description": "Анализ", "color": "#0000FF"}
    return ann.post("/api/categories", json=sent).json()


def titles(client: TestClient, **query: object) -> list[str]:
    answer = client.get("/api/prompts/", params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return [each["title"] for each in answer.json()]


@on_both_databases
def test_the_documented_life_of_a_prompt(ann: TestClient, shelf: dict[str, Any]) -> None:
    answer = ann.post("/api/prompts/", json={**NEW, "category_id": shelf["id"]})
    made = answer.json()
    assert answer.status_code == 201
    assert set(made) == FIELDS
    assert {name: made[name] for name in NEW} == NEW
    category = {name: shelf[name] for name in ("id", "name", "description", "color")}
    assert (made["category_id"], made["category"]) == (shelf["id"], category)
    assert len(made["created_at"]) == len("2024-03-16T14:30:45.123456")
    assert ann.get("/api/prompts/").json() == [made]
    assert ann.get(f"/api/prompts/{made['id']}").json() == made
    sent = {
        "title": "Улучшенный план исследования",
        "content": "Разработай детальный план исследования по теме {тема_исследования}.",
        "description": "Обновленная версия промпта для научных исследований",
        "category_id": None,
        "is_favorite": False,
    }
    changed = ann.put(f"/api/prompts/{made['id']}", json=sent)
    now = changed.json()
    assert changed.status_code == 200
    assert now == {**made, **sent, "category": None, "updated_at": now["updated_at"]}
    assert now["updated_at"] > made["updated_at"]
    gone = ann.delete(f"/api/prompts/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert ann.get(f"/api/prompts/{made['id']}").status_code == 404
    assert ann.get("/api/prompts").json() == []


def test_only_what_is_sent_changes_and_null_takes_away(ann: TestClient, shelf: dict[str, Any]) -> None:
    made = ann.post("/api/prompts", json={**NEW, "category_id": shelf["id"]}).json()
    path = f"/api/prompts/{made['id']}"
    assert ann.put(path, json={}).json() == made
    assert ann.put(path, json={"title": None, "content": None, "is_favorite": None}).json() == made
    for sent in ({"title": "new"}, {"content": "new text"}, {"is_favorite": False}, {"description": None}):
        now = ann.put(path, json=sent).json()
        assert now == {**made, **sent, "updated_at": now["updated_at"]}
        made = now
    now = ann.put(path, json={"category_id": None, "user_id": 99}).json()
    assert now == {**made, "category_id": None, "category": None, "updated_at": now["updated_at"]}


def test_a_list_takes_a_part_and_filters(ann: TestClient, shelf: dict[str, Any]) -> None:
    for number in range(5):
        ann.post("/api/prompts", json={"title": f"p{number}", "content": "Ёлка" if number == 3 else "c"})
    ann.post(
        "/api/prompts",
        json={"title": "filed", "content": "x", "category_id": shelf["id"], "is_favorite": True},
    )
    assert titles(ann) == ["filed", "p4", "p3", "p2", "p1", "p0"]
    assert titles(ann, skip=1, limit=2) == ["p4", "p3"]
    assert titles(ann, skip=100) == []
    assert titles(ann, category_id=shelf["id"]) == ["filed"]
    assert (
        titles(ann, category_id=999_999)
        == titles(ann, category_id=-1)
        == titles(ann, category_id=2**70)
        == []
    )
    assert titles(ann, is_favorite="true") == ["filed"]
    assert len(titles(ann, is_favorite="false")) == 5
    assert titles(ann, search="елка") == ["p3"]
    assert titles(ann, search="P2") == ["p2"]
    assert titles(ann, search="%") == []
    assert titles(ann, search="x", is_favorite="false") == []


def test_a_list_that_is_not_given_a_limit_ends_at_a_hundred(ann: TestClient) -> None:
    for number in range(101):
        assert ann.post("/api/prompts", json={"title": f"{number}", "content": "c"}).status_code == 201
    assert len(titles(ann)) == 100
    assert titles(ann, skip=100) == ["0"]


QUERIES = (
    "skip=-1",
    "skip=x",
    f"skip={2**31}",
    "limit=0",
    "limit=501",
    "limit=1001",
    "limit=9e9",
    "category_id=x",
    "category_id=",
    "is_favorite=perhaps",
    f"search={'x' * 201}",
    f"search={'x' * 10_001}",
)


def test_a_list_cannot_be_asked_for_like_this(ann: TestClient) -> None:
    for query in QUERIES:
        answer = ann.get(f"/api/prompts?{query}")
        assert (answer.status_code, answer.json()["error_type"]) == (400, "validation"), query
    assert ann.get("/api/prompts?search=%00").json() == []


REFUSED: list[dict[str, Any]] = [
    {"title": ""},
    {"title": " \n"},
    {"title": "x" * 201},
    {"title": "\x00"},
    {"title": "\ud800"},
    {"title": 7},
    {"content": ""},
    {"content": " "},
    {"content": "x" * 100_001},
    {"content": "x" * 1_000_001},
    {"content": {"a": 1}},
    {"description": "x" * 2_001},
    {"category_id": "x"},
    {"category_id": 1.5},
    {"category_id": float("nan")},
    {"is_favorite": "perhaps"},
    {"is_favorite": []},
]


def test_what_cannot_be_kept_is_refused_and_changes_nothing(ann: TestClient) -> None:
    made = ann.post("/api/prompts", json=NEW).json()
    path = f"/api/prompts/{made['id']}"
    for bad in REFUSED:
        for method, where in (("POST", "/api/prompts"), ("PUT", path)):
            answer = send(ann, method, where, {**NEW, "title": "other", **bad})
            assert (answer.status_code, answer.json()["error_type"]) == (400, "validation"), bad
    for body in (None, [], {}, {"title": "t"}, {"title": "t", "content": None}):
        assert send(ann, "POST", "/api/prompts", body).status_code == 400, body
    assert ann.get("/api/prompts").json() == [made]


def test_a_category_has_to_be_ones_own(ann: TestClient, bob: TestClient, shelf: dict[str, Any]) -> None:
    made = bob.post("/api/prompts", json=NEW).json()
    for number in (shelf["id"], 999_999, 0, -1, 2**63, 2**70):
        new = bob.post("/api/prompts", json={**NEW, "category_id": number})
        changed = bob.put(f"/api/prompts/{made['id']}", json={"title": "x", "category_id": number})
        for answer in (new, changed):
            assert (answer.status_code, answer.json()["error_type"]) == (404, "not_found"), number
    assert bob.get("/api/prompts").json() == [made]
    assert titles(bob, category_id=shelf["id"]) == []


def test_anothers_prompt_looks_like_none(ann: TestClient, bob: TestClient) -> None:
    made = ann.post("/api/prompts", json=NEW).json()
    for method, body in (("GET", None), ("PUT", {"title": "mine"}), ("DELETE", None)):
        refused = bob.request(method, f"/api/prompts/{made['id']}", json=body)
        missing = bob.request(method, "/api/prompts/888888", json=body)
        assert (refused.status_code, refused.json()) == (404, missing.json())
        assert refused.json()["error_type"] == "not_found"
    assert titles(bob) == titles(bob, search="план") == []
    assert ann.get("/api/prompts").json() == [made]


def test_a_token_needs_the_scope(ann: TestClient, nobody: TestClient) -> None:
    made = ann.post("/api/prompts", json=NEW).json()
    read, write = bearer_with(ann, "read"), bearer_with(ann, "write")
    path = f"/api/prompts/{made['id']}"
    assert nobody.get(path).status_code == 401
    assert nobody.get(path, headers=read).json() == made
    assert nobody.get("/api/prompts", headers=write).status_code == 403
    for method, where in (("POST", "/api/prompts"), ("PUT", path), ("DELETE", path)):
        assert nobody.request(method, where, headers=read, json=NEW).status_code == 403
    assert nobody.delete(path, headers=write).status_code == 204
