"""A thread as a conversation over a WebSocket."""

import base64
import json
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from api.chat_socket import conversation
from api.chat_socket.limits import ABUSE, CONNECTIONS_PER_USER, MAX_FRAME, MESSAGES
from core.services import Services
from core.usage.columns import EVENTS
from core.usage.types import Source
from tests.fakes.gemini_server import GeminiServer, overloaded, usage
from tests.fakes.script import Script
from tests.support.live_api import serving
from tests.support.socket_talk import closed, heard, path_of, send, text_of, until

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(64)
HANGING = Script(chunks=["Once ", "upon ", "a time"], hang_after=2)


@pytest.fixture
def path(ann: TestClient, gemini: GeminiServer) -> str:
    """Ann's thread, where it is spoken in."""
    return path_of(ann)


def send_too_much(socket: ClientConnection) -> None:
    """Until it is refused: on the way, or once it was sent."""
    socket.send(bytes(MAX_FRAME + 1))
    socket.recv(20)


def finish(hub: Services) -> None:
    """Wait until nothing is being written."""
    for generation in list(hub.generation._live.values()):  # the engine's own list
        assert generation.wait(20)


def test_a_question_its_answer_and_what_they_cost(
    ann: TestClient, hub: Services, gemini: GeminiServer, path: str
) -> None:
    gemini.queue(Script(chunks=["Привет", ", мир"], usage=usage(prompt=12, output=5)))
    with ann.websocket_connect(path) as socket:
        assert heard(socket) == {"type": "history", "messages": [], "total": 0, "has_more": False}
        socket.send_json({"type": "text", "content": "Hello"})
        said = until(socket, "assistant_message")
    assert {each["type"] for each in said[1:-1]} == {"delta"}
    question, answer = said[0]["message"], said[-1]["message"]
    assert (said[0]["type"], text_of(said)) == ("user_message", "Привет, мир")
    assert (question["content"], question["sender_type"], question["message_type"]) == (
        "Hello",
        "user",
        "text",
    )
    assert (answer["content"], answer["sender_type"], answer["tokens"]) == ("Привет, мир", "assistant", 5)
    assert answer["processing_time"] >= 0
    assert answer["cost"] == answer["meta_data"]["cost"] > 0
    stored = ann.get(f"/api/threads/{answer['thread_id']}/messages").json()
    assert [
        {name: each[name] for name in old} for each, old in zip((question, answer), stored, strict=True)
    ] == stored
    with hub.unit.read() as session:
        assert list(session.execute(select(EVENTS.c.source)).scalars()) == [Source.API]


def test_history_comes_first_and_in_parts(ann: TestClient, path: str) -> None:
    with ann.websocket_connect(path) as socket:
        heard(socket)
        for number in range(3):
            socket.send_json({"type": "text", "content": f"Question {number}"})
            until(socket, "assistant_message")
    with ann.websocket_connect(path + "/") as socket:
        every = heard(socket)
        assert (len(every["messages"]), every["total"], every["has_more"]) == (6, 6, False)
        ids = [each["id"] for each in every["messages"]]
        socket.send_json({"type": "history", "before_id": ids[4], "limit": 3})
        part = heard(socket)
    assert [each["id"] for each in part["messages"]] == ids[1:4]
    assert (part["total"], part["has_more"]) == (6, True)


@pytest.mark.parametrize("binary", [True, False])
def test_images_and_sound_go_to_the_model(
    ann: TestClient, gemini: GeminiServer, path: str, binary: bool
) -> None:
    with ann.websocket_connect(path) as socket:
        heard(socket)
        for kind, mime, data in (("image", "image/png", PNG), ("audio", "audio/wav", WAV)):
            about = {"type": kind, "mime_type": mime, "content": f"What {kind} is this?"}
            if binary:
                socket.send_json(about)
                socket.send_json({"type": "ping"})
                assert heard(socket) == {"type": "pong"}
                socket.send_bytes(data)
            else:
                socket.send_json({**about, "data": base64.b64encode(data).decode()})
            question = until(socket, "assistant_message")[0]["message"]
            assert (question["message_type"], question["content"]) == (kind, f"What {kind} is this?")
            assert question["attachments"] == [{"name": kind, "mime_type": mime, "size": len(data)}]
            parts = gemini.asked[-1].body["contents"][-1]["parts"]
            (sent,) = (part["inlineData"] for part in parts if "inlineData" in part)
            assert base64.urlsafe_b64decode(sent["data"]) == data


