"""Whoever comes in has only what is theirs, and nobody comes in with what is not a key."""

import base64
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

from api.body_limit import MAX_BODY
from core.services import Services
from tests.api.conftest import PASSWORD
from tests.support.databases import on_both_databases

SECRET_KEY = "sk-made-up-for-this-test-0123456789"
THREAD = {"title": "Mine", "provider": "demo", "model": "demo", "initial_message": "Hello"}
# As long as any id that somebody else's could be, and none of theirs.
NOWHERE = 10**12


@pytest.fixture
def owned(ann: TestClient) -> dict[str, Any]:
    """One of each thing, all of them ann's."""
    category = ann.post("/api/categories", json={"name": "Shelf", "color": "#112233"}).json()
    thread = ann.post("/api/threads", json=THREAD).json()
    prompt = ann.post("/api/prompts", json={"title": "P", "content": "C"}).json()
    key = ann.post("/api/api-keys", json={"provider": "openai", "api_key": SECRET_KEY, "name": "K"}).json()
    preference = ann.post("/api/models/preferences", json={"provider": "demo", "model": "demo"}).json()
    token = ann.post("/api/tokens", json={"name": "T"}).json()
    made = {
        "category": category,
        "thread": thread,
        "prompt": prompt,
        "key": key,
        "preference": preference,
        "token": token,
    }
    assert all("id" in each for each in made.values()), made
    return made


# What each route of somebody else's thing is asked; `{…}` is the id.
ROUTES = [
    ("GET", "/api/threads/{thread}", None),
    ("PUT", "/api/threads/{thread}", {"title": "Taken"}),
    ("DELETE", "/api/threads/{thread}", None),
    ("GET", "/api/threads/{thread}/messages", None),
    ("POST", "/api/threads/{thread}/messages", {"role": "user", "content": "x"}),
    ("POST", "/api/threads/{thread}/send", {"content": "x"}),
    ("POST", "/api/threads/{thread}/stream", {"content": "x"}),
    ("GET", "/api/threads/{thread}/stream", None),
    ("POST", "/api/threads/{thread}/stream/stop", None),
    ("POST", "/api/threads/bulk-delete", {"thread_ids": ["{thread}"]}),
    ("POST", "/api/threads/bulk-archive", {"thread_ids": ["{thread}"]}),
    ("PUT", "/api/categories/{category}", {"name": "Taken"}),
    ("DELETE", "/api/categories/{category}", None),
    ("GET", "/api/prompts/{prompt}", None),
    ("PUT", "/api/prompts/{prompt}", {"title": "Taken"}),
    ("DELETE", "/api/prompts/{prompt}", None),
    ("PUT", "/api/api-keys/{key}", {"name": "Taken"}),
    ("DELETE", "/api/api-keys/{key}", None),
    ("PUT", "/api/models/preferences/{preference}", {"temperature": 0.1}),
    ("DELETE", "/api/models/preferences/{preference}", None),
    ("DELETE", "/api/tokens/{token}", None),
    ("POST", "/api/threads", {**THREAD, "category_id": "{category}"}),
    ("POST", "/api/prompts", {"title": "P", "content": "C", "category_id": "{category}"}),
]


def _asked(client: TestClient, method: str, path: str, body: Any, ids: dict[str, int]) -> Any:
    filled = path.format(**ids)
    text = json.dumps(body)
    for name, number in ids.items():
        text = text.replace(f'"{{{name}}}"', str(number))
    answer = client.request(method, filled, json=json.loads(text) if body is not None else None)
    return answer.status_code, answer.json() if answer.content else None


def test_what_is_anothers_is_as_what_does_not_exist(owned: dict[str, Any], bob: TestClient) -> None:
    theirs = {name: each["id"] for name, each in owned.items()}
    for method, path, body in ROUTES:
        found = _asked(bob, method, path, body, theirs)
        assert found[0] == 404, (path, found)
        assert found == _asked(bob, method, path, body, dict.fromkeys(theirs, NOWHERE)), path


