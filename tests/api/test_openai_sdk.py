"""The official openai SDK on a hub as a user starts it, and what the usage page then shows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from core.config import Settings
from core.services import open_services
from core.usage.types import CallStatus, Source
from tests.api.conftest import PASSWORD
from tests.fakes.openai_server import OpenAIServer, rate_limit, too_long, usage
from tests.fakes.script import Script
from tests.support.openai_front import PIXEL, TOOL, calls_of
from tests.support.server import running_hub

MODEL = "local/local-model"


@dataclass(frozen=True)
class Front:
    """A running hub in front of a fake server, and the SDK that was pointed at it with a personal token."""

    server: OpenAIServer
    client: OpenAI
    data: Path


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    data = tmp_path_factory.mktemp("hub")
    with OpenAIServer() as server, running_hub(data, {"LOCAL_BASE_URL": server.url}) as address:
        token = _token(address)
        with OpenAI(base_url=f"{address}/v1", api_key=token, max_retries=0, timeout=30) as client:
            yield Front(server, client, data)


def _token(address: str) -> str:
    who = {"email": "ann@example.com", "password": PASSWORD}
    with httpx2.Client(base_url=address) as http:
        assert http.post("/api/users", json={**who, "username": "ann"}).status_code == 201
        bearer = {"Authorization": f"Bearer {http.post('/api/auth/login', json=who).json()['access_token']}"}
        made = http.post("/api/tokens", json={"name": "sdk", "scopes": ["chat"]}, headers=bearer)
        return made.json()["token"]


def test_models_are_listed_and_found(front: Front) -> None:
    # The list of the server is asked for behind the first question, so it may take a second one.
    front.client.models.list()
    front.server.wait_for(
        lambda: any(each.path == "/v1/models" and each.finished for each in front.server.requests)
    )
    assert "demo/demo" in [model.id for model in front.client.models.list()]
    assert front.client.models.retrieve("demo/demo").owned_by == "demo"


def test_chats_whole_and_streamed(front: Front) -> None:
    front.server.queue(Script(usage=usage(7, 3, cached=2)))
    whole = front.client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}])
    assert whole.choices[0].message.content == "Hello, world!"
    assert whole.usage is not None
    assert whole.usage.prompt_tokens_details is not None
    assert (whole.usage.total_tokens, whole.usage.prompt_tokens_details.cached_tokens) == (10, 2)
    assert (whole.model_extra or {})["aihub"]["cost"] == 0

    front.server.queue(Script(usage=usage(7, 3)))
    chunks = list(
        front.client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == "Hello, world!"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 10


def test_functions_travel_there_and_back(front: Front) -> None:
    front.server.queue(Script(chunks=[], tool_calls=[("weather", {"city": "Омск"})]))
    with front.client.chat.completions.stream(
        model=MODEL,
        messages=[{"role": "user", "content": "Weather?"}],
        tools=[TOOL],  # pyright: ignore[reportArgumentType]
    ) as stream:
        asked = stream.get_final_completion().choices[0].message
    assert asked.tool_calls is not None
    assert json.loads(asked.tool_calls[0].function.arguments) == {"city": "Омск"}
    answer = front.client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "user", "content": "Weather?"},
            asked.model_dump(),  # pyright: ignore[reportArgumentType]
            {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "-20"},
        ],
    )
    assert answer.choices[0].finish_reason == "stop"
    assert front.server.asked[-1].body["messages"][-1]["content"] == "-20"


class Place(BaseModel):
    city: str
    degrees: int


def test_an_answer_is_parsed_by_its_schema(front: Front) -> None:
    front.server.queue(Script(chunks=['{"city": "Омск", ', '"degrees": -20}']))
    parsed = front.client.chat.completions.parse(
        model=MODEL,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Where is this?"},
                    {"type": "image_url", "image_url": {"url": PIXEL}},
                ],
            }
        ],
        response_format=Place,
    )
    assert parsed.choices[0].message.parsed == Place(city="Омск", degrees=-20)


def test_errors_are_those_that_the_sdk_knows(front: Front) -> None:
    question: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}

    def ask(client: OpenAI = front.client, **more: Any) -> Any:
        return client.chat.completions.create(**{**question, **more})

    with pytest.raises(openai.AuthenticationError) as wrong:
        ask(front.client.with_options(api_key="sk-wrong"))
    assert wrong.value.code == "invalid_api_key"
    with pytest.raises(openai.NotFoundError) as unknown:
        ask(model="no-such-model")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as bad:
        ask(temperature=3)
    assert (bad.value.param, bad.value.type) == ("temperature", "invalid_request_error")
    front.server.queue(too_long())
    with pytest.raises(openai.BadRequestError) as long:
        ask()
    assert long.value.code == "context_length_exceeded"
    front.server.queue(Script(cut_after=1))
    with pytest.raises(openai.APIError, match="broke off"):
        list(ask(stream=True))


def test_a_rate_limit_says_when_to_come_back(front: Front) -> None:
    # Longer than the hub itself would wait for it.
    front.server.queue(rate_limit(600))
    with pytest.raises(openai.RateLimitError) as limited:
        front.client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}])
    assert limited.value.response.headers["retry-after"] == "600"
    assert limited.value.code == "rate_limit_exceeded"


def test_the_usage_page_shows_exactly_these_calls(tmp_path: Path) -> None:
    with OpenAIServer(Script(usage=usage(7, 3))) as server:
        with running_hub(tmp_path, {"LOCAL_BASE_URL": server.url}) as address:
            client = OpenAI(base_url=f"{address}/v1", api_key=_token(address), max_retries=0, timeout=30)
            for stream in (False, True):
                for model in (MODEL, "demo/demo"):
                    answer = client.chat.completions.create(
                        model=model,
                        messages=[{"role": "user", "content": "Hi"}],
                        max_tokens=20,
                        stream=stream,
                    )
                    if stream:
                        assert list(answer)
            client.close()
        services = open_services(Settings(data_dir=tmp_path))
    try:
        calls = calls_of(services)
    finally:
        services.close()
    asked = [("demo", "demo"), ("local", "local-model")] * 2
    assert [(call.provider, call.model) for call in calls] == asked
    assert {(call.source, call.status) for call in calls} == {(Source.API, CallStatus.COMPLETED)}
    assert [(call.input_tokens, call.output_tokens) for call in calls if call.provider == "local"] == [
        (7, 3)
    ] * 2