WRONG: list[tuple[str | bytes, str]] = [
    ("", "body"),
    ("{", "JSON"),
    ("[]", "object"),
    ("null", "object"),
    ("[" * 50_000, "JSON"),
    ("{}", "type"),
    ('{"type": "video"}', "text, image, audio"),
    ('{"type": 7}', "text, image, audio"),
    ('{"type": null}', "text, image, audio"),
    ('{"type": "text"}', "content"),
    ('{"type": "text", "content": ""}', "content"),
    ('{"type": "text", "content": "\\ud800"}', "JSON"),
    ('{"type": "text", "content": "   "}', ""),
    ('{"type": "text", "content": 7}', "content"),
    ('{"type": "history", "limit": 0}', "limit"),
    ('{"type": "history", "limit": 101}', "limit"),
    ('{"type": "history", "before_id": 99999999999999999999999}', "before_id"),
    ('{"type": "image"}', "mime_type"),
    ('{"type": "image", "mime_type": "text/plain", "data": "QQ=="}', "mime_type"),
    ('{"type": "image", "mime_type": "audio/wav"}', "mime_type"),
    ('{"type": "image", "mime_type": "image/png", "data": "%%%"}', "base64"),
    ('{"type": "image", "mime_type": "image/png", "data": "é"}', "base64"),
    ('{"type": "image", "mime_type": "image/png", "data": ""}', "empty"),
    ('{"type": "image", "mime_type": "image/png", "data": "QUJD"}', "no file that models read"),
    ('{"type": "stop"}', "Nothing"),
    ('{"type": "auth", "token": "x"}', "already"),
    (b"no one announced me", "Announce"),
]