def test_nothing_of_anothers_is_in_a_list(owned: dict[str, Any], bob: TestClient, ann: TestClient) -> None:
    lists = ("threads", "categories", "prompts", "api-keys", "models/preferences", "tokens")
    assert [bob.get(f"/api/{each}").json() for each in lists] == [[]] * len(lists)
    assert all(len(ann.get(f"/api/{each}").json()) == 1 for each in lists)
    assert bob.get("/api/models/preferences/default").json() == {}
    assert bob.get("/api/threads", params={"category_id": owned["category"]["id"]}).json() in ([], None)


def test_a_bulk_with_one_of_anothers_does_nothing(
    owned: dict[str, Any], bob: TestClient, ann: TestClient
) -> None:
    mine = bob.post("/api/threads", json=THREAD).json()["id"]
    both = {"thread_ids": [mine, owned["thread"]["id"]]}
    for path in ("bulk-delete", "bulk-archive"):
        assert bob.post(f"/api/threads/{path}", json=both).status_code == 404
    assert bob.get(f"/api/threads/{mine}").json()["is_archived"] is False
    assert ann.get(f"/api/threads/{owned['thread']['id']}").status_code == 200


def test_anothers_conversation_is_closed_to_sessions_too(
    owned: dict[str, Any], bob: TestClient, nobody: TestClient
) -> None:
    assert bob.get("/api/users/me").status_code == 200
    answer = nobody.post("/api/auth/login", json={"email": "bob@example.com", "password": PASSWORD})
    headers = {"Authorization": f"Session {answer.cookies['sessionid']}"}
    nobody.cookies.clear()
    for number in (owned["thread"]["id"], NOWHERE):
        base = f"/api/v1/gemini/chat-sessions/{number}"
        statuses = [
            nobody.get(base, headers=headers).status_code,
            nobody.delete(base, headers=headers).status_code,
            nobody.post(f"{base}/send_message", json={"content": "x"}, headers=headers).status_code,
            nobody.post(
                f"/gemini/sessions/{number}/update-title", json={"title": "x"}, headers=headers
            ).status_code,
            nobody.post(
                "/gemini/send-message", json={"session_id": number, "message": "x"}, headers=headers
            ).status_code,
        ]
        assert statuses == [404] * len(statuses)


# --- tokens ---


def _claims(client: TestClient) -> dict[str, Any]:
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False})


def _unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts]
    return ".".join((*encoded, ""))


def test_a_token_that_is_not_ours_or_no_more_opens_nothing(ann: TestClient, nobody: TestClient) -> None:
    claims = _claims(ann)
    good = ann.headers["Authorization"].removeprefix("Bearer ")
    head, body, signature = good.split(".")
    forged = [
        _unsigned(claims),
        jwt.encode(claims, "a guess that is as long as a key has to be", "HS256"),
        jwt.encode({**claims, "exp": datetime.now(UTC) - timedelta(1)}, "x" * 32, "HS256"),
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{body}.",
        f"{head}.{body}",
        good[:-1],
    ]
    for token in forged:
        answer = nobody.get("/api/users/me", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["error_type"]) == (401, "unauthorized"), token
    assert ann.get("/api/users/me").status_code == 200


def test_a_revoked_token_opens_nothing(ann: TestClient) -> None:
    # Asked once before, so that nothing is remembered of it.
    made = ann.post("/api/tokens", json={"name": "T"}).json()
    header = {"Authorization": f"Bearer {made['token']}"}
    assert ann.get("/api/threads", headers=header).status_code == 200
    assert ann.delete(f"/api/tokens/{made['id']}").status_code == 204
    assert ann.get("/api/threads", headers=header).status_code == 401
    assert ann.get("/api/threads").status_code == 200
    assert ann.post("/api/auth/logout").status_code == 204
    assert ann.get("/api/threads").status_code == 401


