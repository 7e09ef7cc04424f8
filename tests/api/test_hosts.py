"""Host and Origin: names that are not ours, and pages of other sites."""

import pytest
from pydantic import ValidationError
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from api.app import create_api
from api.hosts import AllowedHosts, SameOrigin
from core.config import Settings


async def anything(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers whatever comes."""
    if scope["type"] == "http":
        await PlainTextResponse("hello")(scope, receive, send)
    else:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("hub.example.com", 200),
        ("HUB.example.com:8501", 200),
        ("hub.example.com.", 200),
        ("localhost:8501", 200),
        ("192.168.1.7:8501", 200),
        ("[fe80::1]:8501", 200),
        ("evil.example", 400),
        ("hub.example.com.evil.example", 400),
        ("evil.example:192", 400),
        ("192.168.1.7.evil.example", 400),
        ("[evil.example]", 400),
        ("", 400),
    ],
)
def test_it_answers_under_addresses_and_its_own_names(host: str, status: int) -> None:
    client = TestClient(AllowedHosts(anything, {"hub.example.com"}))
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == status
    assert (status == 200) == (answer.text == "hello")


def test_a_socket_under_a_foreign_name_is_refused() -> None:
    client = TestClient(AllowedHosts(anything))
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/", headers={"Host": "evil.example"}):
        pass


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8501", 200),
        (None, 200),
        ("http://127.0.0.1:3000", 403),
        ("https://evil.example", 403),
        ("https://127.0.0.1:8501.evil.example", 403),
        ("http://evil.example@127.0.0.1:8501", 403),
        ("null", 403),
        ("http://[", 403),
        ("", 403),
    ],
)
def test_what_a_page_of_another_site_sends_is_refused(origin: str | None, status: int) -> None:
    client = TestClient(SameOrigin(anything), base_url="http://127.0.0.1:8501")
    headers = {} if origin is None else {"Origin": origin}
    assert client.post("/", headers=headers).status_code == status
    assert client.delete("/", headers=headers).status_code == status
    assert client.get("/", headers=headers).status_code == 200
    bearer = {**headers, "Authorization": "Bearer x"}
    assert client.post("/", headers=bearer).status_code == 200


def test_a_port_that_goes_without_saying_is_the_same_origin() -> None:
    client = TestClient(SameOrigin(anything), base_url="https://hub.example.com")
    headers = {"Origin": "https://hub.example.com:443", "Host": "hub.example.com"}
    assert client.post("/", headers=headers).status_code == 200


def test_a_socket_from_another_site_is_refused() -> None:
    client = TestClient(SameOrigin(anything), base_url="http://127.0.0.1:8501")
    own = {"Origin": "http://127.0.0.1:8501", "Host": "127.0.0.1:8501"}
    with client.websocket_connect("/ws", headers=own):
        pass
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/ws", headers={**own, "Origin": "null"}),
    ):
        pass


def test_the_refusal_has_the_shape_of_its_surface() -> None:
    client = TestClient(SameOrigin(create_api()), base_url="http://127.0.0.1:8501")
    foreign = {"Origin": "https://evil.example"}
    assert client.post("/api/auth/login", headers=foreign).json()["error_type"] == "forbidden"
    assert set(client.post("/gemini/send-message/", headers=foreign).json()) == {"success", "error"}
    sessions = client.post("/api/v1/gemini/chat-sessions", headers=foreign)
    assert set(sessions.json()) == {"detail"}


@pytest.mark.parametrize("names", ["http://hub.example.com", "hub:8501", "a b", "*", "hub/path", "-a"])
def test_what_is_no_name_of_a_host_is_refused(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIHUB_ALLOWED_HOSTS", f"hub.example.com, {names}")
    with pytest.raises(ValidationError, match="not the name of a host"):
        Settings()


def test_names_are_listed_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIHUB_ALLOWED_HOSTS", "hub.example.com, hub ,")
    assert Settings().host_names == {"hub.example.com", "hub"}
