"""Categories over REST: as documented, one's own alone."""

from typing import Any

from starlette.testclient import TestClient

from tests.api.conftest import bearer_with, send

NEW = {
    "name": "Учебные проекты",
    "description": "Треды, связанные с учебными заданиями и проектами",
    "color": "#4B0082",
}


def test_the_documented_life_of_a_category(ann: TestClient) -> None:
    answer = ann.post("/api/categories/", json=NEW)
    made = answer.json()
    assert answer.status_code == 201
    assert set(made) == {"id", "user_id", "name", "description", "color", "created_at", "updated_at"}
    assert {name: made[name] for name in NEW} == NEW
    assert made["created_at"] == made["updated_at"]
    assert len(made["created_at"]) == len("2024-03-16T12:15:30.123456")
    other = ann.post("/api/categories", json={"name": "без цвета"}).json()
    assert (other["description"], other["color"]) == (None, "#808080")
    assert ann.get("/api/categories/").json() == [made, other]
    assert ann.get(f"/api/categories/{made['id']}").json() == made
    sent = {
        "name": "Проекты по машинному обучению",
        "description": "Треды, посвященные проектам и задачам по ML",
        "color": "#800080",
    }
    changed = ann.put(f"/api/categories/{made['id']}", json=sent)
    now = changed.json()
    assert (changed.status_code, now) == (200, {**made, **sent, "updated_at": now["updated_at"]})
    assert now["updated_at"] > made["updated_at"]
    gone = ann.delete(f"/api/categories/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert ann.get(f"/api/categories/{made['id']}").status_code == 404
    assert ann.get("/api/categories").json() == [other]


def test_only_what_is_sent_changes_and_null_takes_away(ann: TestClient) -> None:
    made = ann.post("/api/categories", json=NEW).json()
    path = f"/api/categories/{made['id']}"
    assert ann.put(path, json={}).json() == made
    assert ann.put(path, json={"name": None}).json() == made
    renamed = ann.put(path, json={"name": " new \n name ", "user_id": 99, "id": 7}).json()
    assert renamed == {**made, "name": "new name", "updated_at": renamed["updated_at"]}
    assert ann.put(path, json={"description": None}).json()["description"] is None
    bare = ann.put(path, json={"color": None}).json()
    assert (bare["name"], bare["color"]) == ("new name", "#808080")


REFUSED: list[dict[str, Any]] = [
    {"name": ""},
    {"name": " \t"},
    {"name": "x" * 101},
    {"name": "x" * 20_000},
    {"name": "\x00"},
    {"name": "\ud800"},
    {"name": 7},
    {"name": ["x"]},
    {"description": "x" * 2_001},
    {"description": 1},
    {"color": "red"},
    {"color": "#12345G"},
    {"color": 5},
]


def test_what_cannot_be_kept_is_refused_and_changes_nothing(ann: TestClient) -> None:
    made = ann.post("/api/categories", json=NEW).json()
    path = f"/api/categories/{made['id']}"
    for bad in REFUSED:
        for method, where in (("POST", "/api/categories"), ("PUT", path)):
            answer = send(ann, method, where, {**NEW, "name": "other", **bad})
            assert (answer.status_code, answer.json()["error_type"]) == (400, "validation"), bad
            assert answer.json()["error_message"], bad
    for body in (None, [], "x", {"name": None}, {}):
        assert send(ann, "POST", "/api/categories", body).status_code == 400, body
    assert ann.get("/api/categories").json() == [made]


def test_text_that_a_database_cannot_hold_is_cleaned(ann: TestClient) -> None:
    made = ann.post("/api/categories", json={"name": "a\x00b", "description": "c\x00"}).json()
    assert (made["name"], made["description"]) == ("ab", "c")


def test_anothers_category_looks_like_none(ann: TestClient, bob: TestClient) -> None:
    made = ann.post("/api/categories", json=NEW).json()
    for method, body in (("GET", None), ("PUT", {"name": "mine"}), ("DELETE", None)):
        refused = bob.request(method, f"/api/categories/{made['id']}", json=body)
        missing = bob.request(method, "/api/categories/888888", json=body)
        assert (refused.status_code, refused.json()) == (404, missing.json())
        assert refused.json()["error_type"] == "not_found"
    assert bob.get("/api/categories").json() == []
    assert ann.get("/api/categories").json() == [made]


def test_a_prompt_stays_when_its_category_goes(ann: TestClient) -> None:
    category = ann.post("/api/categories", json=NEW).json()
    prompt = {"title": "t", "content": "c", "category_id": category["id"]}
    made = ann.post("/api/prompts", json=prompt).json()
    ann.delete(f"/api/categories/{category['id']}")
    left = ann.get(f"/api/prompts/{made['id']}").json()
    assert (left["category_id"], left["category"]) == (None, None)


def test_a_token_needs_the_scope(ann: TestClient, nobody: TestClient) -> None:
    made = ann.post("/api/categories", json=NEW).json()
    read, write = bearer_with(ann, "read"), bearer_with(ann, "write")
    path = f"/api/categories/{made['id']}"
    assert nobody.get(path).status_code == 401
    assert nobody.get(path, headers=read).json() == made
    assert nobody.get(path, headers=write).status_code == 403
    assert nobody.put(path, headers=read, json={"name": "x"}).status_code == 403
    assert nobody.delete(path, headers=read).status_code == 403
    assert nobody.post("/api/categories", headers=read, json=NEW).status_code == 403
    assert nobody.put(path, headers=write, json={"name": "x"}).status_code == 200
