"""Signing up, in and out; one's profile; personal tokens."""

import pytest
from starlette.testclient import TestClient

from core.services import Services
from tests.api.conftest import PASSWORD, SignUp


def test_the_documented_way_in(nobody: TestClient) -> None:
    person = {"email": "user@example.com", "username": "johndoe", "password": PASSWORD}
    made = nobody.post("/api/users/", json=person)
    assert made.status_code == 201
    assert set(made.json()) == {"id", "email", "username", "is_active", "created_at"}
    assert len(made.json()["created_at"]) == len("2023-04-15T12:20:45.123456")
    by_form = nobody.post("/api/auth/token", data={"username": "USER@example.com", "password": PASSWORD})
    assert by_form.json()["token_type"] == "bearer"
    headers = {"Authorization": f"Bearer {by_form.json()['access_token']}"}
    assert nobody.get("/api/users/me", headers=headers).json() == made.json()


def test_a_session_sets_cookies_that_scripts_cannot_read(ann: TestClient) -> None:
    answer = ann.post("/api/auth/login", json={"email": "ann@example.com", "password": PASSWORD})
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert "HttpOnly" in next(each for each in cookies if each.startswith("sessionid="))
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Session abc", "Basic YTpi"])
def test_without_a_valid_token_nobody_is_let_in(nobody: TestClient, header: str) -> None:
    answer = nobody.get("/api/users/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["error_type"] == "unauthorized"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_signing_out_ends_the_token(ann: TestClient) -> None:
    assert ann.post("/api/auth/logout").status_code == 204
    assert ann.get("/api/users/me").status_code == 401


def test_a_new_password_signs_the_others_out(ann: TestClient) -> None:
    credentials = {"email": "ann@example.com", "password": PASSWORD}
    other = {
        "Authorization": f"Bearer {ann.post('/api/auth/login', json=credentials).json()['access_token']}"
    }
    changed = ann.put("/api/users/me", json={"username": "ann b", "password": "another harbour at dusk"})
    assert (changed.status_code, changed.json()["username"]) == (200, "ann b")
    assert ann.get("/api/users/me").status_code == 200
    assert ann.get("/api/users/me", headers=other).status_code == 401
    assert ann.post("/api/auth/login", json=credentials).status_code == 401


def test_a_profile_takes_no_rights(bob: TestClient) -> None:
    before = bob.get("/api/users/me").json()
    sent = {"id": 1, "user_id": 1, "is_admin": True, "is_active": False, "username": "robert"}
    assert bob.put("/api/users/me", json=sent).json() == {**before, "username": "robert"}


def test_a_token_is_shown_once_and_reaches_as_far_as_its_scopes(ann: TestClient, sign_up: SignUp) -> None:
    made = ann.post("/api/tokens", json={"name": "report", "scopes": ["read"]}).json()
    listed = ann.get("/api/tokens/").json()
    assert [each["id"] for each in listed] == [made["id"]]
    assert made["token"] not in str(listed)
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert ann.get("/api/users/me", headers=bearer).status_code == 200
    refused = ann.put("/api/users/me", headers=bearer, json={"username": "x"})
    assert (refused.status_code, refused.json()["error_type"]) == (403, "forbidden")
    assert sign_up("bob").delete(f"/api/tokens/{made['id']}").status_code == 404
    assert ann.delete(f"/api/tokens/{made['id']}").status_code == 204
    assert ann.get("/api/users/me", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("language", "words"), [("en", "This field is required."), ("ru-RU,ru;q=0.9", "Это поле обязательно")]
)
def test_what_is_wrong_is_said_by_field(nobody: TestClient, language: str, words: str) -> None:
    answer = nobody.post("/api/auth/login", json={"email": "a"}, headers={"Accept-Language": language})
    assert (answer.status_code, answer.json()["error_type"]) == (400, "validation")
    assert f"password: {words}" in answer.json()["error_message"]


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_bodies_that_are_none(nobody: TestClient, body: bytes) -> None:
    answer = nobody.post("/api/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, True)


def test_a_huge_body_is_refused(nobody: TestClient) -> None:
    answer = nobody.post("/api/auth/login", content=(b"x" * 2**20 for _ in range(40)))
    assert answer.status_code == 413
    assert "32 MB" in answer.json()["error_message"]


def test_every_answer_has_an_id(nobody: TestClient) -> None:
    assert len(nobody.get("/api/health").headers["x-request-id"]) == 32
    sent = nobody.get("/api/health", headers={"X-Request-ID": "my-id.1"})
    assert sent.headers["x-request-id"] == "my-id.1"
    assert nobody.get("/api/health", headers={"X-Request-ID": "a b"}).headers["x-request-id"] != "a b"


def test_the_surfaces_have_error_shapes_of_their_own(nobody: TestClient) -> None:
    assert set(nobody.get("/api/nothing").json()) == {"error", "error_message", "error_type"}
    assert set(nobody.get("/api/v1/gemini/nothing/").json()) == {"detail"}
    assert set(nobody.get("/v1/nothing").json()["error"]) == {"message", "type", "param", "code"}


def test_a_deleted_account_is_out_at_once(ann: TestClient, bob: TestClient, hub: Services) -> None:
    user_id = bob.get("/api/users/me").json()["id"]
    hub.personal_data.delete(user_id, PASSWORD)
    assert bob.get("/api/users/me").status_code == 401
    assert ann.get("/api/users/me").status_code == 200
