"""A prompt without a thread, and counting tokens."""

from typing import Any

from sqlalchemy import func, select
from starlette.testclient import TestClient

from core.services import Services
from core.usage.columns import EVENTS
from core.usage.types import Source
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.openai_server import (
    OpenAIServer,
    no_balance,
    overloaded,
    rate_limit,
    too_long,
    unknown_model,
    usage,
    wrong_key,
)
from tests.fakes.script import Script

MODEL = "gpt-5.4-mini"
PROMPT = {
    "provider": "openai",
    "model": MODEL,
    "prompt": "Напиши стихотворение о весне",
    "max_tokens": 1500,
    "temperature": 0.8,
    "system_prompt": "Ты талантливый поэт",
}
ANSWER = {"text", "model", "provider", "tokens", "cost", "from_cache", "currency", "finish_reason"}


def complete(client: TestClient, **more: Any) -> Any:
    return client.post("/api/threads/completion", json={**PROMPT, **more})


def test_a_prompt_is_answered_as_documented(ann: TestClient, openai: OpenAIServer, hub: Services) -> None:
    openai.queue(Script(chunks=["Над Невой", " туман"], usage=usage(42, 220)))
    answer = complete(ann)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == ANSWER
    assert {name: body[name] for name in ANSWER - {"cost"}} == {
        "text": "Над Невой туман",
        "model": MODEL,
        "provider": "openai",
        "tokens": {"prompt_tokens": 42, "completion_tokens": 220, "total_tokens": 262},
        "from_cache": False,
        "currency": "USD",
        "finish_reason": "stop",
    }
    assert body["cost"] > 0
    asked = openai.asked[0].body
    assert [each["content"] for each in asked["messages"]] == [PROMPT["system_prompt"], PROMPT["prompt"]]
    assert asked["temperature"] == 0.8
    assert ann.get("/api/threads/").json() == []
    with hub.unit.read() as session:
        stored = session.execute(select(EVENTS.c.source, EVENTS.c.user_id, EVENTS.c.input_tokens)).one()
    assert tuple(stored) == (Source.API, ann.get("/api/users/me").json()["id"], 42)


def test_an_equal_prompt_is_answered_from_the_cache_when_that_is_wanted(
    ann: TestClient, bob: TestClient, openai: OpenAIServer
) -> None:
    first = complete(ann, use_cache=True).json()
    again = complete(ann, use_cache=True).json()
    assert (first["from_cache"], again["from_cache"]) == (False, True)
    assert again["text"] == first["text"]
    assert (again["cost"], again["tokens"]["total_tokens"]) == (0, 0)
    assert complete(ann).json()["from_cache"] is False
    assert complete(ann, use_cache=None).json()["from_cache"] is False
    assert complete(bob, use_cache=True).json()["from_cache"] is False
    assert len(openai.asked) == 4


def test_a_model_without_a_price_has_no_cost(ann: TestClient, openai: OpenAIServer) -> None:
    body = complete(ann, model="local-model").json()
    assert (body["text"], body["cost"], body["currency"]) == ("Hello, world!", None, None)


def test_what_a_provider_refuses_has_its_documented_error(ann: TestClient, openai: OpenAIServer) -> None:
    expected = [
        (rate_limit(7), 429, "rate_limit"),
        (no_balance(), 400, "billing"),
        (too_long(), 400, "invalid_context"),
        (wrong_key(), 400, "api_error"),
        (unknown_model(), 400, "validation"),
        (overloaded(), 500, "api_error"),
        (Script(chunks=["Half"], cut_after=1), 500, "api_error"),
    ]
    for script, status, error_type in expected:
        openai.queue(script)
        refused = complete(ann)
        assert (refused.status_code, refused.json()["error_type"]) == (status, error_type), script
        assert set(refused.json()) == {"error", "error_message", "error_type"}
    assert complete(ann).status_code == 200


def test_a_provider_without_a_key_is_said(ann: TestClient) -> None:
    refused = complete(ann)
    assert (refused.status_code, refused.json()["error_type"]) == (400, "api_key_not_found")
    unknown = complete(ann, provider="nobody\x00")
    assert (unknown.status_code, unknown.json()["error_type"]) == (404, "not_found")


def test_a_prompt_that_cannot_be_sent_is_refused(ann: TestClient, hub: Services) -> None:
    wrong: list[dict[str, Any]] = [
        {"prompt": ""},
        {"prompt": " \n"},
        {"prompt": None},
        {"prompt": "a" * 500_001},
        {"system_prompt": "a" * 20_001},
        {"model": " "},
        {"model": None},
        {"max_tokens": 0},
        {"max_tokens": 1.5},
        {"temperature": -0.1},
        {"temperature": True},
        {"use_cache": "yes"},
    ]
    for each in wrong:
        refused = complete(ann, **{"provider": "demo", **each})
        assert (refused.status_code, refused.json()["error_type"]) == (400, "validation"), each
    for route in ("completion", "token-count"):
        assert ann.post(f"/api/threads/{route}", json={}).status_code == 400
    with hub.unit.read() as session:
        assert session.scalar(select(func.count()).select_from(EVENTS)) == 0


def test_tokens_are_counted_by_the_provider_that_can(ann: TestClient, gemini: GeminiServer) -> None:
    # Its SDK is imported by the first call, which on a busy machine takes longer than a count may.
    assert complete(ann, provider="gemini", model="gemini-3.8-flash").status_code == 200
    body = {"provider": "gemini", "model": "gemini-3.8-flash", "text": "one two three"}
    counted = ann.post("/api/threads/token-count", json=body)
    assert counted.status_code == 200, counted.text
    assert counted.json() == {"token_count": 3, "estimated": False}
    estimated = ann.post("/api/threads/token-count/", json={**body, "provider": "demo", "model": "demo-1"})
    assert estimated.json()["estimated"] is True
    assert estimated.json()["token_count"] > 0


def test_tokens_of_a_wrong_request_are_not_counted(ann: TestClient) -> None:
    body = {"provider": "demo", "model": "demo-1", "text": "one"}
    expected = [
        ({"provider": "nobody"}, 404),
        ({"model": " "}, 400),
        ({"text": None}, 400),
        ({"text": "a" * 500_001}, 400),
    ]
    for wrong, status in expected:
        assert ann.post("/api/threads/token-count", json={**body, **wrong}).status_code == status, wrong


def test_a_token_for_reading_asks_no_model(ann: TestClient, nobody: TestClient) -> None:
    token = ann.post("/api/tokens", json={"name": "reader", "scopes": ["read"]}).json()["token"]
    reader = {"Authorization": f"Bearer {token}"}
    body = {"provider": "demo", "model": "demo-1", "text": "one", "prompt": "Hi"}
    for route in ("completion", "token-count"):
        assert ann.post(f"/api/threads/{route}", headers=reader, json=body).status_code == 403
        assert nobody.post(f"/api/threads/{route}", json=body).status_code == 401