def test_each_header_takes_its_own_secret_only(ann: TestClient, nobody: TestClient) -> None:
    answer = nobody.post("/api/auth/login", json={"email": "ann@example.com", "password": PASSWORD})
    secret, token = answer.cookies["sessionid"], answer.json()["access_token"]
    nobody.cookies.clear()

    def status(path: str, header: str) -> int:
        return nobody.get(path, headers={"Authorization": header}).status_code

    aihub, app = "/api/threads", "/api/v1/gemini/chat-sessions"
    assert [status(aihub, f"Bearer {token}"), status(app, f"Session {secret}")] == [200, 200]
    assert [status(aihub, f"Bearer {secret}"), status(aihub, f"Session {secret}")] == [401, 401]
    assert [status(app, f"Bearer {token}"), status(app, f"Session {token}")] == [401, 401]


def test_a_cookie_alone_opens_nothing_of_aihub(ann: TestClient, nobody: TestClient) -> None:
    nobody.post("/api/auth/login", json={"email": "ann@example.com", "password": PASSWORD})
    assert "sessionid" in nobody.cookies
    assert nobody.get("/api/threads").status_code == 401


@pytest.mark.parametrize("token", ["", "wrong", "null"])
def test_a_cookie_changes_nothing_without_its_csrf_token(
    ann: TestClient, nobody: TestClient, token: str
) -> None:
    nobody.post("/api/auth/login", json={"email": "ann@example.com", "password": PASSWORD})
    for method, path in (
        ("POST", "/api/v1/gemini/chat-sessions"),
        ("POST", "/gemini/send-message"),
        ("POST", "/gemini/test-api-key"),
    ):
        answer = nobody.request(method, path, json={"title": "x"}, headers={"X-CSRFToken": token})
        assert answer.status_code == 403, (path, answer.text)


def test_a_csrf_token_of_another_session_is_none(
    ann: TestClient, bob: TestClient, nobody: TestClient
) -> None:
    assert bob.get("/api/users/me").status_code == 200
    nobody.post("/api/auth/login", json={"email": "bob@example.com", "password": PASSWORD})
    of_bob = nobody.cookies["csrftoken"]
    nobody.cookies.clear()
    nobody.post("/api/auth/login", json={"email": "ann@example.com", "password": PASSWORD})
    answer = nobody.post("/api/v1/gemini/chat-sessions", json={"title": "x"}, headers={"X-CSRFToken": of_bob})
    assert answer.status_code == 403


def test_guessing_passwords_is_slowed_down(ann: TestClient, nobody: TestClient) -> None:
    wrong = {"email": "ann@example.com", "password": "a guess"}
    statuses = [nobody.post("/api/auth/login", json=wrong) for _ in range(12)]
    assert statuses[0].status_code == 401
    assert statuses[-1].status_code == 429
    assert int(statuses[-1].headers["Retry-After"]) > 0
    # Who is in stays in.
    assert ann.get("/api/users/me").status_code == 200


# --- what is sent ---

NASTY = ("' OR 1=1 --", "%' ESCAPE '!' --", "\x00", "\ud800", "a\r\nSet-Cookie: x=y", "{{7*7}}", "😀" * 10)


@on_both_databases
@pytest.mark.parametrize("text", NASTY)
def test_a_search_is_only_a_search(owned: dict[str, Any], ann: TestClient, text: str) -> None:
    assert owned
    for path in ("/api/threads", "/api/prompts"):
        answer = ann.get(path, params={"search": text.encode("utf-8", "surrogatepass")})
        assert answer.status_code in (200, 400), answer.text
        assert answer.status_code == 400 or answer.json() == []


@on_both_databases
@pytest.mark.parametrize("text", NASTY)
def test_a_title_is_kept_as_text_or_refused(ann: TestClient, text: str) -> None:
    body = json.dumps({**THREAD, "title": text})
    made = ann.post("/api/threads", content=body, headers={"Content-Type": "application/json"})
    assert made.status_code in (201, 400), made.text
    if made.status_code == 201:
        kept = made.json()["title"]
        assert ann.get(f"/api/threads/{made.json()['id']}").json()["title"] == kept
        assert "\x00" not in kept


