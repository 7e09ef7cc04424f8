"""Who may open a WebSocket, and for how long."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from api.chat_socket import conversation
from tests.api.conftest import PASSWORD
from tests.fakes.gemini_server import GeminiServer
from tests.support.socket_talk import closed, heard, path_of, send

FOREIGN = [
    "https://evil.example",
    "http://127.0.0.1:9999",
    "null",
    "http://127.0.0.1.evil.example",
    "http://[x",
]


@pytest.fixture
def path(ann: TestClient, gemini: GeminiServer) -> str:
    """Ann's thread, where it is spoken in."""
    return path_of(ann)


def _signed_in(client: TestClient) -> dict[str, str]:
    sent = {"email": "ann@example.com", "password": PASSWORD}
    answer = client.post("/api/auth/login", json=sent)
    client.cookies.clear()
    return {"jwt": answer.json()["access_token"], "session": answer.cookies["sessionid"]}


def by_jwt(client: TestClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {_signed_in(client)['jwt']}"}


def by_session(client: TestClient) -> dict[str, str]:
    return {"Authorization": f"Session {_signed_in(client)['session']}"}


def by_personal_token(client: TestClient) -> dict[str, str]:
    made = client.post("/api/tokens", json={"name": "one"}).json()
    return {"Authorization": f"Bearer {made['token']}"}


def by_cookie(client: TestClient) -> dict[str, str]:
    cookie = f"sessionid={_signed_in(client)['session']}"
    return {"Cookie": cookie, "Origin": "http://127.0.0.1", "Host": "127.0.0.1"}


def test_every_way_to_sign_in(ann: TestClient, nobody: TestClient, path: str) -> None:
    for way in (by_jwt, by_session, by_personal_token, by_cookie):
        with nobody.websocket_connect(path, headers=way(ann)) as socket:
            assert heard(socket)["type"] == "history", way


def test_a_first_message_signs_in(ann: TestClient, nobody: TestClient, path: str) -> None:
    for way in (by_jwt, by_personal_token):
        token = way(ann)["Authorization"].removeprefix("Bearer ")
        with nobody.websocket_connect(path) as socket:
            socket.send_json({"type": "auth", "token": token})
            assert heard(socket)["type"] == "history"
            socket.send_json({"type": "auth", "token": token})
            assert heard(socket)["error_type"] == "validation"


def test_a_page_of_another_host_cannot_use_the_cookie(ann: TestClient, nobody: TestClient, path: str) -> None:
    headers = by_cookie(ann)
    del headers["Origin"]
    for origin in (*FOREIGN, None):
        named = {} if origin is None else {"Origin": origin}
        with (
            pytest.raises(WebSocketDisconnect) as refused,
            nobody.websocket_connect(path, headers=headers | named),
        ):
            pass
        assert refused.value.code == 1008, origin


def test_a_credential_that_is_none_is_refused(nobody: TestClient, path: str) -> None:
    for value in ("Bearer x.y.z", "Session nope", "Basic YTpi", "Bearer", ""):
        with nobody.websocket_connect(path, headers={"Authorization": value}) as socket:
            error = heard(socket)
            assert (error["type"], error["error"], error["error_type"]) == ("error", True, "unauthorized")
            assert closed(socket) == 4401


def test_who_does_not_sign_in_first_is_refused(nobody: TestClient, path: str) -> None:
    for first in (
        '{"type": "text", "content": "Hello"}',
        '{"type": "auth", "token": "x"}',
        '{"type": "auth"}',
        "{",
        "x" * 20_000,
        b"\x00",
    ):
        with nobody.websocket_connect(path) as socket:
            send(socket, first)
            assert heard(socket)["type"] == "error"
            assert closed(socket) == 4401, first


def test_who_says_nothing_is_not_waited_for(
    nobody: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "AUTH_SECONDS", 0.01)
    with nobody.websocket_connect(path) as socket:
        assert heard(socket)["error_type"] == "unauthorized"
        assert closed(socket) == 4401


def test_anothers_thread_is_one_that_does_not_exist(ann: TestClient, bob: TestClient, path: str) -> None:
    errors: list[dict[str, Any]] = []
    for name in (path, "/ws/chat/11111111-2222-4333-8444-555555555555", "/ws/chat/1", "/ws/chat/%00"):
        with bob.websocket_connect(name) as socket:
            errors.append(heard(socket))
            assert closed(socket) == 4404
    assert errors[0]["error_type"] == "not_found"
    assert [errors[0]] * 4 == errors


@pytest.mark.parametrize("gone", ["signed out", "token revoked", "thread deleted"])
def test_what_is_taken_away_while_connected_is_gone_at_once(ann: TestClient, path: str, gone: str) -> None:
    made = ann.post("/api/tokens", json={"name": "one"}).json()
    headers = {"Authorization": f"Bearer {made['token']}"} if gone == "token revoked" else {}
    with ann.websocket_connect(path, headers=headers) as socket:
        heard(socket)
        if gone == "signed out":
            ann.post("/api/auth/logout")
        elif gone == "token revoked":
            ann.delete(f"/api/tokens/{made['id']}")
        else:
            assert ann.delete(f"/api/threads/{path.rpartition('/')[2]}").status_code == 204
        socket.send_json({"type": "text", "content": "Hello"})
        assert heard(socket)["error_type"] == ("not_found" if gone == "thread deleted" else "unauthorized")
        assert closed(socket) == (4404 if gone == "thread deleted" else 4401)


def test_a_token_that_may_only_read_asks_nothing(ann: TestClient, gemini: GeminiServer, path: str) -> None:
    made = ann.post("/api/tokens", json={"name": "one", "scopes": ["read"]}).json()
    with ann.websocket_connect(path, headers={"Authorization": f"Bearer {made['token']}"}) as socket:
        heard(socket)
        for sent in (
            {"type": "text", "content": "Hello"},
            {"type": "image", "mime_type": "image/png"},
            {"type": "stop"},
        ):
            socket.send_json(sent)
            assert heard(socket)["error_type"] == "forbidden"
    other = ann.post("/api/tokens", json={"name": "two", "scopes": ["chat"]}).json()
    with ann.websocket_connect(path, headers={"Authorization": f"Bearer {other['token']}"}) as socket:
        assert heard(socket)["error_type"] == "forbidden"
        assert closed(socket) == 4403
    assert gemini.asked == []
