"""Provider keys over REST: as documented, masked everywhere, one's own alone."""

import logging

import pytest
from starlette.testclient import TestClient

from core.services import Services
from tests.api.conftest import bearer_with, send
from tests.support.databases import on_both_databases

pytestmark = on_both_databases

KEY = "sk-ant-api-key-123456789"
OTHER = "sk-new-api-key-987654321"
NEW = {"provider": "anthropic", "api_key": KEY, "name": "Claude API Key", "is_active": True}
FIELDS = {
    "id",
    "user_id",
    "provider",
    "api_key",
    "name",
    "is_active",
    "created_at",
    "updated_at",
    "base_url",
    "options",
}


def stored(hub: Services, key: dict[str, object]) -> str:
    """The key itself, as a call would use it."""
    _provider, credential = hub.keys.credential_of(int(str(key["user_id"])), int(str(key["id"])))
    return credential.api_key


def test_the_documented_life_of_a_key(hub: Services, ann: TestClient) -> None:
    answer = ann.post("/api/api-keys/", json=NEW)
    made = answer.json()
    assert answer.status_code == 201
    assert set(made) == FIELDS
    assert made["user_id"] == ann.get("/api/users/me").json()["id"]
    assert (made["provider"], made["name"], made["is_active"]) == ("anthropic", "Claude API Key", True)
    assert made["api_key"] == "sk-ant****89"
    assert made["created_at"] == made["updated_at"]
    assert ann.get("/api/api-keys/").json() == [made]
    assert ann.get(f"/api/api-keys/{made['id']}").json() == made
    sent = {"name": "Updated Key Name", "api_key": OTHER, "is_active": False}
    changed = ann.put(f"/api/api-keys/{made['id']}", json=sent)
    assert changed.status_code == 200
    now = changed.json()
    assert now["updated_at"] > made["updated_at"]
    expected = {"name": "Updated Key Name", "api_key": "sk-new****21", "is_active": False}
    assert now == {**made, **expected, "updated_at": now["updated_at"]}
    assert stored(hub, made) == OTHER
    gone = ann.delete(f"/api/api-keys/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert ann.get("/api/api-keys").json() == []
    assert ann.get(f"/api/api-keys/{made['id']}").status_code == 404


def test_only_what_is_sent_changes(hub: Services, ann: TestClient) -> None:
    made = ann.post("/api/api-keys", json=NEW).json()
    nothing = {"api_key": None, "name": None, "is_active": None}
    for sent in ({}, nothing, {"name": "other"}, {"is_active": False}):
        now = ann.put(f"/api/api-keys/{made['id']}", json=sent).json()
        said = {name: value for name, value in sent.items() if value is not None}
        assert now == {**made, **said, "updated_at": now["updated_at"]}
        made = now
    assert stored(hub, made) == KEY


def test_the_masked_key_sent_back_leaves_the_stored_one(hub: Services, ann: TestClient) -> None:
    made = ann.post("/api/api-keys", json=NEW).json()
    now = ann.put(f"/api/api-keys/{made['id']}", json={**made, "name": "New name"}).json()
    assert (now["name"], now["api_key"]) == ("New name", made["api_key"])
    assert stored(hub, made) == KEY


def test_a_change_happens_as_a_whole_or_not_at_all(hub: Services, ann: TestClient) -> None:
    made = ann.post("/api/api-keys", json=NEW).json()
    for bad in ({"api_key": "sk-other****999"}, {"api_key": "two words"}, {"api_key": " "}):
        refused = ann.put(f"/api/api-keys/{made['id']}", json={"name": "x", "is_active": False, **bad})
        assert (refused.status_code, refused.json()["error"]) == (400, True)
    refused = ann.put(f"/api/api-keys/{made['id']}", json={"name": " ", "api_key": OTHER})
    assert (refused.status_code, refused.json()["error_type"]) == (400, "validation")
    assert ann.get(f"/api/api-keys/{made['id']}").json() == made
    assert stored(hub, made) == KEY


def test_an_inactive_key_is_kept_and_not_used(hub: Services, ann: TestClient) -> None:
    made = ann.post("/api/api-keys", json={**NEW, "is_active": False}).json()
    assert made["is_active"] is False
    assert hub.keys.credential(made["user_id"], "anthropic") is None
    ann.put(f"/api/api-keys/{made['id']}", json={"is_active": True})
    used = hub.keys.credential(made["user_id"], "anthropic")
    assert used is not None
    assert used.api_key == KEY


def test_an_address_and_options_go_along(ann: TestClient) -> None:
    local = {"provider": "local", "api_key": "abc123abc123", "base_url": "http://127.0.0.1:9/v1/"}
    made = ann.post("/api/api-keys", json=local)
    assert (made.status_code, made.json()["base_url"]) == (201, "http://127.0.0.1:9/v1")
    # No name: it is called after its provider.
    assert made.json()["name"]
    client_id, secret = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
    options = {"client_id": client_id, "scope": "GIGACHAT_API_CORP"}
    giga = ann.post("/api/api-keys", json={"provider": "gigachat", "api_key": secret, "options": options})
    assert (giga.status_code, giga.json()["options"]) == (201, {"scope": "GIGACHAT_API_CORP"})


REFUSED: list[tuple[dict[str, object], int]] = [
    ({"provider": "nobody"}, 404),
    ({"provider": "\x00"}, 404),
    ({"provider": "demo"}, 400),
    ({"provider": ""}, 400),
    ({"provider": 7}, 400),
    ({"api_key": ""}, 400),
    ({"api_key": None}, 400),
    ({"api_key": "sk-ABC1234****XYZ"}, 400),
    ({"api_key": "k\x00ey-of-no-use"}, 400),
    ({"api_key": "key-\ud800-of-no-use"}, 400),
    ({"api_key": "x" * 8_001}, 400),
    ({"api_key": ["x"]}, 400),
    ({"name": "x" * 101}, 400),
    ({"name": 7}, 400),
    ({"is_active": "perhaps"}, 400),
    ({"base_url": "ftp://x"}, 400),
    ({"base_url": "http://me:pw@127.0.0.1/v1"}, 400),
    ({"options": {"scope": "x"}}, 400),
    ({"options": {"scope": 7}}, 400),
    ({"options": []}, 400),
]


def test_what_cannot_be_a_key_is_refused(ann: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    for changes, status in REFUSED:
        with caplog.at_level(logging.DEBUG):
            answer = send(ann, "POST", "/api/api-keys", {**NEW, **changes})
        assert answer.status_code == status, (changes, answer.text)
        assert answer.json()["error_message"]
        assert KEY not in answer.text
    assert KEY not in caplog.text
    assert ann.get("/api/api-keys").json() == []


def test_a_key_stands_in_no_answer_and_no_log(ann: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made = ann.post("/api/api-keys", json=NEW)
        path = f"/api/api-keys/{made.json()['id']}"
        answers = [made, ann.get("/api/api-keys"), ann.get(path), ann.put(path, json={"api_key": OTHER})]
        answers += [ann.put(path, json={"api_key": OTHER, "name": ""}), ann.delete(path)]
    shown = caplog.text + "".join(each.text for each in answers)
    assert KEY not in shown
    assert OTHER not in shown


def test_anothers_key_looks_like_none(hub: Services, ann: TestClient, bob: TestClient) -> None:
    made = ann.post("/api/api-keys", json=NEW).json()
    for number in (made["id"], 999_999, 2**63 - 1):
        for method, body in (("GET", None), ("PUT", {"name": "mine"}), ("DELETE", None)):
            refused = bob.request(method, f"/api/api-keys/{number}", json=body)
            assert (refused.status_code, refused.json()["error_type"]) == (404, "not_found")
            assert refused.json() == bob.request(method, "/api/api-keys/888888", json=body).json()
    assert bob.get("/api/api-keys").json() == []
    assert ann.get(f"/api/api-keys/{made['id']}").json() == made
    assert stored(hub, made) == KEY


def test_a_number_that_is_none(ann: TestClient) -> None:
    for number in ("0", "-1", "x", "1.5", "9" * 30, "9" * 5_000, "%00"):
        assert ann.get(f"/api/api-keys/{number}").status_code == 400, number


def test_nobody_and_a_short_reaching_token_change_nothing(ann: TestClient, nobody: TestClient) -> None:
    made = ann.post("/api/api-keys", json=NEW).json()
    assert nobody.get("/api/api-keys").status_code == 401
    headers = bearer_with(ann, "read", "write", "chat")
    assert nobody.get("/api/api-keys", headers=headers).json() == [made]
    path = f"/api/api-keys/{made['id']}"
    for method, where, body in (("POST", "/api/api-keys", NEW), ("PUT", path, {}), ("DELETE", path, None)):
        refused = nobody.request(method, where, headers=headers, json=body)
        assert (refused.status_code, refused.json()["error_type"]) == (403, "forbidden")


def test_there_is_a_limit_to_keys(ann: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.accounts.keys.MOST_KEYS", 2)
    for _ in range(2):
        assert ann.post("/api/api-keys", json=NEW).status_code == 201
    refused = ann.post("/api/api-keys", json=NEW)
    assert (refused.status_code, refused.json()["error_type"]) == (400, "validation")