def test_a_header_cannot_be_written_through_a_request_id(ann: TestClient) -> None:
    answer = ann.get("/api/users/me", headers={"X-Request-ID": "x; Set-Cookie: a=b"})
    assert answer.headers["x-request-id"] != "x; Set-Cookie: a=b"
    assert "set-cookie" not in answer.headers


BODIES = [b"", b"null", b"[]", b'"x"', b"{", b"1e999", b'{"title": null}', b"\xff\xfe", b"[" * 5_000, b"{}"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/threads",
        "/api/threads/completion",
        "/api/prompts",
        "/api/categories",
        "/api/api-keys",
        "/api/models/preferences",
        "/api/auth/login",
        "/api/threads/bulk-delete",
        "/api/tokens",
        "/v1/chat/completions",
        "/v1/embeddings",
    ],
)
def test_a_body_that_is_none_is_refused_in_words(ann: TestClient, path: str) -> None:
    for body in BODIES:
        answer = ann.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, (body[:20], answer.text)
        error = answer.json()
        said = error["error"]["message"] if path.startswith("/v1") else error["error_message"]
        assert said


def test_a_huge_body_is_refused(ann: TestClient) -> None:
    answer = ann.post("/api/threads", content=b"x" * (MAX_BODY + 1))
    assert answer.status_code == 413
    assert answer.json()["error"] is True


def test_whose_a_thing_is_cannot_be_sent(ann: TestClient, bob: TestClient) -> None:
    mine, theirs = (each.get("/api/users/me").json()["id"] for each in (bob, ann))
    extra = {"id": 77, "user_id": theirs, "is_admin": True, "created_at": "2000-01-01T00:00:00"}
    for path, body in (
        ("/api/threads", THREAD),
        ("/api/prompts", {"title": "P", "content": "C"}),
        ("/api/categories", {"name": "N", "color": "#112233"}),
        ("/api/api-keys", {"provider": "openai", "api_key": SECRET_KEY, "name": "K"}),
        ("/api/models/preferences", {"provider": "demo", "model": "demo"}),
    ):
        made = bob.post(path, json={**body, **extra})
        assert made.status_code == 201, made.text
        assert made.json()["user_id"] == mine
        assert made.json()["created_at"] > "2020"
        changed = bob.put(f"{path}/{made.json()['id']}", json=extra)
        assert changed.json()["user_id"] == mine
    assert bob.get("/api/users").status_code == 403


def test_a_key_of_a_member_does_not_lead_into_the_hubs_network(ann: TestClient, bob: TestClient) -> None:
    inside = {"provider": "openai", "api_key": SECRET_KEY, "name": "K", "base_url": "https://127.0.0.1:9/v1"}
    refused = bob.post("/api/api-keys", json=inside, headers={"Accept-Language": "ru"})
    assert refused.status_code == 403
    assert refused.json()["error_type"] == "forbidden"
    assert "«127.0.0.1» — не публичный сервер" in refused.json()["error_message"]
    assert bob.get("/api/api-keys").json() == []
    assert ann.post("/api/api-keys", json=inside).status_code == 201


def test_a_key_is_never_told(ann: TestClient, hub: Services, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = {"provider": "openai", "api_key": SECRET_KEY, "name": "K"}
    answers = [ann.post("/api/api-keys", json=body)]
    number = answers[0].json()["id"]
    answers += [
        ann.get("/api/api-keys"),
        ann.put(f"/api/api-keys/{number}", json={"name": "N"}),
        ann.put(f"/api/api-keys/{number}", json={"api_key": SECRET_KEY + "\x00"}),
        ann.post("/api/api-keys", json={**body, "provider": "nobody"}),
        ann.post("/api/api-keys", json={**body, "name": None}),
        ann.post("/api/api-keys", json={**body, "api_key": [SECRET_KEY]}),
        ann.get("/api/users/me/export"),
        ann.get("/api/health"),
    ]
    for answer in answers:
        assert SECRET_KEY not in answer.text
        assert SECRET_KEY not in str(answer.headers)
    assert SECRET_KEY not in caplog.text
    assert hub.keys.list(ann.get("/api/users/me").json()["id"])
