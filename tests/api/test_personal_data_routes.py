"""One's own data over REST: taken away whole, deleted for good."""

import io
import json
import zipfile
from typing import Any

from starlette.testclient import TestClient

from core.services import Services
from tests.api.conftest import PASSWORD, bearer_with, send
from tests.support.databases import on_both_databases
from tests.support.store import NOON, call

pytestmark = on_both_databases

KEY = "sk-ant-made-up-key-0123456789"
KINDS = {
    "threads",
    "messages",
    "files",
    "categories",
    "prompts",
    "cached_answers",
    "preferences",
    "usage",
    "usage_imports",
    "budgets",
    "profile",
    "sessions",
    "api_tokens",
    "provider_keys",
}


def lives(hub: Services, client: TestClient, name: str) -> int:
    """Leaves something behind everywhere; gives back the account's number."""
    user_id = client.get("/api/users/me").json()["id"]
    category = client.post("/api/categories", json={"name": f"shelf of {name}"}).json()
    prompt = {"title": f"prompt of {name}", "content": "Привет, {имя}", "category_id": category["id"]}
    client.post("/api/prompts", json=prompt)
    client.post("/api/api-keys", json={"provider": "anthropic", "api_key": KEY, "name": f"key of {name}"})
    preference = {"provider": "demo", "model": "demo", "system_prompt": f"I am {name}"}
    client.post("/api/models/preferences", json=preference)
    with hub.unit.write() as session:
        hub.ledger.record(session, call(user_id=user_id))
    return user_id


def test_everything_of_one_person_comes_as_one_json_document(
    hub: Services, ann: TestClient, bob: TestClient
) -> None:
    lives(hub, ann, "Ann")
    lives(hub, bob, "Bob")
    answer = ann.get("/api/users/me/export/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="aihub-data.json"'
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, list[dict[str, Any]]] = answer.json()
    assert set(found) == KINDS
    filled = {"categories", "prompts", "preferences", "usage", "profile", "sessions", "provider_keys"}
    assert {name: len(records) for name, records in found.items()} == {
        name: 1 if name in filled else 0 for name in KINDS
    }
    assert found["prompts"][0]["content"] == "Привет, {имя}"
    assert found["prompts"][0]["category_id"] == found["categories"][0]["id"]
    for nobodys in ("bob", "Bob", KEY, "argon2", "secret", "hash"):
        assert nobodys not in answer.text, nobodys


def test_the_same_comes_as_a_zip(hub: Services, ann: TestClient) -> None:
    lives(hub, ann, "Ann")
    # A thousand and one rows: more than are in memory at once.
    with hub.unit.write() as session:
        user_id = ann.get("/api/users/me").json()["id"]
        hub.ledger.record_many(session, [call(user_id=user_id) for _ in range(1_000)])
    whole = ann.get("/api/users/me/export").json()
    answer = ann.get("/api/users/me/export", params={"format": "zip"})
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        found = {
            name.removesuffix(".jsonl"): [json.loads(line) for line in archive.read(name).splitlines()]
            for name in archive.namelist()
        }
    assert len(whole["usage"]) == 1_001
    # Each look at the account may have moved the time the session was last seen.
    assert {**found, "sessions": []} == {**whole, "sessions": []}
    assert ann.get("/api/users/me/export?format=xml").status_code == 400


def test_an_account_is_deleted_and_its_figures_stay(hub: Services, ann: TestClient, bob: TestClient) -> None:
    lives(hub, ann, "Ann")
    bobs = lives(hub, bob, "Bob")
    credentials = {"email": "bob@example.com", "password": PASSWORD}
    gone = bob.request("DELETE", "/api/users/me/", json={"password": PASSWORD})
    assert (gone.status_code, gone.content) == (204, b"")
    assert bob.get("/api/users/me").status_code == 401
    assert bob.post("/api/auth/login", json=credentials).status_code == 401
    assert [each["username"] for each in ann.get("/api/users").json()] == ["ann"]
    assert ann.put(f"/api/users/{bobs}", json={"is_active": True}).status_code == 404
    assert hub.usage.report(None, NOON.date(), NOON.date()).total.requests == 2
    assert len(ann.get("/api/prompts").json()) == 1


def test_deletion_asks_for_the_password(ann: TestClient, bob: TestClient) -> None:
    wrong = bob.request("DELETE", "/api/users/me", json={"password": "a wrong guess"})
    assert (wrong.status_code, wrong.json()["error_type"]) == (403, "forbidden")
    for body in (None, {}, {"password": ""}, {"password": None}, {"password": 7}, {"password": "\ud800"}):
        assert send(bob, "DELETE", "/api/users/me", body).status_code == 400, body
    assert bob.request("DELETE", "/api/users/me").status_code == 400
    only = ann.request("DELETE", "/api/users/me", json={"password": PASSWORD})
    assert (only.status_code, only.json()["error_type"]) == (400, "validation"), "the only administrator"
    for client in (ann, bob):
        assert client.get("/api/users/me").status_code == 200


def test_a_token_needs_the_scope(ann: TestClient, nobody: TestClient) -> None:
    short = bearer_with(ann, "read", "write", "chat")
    for method, path in (("GET", "/api/users/me/export"), ("DELETE", "/api/users/me")):
        body = {"password": PASSWORD}
        assert nobody.request(method, path, json=body).status_code == 401
        assert nobody.request(method, path, headers=short, json=body).status_code == 403
