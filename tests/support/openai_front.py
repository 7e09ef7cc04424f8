"""Asking the OpenAI-compatible front, and what the ledger then says."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from core.services import Services
from core.usage.explore.types import CallRow, Selection

MODEL = "openai/gpt-5.4-mini"
HELLO: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5C"
    "YII="
)
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALLS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": "call_0",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Омск"}'},
        },
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}},
    ],
}


def chat(client: TestClient, **more: Any) -> Any:
    """Ask with `more` in the request."""
    return client.post("/v1/chat/completions", json={**HELLO, **more})


def chunks_of(answer: Response) -> list[dict[str, Any]]:
    """The chunks of a stream that is whole: it must end with [DONE]."""
    events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


def deltas(chunks: list[dict[str, Any]], name: str = "content") -> Iterator[Any]:
    """What the chunks say under `name`."""
    for chunk in chunks:
        for choice in chunk["choices"]:
            if choice["delta"].get(name):
                yield choice["delta"][name]


def calls_of(hub: Services) -> tuple[CallRow, ...]:
    """All calls of the ledger as the usage page shows them, the newest first."""
    today = datetime.now(UTC).date()
    around = Selection(None, today - timedelta(days=1), today + timedelta(days=1))
    return hub.explore.calls(around).calls