def test_whatever_is_wrong_is_said_and_ends_nothing(
    ann: TestClient, gemini: GeminiServer, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MESSAGES", 10 * len(WRONG))
    with ann.websocket_connect(path) as socket:
        heard(socket)
        for frame, words in WRONG:
            send(socket, frame)
            error = heard(socket)
            assert (error["type"], error["error"], error["error_type"]) == ("error", True, "validation"), (
                frame
            )
            assert words in error["error_message"], (frame[:60], error)
            socket.send_json({"type": "ping"})
            assert heard(socket) == {"type": "pong"}
    assert gemini.asked == []


def test_an_announced_file_has_to_come_next(ann: TestClient, path: str) -> None:
    with ann.websocket_connect(path) as socket:
        heard(socket)
        socket.send_json({"type": "image", "mime_type": "image/png"})
        socket.send_json({"type": "text", "content": "Changed my mind"})
        assert "forgotten" in heard(socket)["error_message"]
        until(socket, "assistant_message")
        socket.send_bytes(PNG)
        assert "Announce" in heard(socket)["error_message"]


def test_what_the_model_refuses_is_an_error_of_that_answer(
    ann: TestClient, gemini: GeminiServer, path: str
) -> None:
    gemini.queue(overloaded())
    with ann.websocket_connect(path, headers={"Accept-Language": "ru"}) as socket:
        heard(socket)
        socket.send_json({"type": "text", "content": "Hello"})
        error = until(socket, "error")[-1]
        socket.send_json({"type": "history"})
        stored = heard(socket)["messages"][-1]
    assert (error["error_type"], error["message_id"]) == ("api_error", stored["id"])
    assert stored["meta_data"]["error"]["error_message"] == error["error_message"]


def test_one_answer_at_a_time_and_a_stop(ann: TestClient, gemini: GeminiServer, path: str) -> None:
    gemini.queue(HANGING)
    with ann.websocket_connect(path) as socket:
        heard(socket)
        socket.send_json({"type": "text", "content": "Hello"})
        said = until(socket, "delta")
        while text_of(said) != "Once upon ":
            said.append(heard(socket))
        socket.send_json({"type": "text", "content": "And?"})
        assert "still being answered" in heard(socket)["error_message"]
        socket.send_json({"type": "stop"})
        answer = until(socket, "assistant_message")[-1]["message"]
        assert (answer["content"], answer["meta_data"]["status"]) == ("Once upon ", "stopped")
        socket.send_json({"type": "text", "content": "Go on"})
        assert until(socket, "assistant_message")[-1]["message"]["content"] == "Hello, world!"


def test_who_comes_back_hears_the_running_answer_from_its_start(
    ann: TestClient, hub: Services, gemini: GeminiServer, path: str
) -> None:
    gemini.queue(HANGING)
    with ann.websocket_connect(path) as socket:
        heard(socket)
        socket.send_json({"type": "text", "content": "Hello"})
        until(socket, "delta")
    with ann.websocket_connect(path) as one, ann.websocket_connect(path) as two:
        for socket in (one, two):
            assert [each["sender_type"] for each in heard(socket)["messages"]] == ["user", "assistant"]
        gemini.release()
        for socket in (one, two):
            said = until(socket, "assistant_message")
            assert text_of(said) == said[-1]["message"]["content"] == "Once upon a time"
    finish(hub)


def test_closing_leaves_the_answer_running(
    ann: TestClient, hub: Services, gemini: GeminiServer, path: str
) -> None:
    gemini.queue(HANGING)
    with ann.websocket_connect(path) as socket:
        heard(socket)
        socket.send_json({"type": "text", "content": "Hello"})
        until(socket, "delta")
    gemini.release()
    finish(hub)
    with ann.websocket_connect(path) as socket:
        stored = heard(socket)["messages"][-1]
    assert (stored["content"], stored["meta_data"]["status"]) == ("Once upon a time", "complete")


def test_too_many_messages_are_refused_and_then_nothing_more_is_heard(ann: TestClient, path: str) -> None:
    with ann.websocket_connect(path) as socket:
        heard(socket)
        for _ in range(ABUSE + 1):
            socket.send_json({"type": "ping"})
        said = [heard(socket) for _ in range(ABUSE + 1)]
        assert closed(socket) == 1008
    assert [each["type"] for each in said] == ["pong"] * MESSAGES + ["error"] * (ABUSE + 1 - MESSAGES)
    assert said[-1]["error_type"] == "rate_limit"


def test_an_account_has_so_many_connections_and_no_more(ann: TestClient, path: str) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS_PER_USER):
            assert heard(stack.enter_context(ann.websocket_connect(path)))["type"] == "history"
        with ann.websocket_connect(path) as socket:
            assert heard(socket)["error_type"] == "rate_limit"
            assert closed(socket) == 1008
    with ann.websocket_connect(path) as socket:
        assert heard(socket)["type"] == "history"


def test_a_real_client_over_a_real_connection(ann: TestClient, gemini: GeminiServer, path: str) -> None:
    headers = {"Authorization": ann.headers["Authorization"]}
    image = PNG + bytes(6_000_000)
    with serving() as url:
        address = url.replace("http", "ws") + path
        with connect(address, additional_headers=headers, max_size=None) as socket:
            assert json.loads(socket.recv(20))["type"] == "history"
            socket.send(json.dumps({"type": "image", "mime_type": "image/png", "content": "What is this?"}))
            socket.send(image)
            said: list[dict[str, Any]] = []
            while not said or said[-1]["type"] != "assistant_message":
                said.append(json.loads(socket.recv(20)))
            assert said[0]["message"]["attachments"][0]["size"] == len(image)
            assert text_of(said) == "Hello, world!"
            with pytest.raises(ConnectionClosed) as end:
                send_too_much(socket)
            assert end.value.rcvd is not None
            assert end.value.rcvd.code == 1009
    parts = gemini.asked[0].body["contents"][0]["parts"]
    assert any(len(part.get("inlineData", {}).get("data", "")) > 6_000_000 for part in parts)
