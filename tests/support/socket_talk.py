"""Talking to a thread over a WebSocket."""

from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from tests.support.hub import MODEL

LIMIT = 60  # frames that a test waits for at most


def path_of(client: TestClient) -> str:
    made = client.post("/api/threads", json={"title": "One", "provider": "gemini", "model": MODEL})
    assert made.status_code == 201, made.text
    return f"/ws/chat/{made.json()['uuid']}"


def until(socket: WebSocketTestSession, kind: str) -> list[dict[str, Any]]:
    """What is said up to a message of this type."""
    said: list[dict[str, Any]] = []
    while not said or said[-1]["type"] != kind:
        said.append(socket.receive_json())
        assert len(said) < LIMIT, f"no {kind} came"
        assert said[-1]["type"] in (kind, "user_message", "delta"), said[-1]
    return said


def heard(socket: WebSocketTestSession) -> dict[str, Any]:
    return socket.receive_json()


def closed(socket: WebSocketTestSession) -> int:
    """The code it is closed with."""
    with pytest.raises(WebSocketDisconnect) as end:
        heard(socket)
    return end.value.code


def text_of(said: list[dict[str, Any]]) -> str:
    deltas = [each for each in said if each["type"] == "delta"]
    text = ""
    for each in deltas:
        assert each["offset"] == len(text)
        text += each["text"]
    return text


def send(socket: WebSocketTestSession, frame: str | bytes) -> None:
    if isinstance(frame, bytes):
        socket.send_bytes(frame)
    else:
        socket.send_text(frame)
