"""Sessions and other people's accounts over REST."""

from starlette.testclient import TestClient

from tests.api.conftest import PASSWORD, SignUp, bearer_with


def sign_in(client: TestClient, name: str, agent: str = "another browser") -> dict[str, str]:
    """One more session of somebody, as a header."""
    body = {"email": f"{name}@example.com", "password": PASSWORD}
    answer = client.post("/api/auth/login", json=body, headers={"User-Agent": agent})
    assert answer.status_code == 200, answer.text
    client.cookies.clear()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_one_sees_where_one_is_signed_in_and_signs_out_there(ann: TestClient) -> None:
    other = sign_in(ann, "ann", "Firefox\n/140")
    listed = ann.get("/api/auth/sessions/").json()
    assert len(listed) == 2
    assert set(listed[0]) == {
        "id",
        "user_agent",
        "address",
        "created_at",
        "last_seen_at",
        "expires_at",
        "is_current",
    }
    assert [each["is_current"] for each in listed].count(True) == 1
    there = next(each for each in listed if not each["is_current"])
    assert there["user_agent"].startswith("Firefox")
    gone = ann.delete(f"/api/auth/sessions/{there['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert ann.get("/api/users/me", headers=other).status_code == 401
    assert [each["is_current"] for each in ann.get("/api/auth/sessions").json()] == [True]


def test_no_session_shows_what_proves_it(ann: TestClient) -> None:
    body = {"email": "ann@example.com", "password": PASSWORD}
    answer = ann.post("/api/auth/login", json=body)
    secrets = (answer.json()["access_token"], *(cookie.value for cookie in ann.cookies.jar))
    listed = ann.get("/api/auth/sessions").text
    assert len(secrets) == 3
    for secret in secrets:
        assert secret
        assert secret not in listed


def test_anothers_session_looks_like_none(ann: TestClient, bob: TestClient) -> None:
    theirs = ann.get("/api/auth/sessions").json()[0]["id"]
    for name in (theirs, "0" * 32, "x", "a%00b", "%F0%9F%98%80", "*"):
        refused = bob.delete(f"/api/auth/sessions/{name}")
        assert (refused.status_code, refused.json()["error_type"]) == (404, "not_found"), name
    assert bob.delete(f"/api/auth/sessions/{'x' * 65}").status_code == 400
    assert ann.get("/api/users/me").status_code == 200
    assert len(bob.get("/api/auth/sessions").json()) == 1


def test_signing_out_everywhere_ends_every_session_but_no_token(ann: TestClient, bob: TestClient) -> None:
    other, token = sign_in(ann, "ann"), bearer_with(ann, "read")
    assert ann.post("/api/auth/logout-all").status_code == 204
    for headers in ({}, other):
        assert ann.get("/api/users/me", headers=headers).status_code == 401
    assert ann.get("/api/users/me", headers=token).status_code == 200
    assert bob.get("/api/users/me").status_code == 200


def test_a_token_needs_the_scope(ann: TestClient, nobody: TestClient) -> None:
    short, far = bearer_with(ann, "read", "write", "chat"), bearer_with(ann, "account")
    for method, path in (("GET", "sessions"), ("DELETE", "sessions/x"), ("POST", "logout-all")):
        assert nobody.request(method, f"/api/auth/{path}").status_code == 401
        assert nobody.request(method, f"/api/auth/{path}", headers=short).status_code == 403
    listed = nobody.get("/api/auth/sessions", headers=far).json()
    assert [each["is_current"] for each in listed] == [False], "a token is no session"


def test_an_administrator_switches_accounts_off_and_on(ann: TestClient, bob: TestClient) -> None:
    me, other = ann.get("/api/users/").json()
    assert set(me) == {"id", "email", "username", "is_active", "is_admin", "created_at"}
    assert [(each["username"], each["is_admin"]) for each in (me, other)] == [("ann", True), ("bob", False)]
    assert ann.get("/api/users?skip=1&limit=1").json() == [other]
    assert ann.get("/api/users?skip=2").json() == []
    off = ann.put(f"/api/users/{other['id']}", json={"is_active": False})
    assert (off.status_code, off.json()) == (200, {**other, "is_active": False})
    assert bob.get("/api/users/me").status_code == 401
    body = {"is_active": True, "is_admin": True, "username": "other", "email": "x@example.com"}
    on = ann.put(f"/api/users/{other['id']}", json=body)
    assert on.json() == {**other, "is_active": True, "is_admin": True}
    assert bob.get("/api/users", headers=sign_in(bob, "bob")).status_code == 200


def test_there_is_always_an_administrator_left(ann: TestClient, bob: TestClient) -> None:
    me, other = ann.get("/api/users").json()
    for change in ({"is_admin": False}, {"is_active": False}, {"is_admin": False, "is_active": True}):
        refused = ann.put(f"/api/users/{me['id']}", json=change)
        assert (refused.status_code, refused.json()["error_type"]) == (400, "validation")
    assert ann.get("/api/users").json() == [me, other]
    assert bob.get("/api/users/me").status_code == 200


def test_only_administrators_manage_accounts(ann: TestClient, bob: TestClient, nobody: TestClient) -> None:
    me = ann.get("/api/users/me").json()
    for number in (me["id"], 999_999):
        refused = bob.put(f"/api/users/{number}", json={"is_admin": True})
        assert (refused.status_code, refused.json()["error_type"]) == (403, "forbidden")
    assert bob.get("/api/users").status_code == 403
    assert nobody.get("/api/users").status_code == 401
    assert ann.get("/api/users", headers=bearer_with(ann, "read")).status_code == 403
    for number in (999_999, 2**63 - 1):
        missing = ann.put(f"/api/users/{number}", json={"is_admin": True})
        assert (missing.status_code, missing.json()["error_type"]) == (404, "not_found")
    for number, body in ((me["id"], {"is_admin": "perhaps"}), (0, {}), ("x", {}), (me["id"], None)):
        assert ann.put(f"/api/users/{number}", json=body).status_code == 400
    assert ann.get("/api/users?limit=0").status_code == 400


def test_ones_own_profile_is_still_there(ann: TestClient, sign_up: SignUp) -> None:
    assert ann.put("/api/users/me", json={"username": "anna"}).json()["username"] == "anna"
    assert sign_up("carl").get("/api/users/me").json()["username"] == "carl"
