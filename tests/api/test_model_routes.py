"""Models and preferences over REST: as documented, at once, one's own alone."""

import socket
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.generation.types import ModelRef
from core.models.types import PreferenceInfo
from core.providers import registry
from core.services import Services
from tests.api.conftest import bearer_with, send
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.openai_server import OpenAIServer

NEW: dict[str, Any] = {
    "provider": "anthropic",
    "model": "claude-3-opus",
    "max_tokens": 2000,
    "temperature": 0.5,
    "system_prompt": "Ты профессиональный копирайтер",
    "is_default": True,
}
FIELDS = {*NEW, "id", "user_id", "use_cache", "created_at", "updated_at"}
PREFERENCES = "/api/models/preferences"


def available(client: TestClient, **headers: str) -> dict[tuple[str, str], dict[str, Any]]:
    answer = client.get("/api/models/available", headers=headers)
    assert answer.status_code == 200, answer.text
    return {(each["provider"], each["id"]): each for each in answer.json()["models"]}


def own_id(client: TestClient) -> int:
    return client.get("/api/users/me").json()["id"]


def test_the_models_of_every_configured_provider(ann: TestClient, bob: TestClient) -> None:
    alone = available(ann)
    demo = alone["demo", "demo"]
    assert set(alone) == {("demo", "demo")}
    assert (demo["name"], demo["description"]) == ("Demo", "offline demo, not a model")
    assert demo["pricing"] == {"input": 0.0, "output": 0.0, "currency": "USD", "tiered": False}
    assert demo["capabilities"] == ["stream"]
    key = {"provider": "anthropic", "api_key": "sk-ant-made-up-key-0123456789"}
    key["base_url"] = "http://127.0.0.1:9"
    assert ann.post("/api/api-keys", json=key).status_code == 201
    sonnet = available(ann)["anthropic", "claude-sonnet-4-6"]
    assert set(sonnet) == {
        "provider",
        "id",
        "name",
        "description",
        "max_tokens",
        "max_output_tokens",
        "pricing",
        "capabilities",
    }
    assert (sonnet["name"], sonnet["max_tokens"], sonnet["max_output_tokens"]) == (
        "Claude Sonnet 4.6",
        1_000_000,
        64_000,
    )
    assert (sonnet["pricing"]["input"], sonnet["pricing"]["output"]) == (3.0, 15.0)
    assert sonnet["pricing"]["currency"] == "USD"
    assert {"system_prompt", "images", "tools", "reasoning_effort"} <= set(sonnet["capabilities"])
    assert set(available(bob)) == {("demo", "demo")}, "another's key shows nobody else a model"


def test_what_nobody_published_is_null(ann: TestClient) -> None:
    key = {"provider": "openai", "api_key": "sk-made-up-key-0123456789", "base_url": "http://127.0.0.1:9/v1"}
    ann.post("/api/api-keys", json=key)
    ann.post(PREFERENCES, json={"provider": "openai", "model": "of-my-own"})
    found = available(ann)["openai", "of-my-own"]
    assert found["pricing"] == {"input": None, "output": None, "currency": None, "tiered": False}
    assert (found["name"], found["description"], found["max_tokens"]) == ("of-my-own", None, None)


def test_descriptions_come_from_whoever_published_them(hub: Services, ann: TestClient) -> None:
    from genai_prices.data_snapshot import get_snapshot

    _provider, listed = get_snapshot().find_provider_model("claude-sonnet-4-6", None, "anthropic", None)
    key = {"provider": "anthropic", "api_key": "sk-ant-made-up-key-0123456789"}
    key["base_url"] = "http://127.0.0.1:9"
    ann.post("/api/api-keys", json=key)
    assert listed.description
    assert available(ann)["anthropic", "claude-sonnet-4-6"]["description"] == listed.description.strip()
    with GeminiServer(models=("gemini-3.8-flash",)) as server:
        key = {"provider": "gemini", "api_key": "AIzaMadeUpKey-0123456789-abcdefghijklmno"}
        ann.post("/api/api-keys", json={**key, "base_url": server.url})
        hub.generation.portal.call(hub.registry.models, "gemini", own_id(ann))
        found = available(ann)["gemini", "gemini-3.8-flash"]
    assert found["description"] == "Fast and versatile: Gemini 3.8 Flash."
    assert (found["max_tokens"], found["max_output_tokens"]) == (1_048_576, 65_536)


def test_the_demo_describes_itself_in_the_callers_language(ann: TestClient) -> None:
    described = available(ann, **{"Accept-Language": "ru"})["demo", "demo"]["description"]
    assert described
    assert described != "offline demo, not a model"


def test_a_provider_that_is_silent_is_given_up_and_named(
    ann: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "LISTING_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        key = {"provider": "local", "api_key": "abc123abc123", "base_url": url}
        assert ann.post("/api/api-keys", json=key).status_code == 201
        answer = ann.get("/api/models/available").json()
    assert [each["id"] for each in answer["providers"]] == ["local", "demo"]
    assert [each["provider"] for each in answer["models"]] == ["demo"]


def test_the_first_request_already_lists_what_the_provider_has(ann: TestClient, openai: OpenAIServer) -> None:
    found = ann.get("/api/models/available").json()["models"]
    assert set(openai.models) <= {each["id"] for each in found if each["provider"] == "openai"}


def test_the_documented_life_of_a_preference(ann: TestClient) -> None:
    answer = ann.post(f"{PREFERENCES}/", json=NEW)
    made = answer.json()
    assert answer.status_code == 201
    assert set(made) == FIELDS
    assert {name: made[name] for name in NEW} == NEW
    assert made["use_cache"] is False
    assert made["created_at"] == made["updated_at"]
    assert ann.get(PREFERENCES).json() == [made]
    assert ann.get(f"{PREFERENCES}/{made['id']}").json() == made
    assert ann.get(f"{PREFERENCES}/default/").json() == {"anthropic": made}
    sent = {
        "max_tokens": 4000,
        "temperature": 0.3,
        "system_prompt": "Ты опытный научный консультант",
        "is_default": True,
    }
    changed = ann.put(f"{PREFERENCES}/{made['id']}", json=sent)
    now = changed.json()
    assert (changed.status_code, now) == (200, {**made, **sent, "updated_at": now["updated_at"]})
    assert now["updated_at"] > made["updated_at"]
    gone = ann.delete(f"{PREFERENCES}/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert ann.get(PREFERENCES).json() == []
    assert ann.get(f"{PREFERENCES}/default").json() == {}
    assert ann.get(f"{PREFERENCES}/{made['id']}").status_code == 404


def test_only_what_is_sent_changes_and_null_takes_away(ann: TestClient) -> None:
    made = ann.post(PREFERENCES, json={**NEW, "use_cache": True}).json()
    path = f"{PREFERENCES}/{made['id']}"
    for sent in ({}, {"is_default": None, "use_cache": None}, {"provider": "openai", "model": "x"}):
        now = ann.put(path, json=sent).json()
        assert now == {**made, "updated_at": now["updated_at"]}
    for sent in ({"temperature": 0}, {"use_cache": False}, {"max_tokens": None}, {"temperature": None}):
        now = ann.put(path, json=sent).json()
        assert now == {**made, **sent, "updated_at": now["updated_at"]}
        made = now
    assert ann.put(path, json={"system_prompt": None}).json()["system_prompt"] is None


def test_one_model_of_a_provider_is_the_default(ann: TestClient) -> None:
    first = ann.post(PREFERENCES, json=NEW).json()
    second = ann.post(PREFERENCES, json={**NEW, "model": "claude-3-haiku"}).json()
    other = ann.post(PREFERENCES, json={**NEW, "provider": "openai", "model": "gpt-4"}).json()
    assert ann.get(f"{PREFERENCES}/default").json() == {"anthropic": second, "openai": other}
    assert ann.get(f"{PREFERENCES}/{first['id']}").json()["is_default"] is False
    ann.put(f"{PREFERENCES}/{first['id']}", json={"is_default": True})
    assert ann.get(f"{PREFERENCES}/default").json()["anthropic"]["id"] == first["id"]


def test_a_second_post_replaces_in_its_place_and_keeps_what_rest_cannot_say(
    hub: Services, ann: TestClient
) -> None:
    user_id = own_id(ann)
    fallback = ModelRef("demo", "demo")
    options = {"top_p": 0.5}
    kept = hub.models.save(
        user_id,
        PreferenceInfo("openai", "gpt-4", system_prompt="before", options=options, fallbacks=(fallback,)),
    )
    answer = ann.post(PREFERENCES, json={"provider": "openai", "model": " gpt-4 ", "max_tokens": 7})
    now = answer.json()
    assert (answer.status_code, now["id"]) == (201, kept.id)
    assert (now["max_tokens"], now["system_prompt"], now["is_default"]) == (7, None, False)
    assert len(ann.get(PREFERENCES).json()) == 1
    stored = hub.models.preference_by_id(user_id, now["id"])
    assert (stored.options, stored.fallbacks) == (options, (fallback,))
    assert stored.created_at == kept.created_at


REFUSED: list[dict[str, Any]] = [
    {"provider": "nobody"},
    {"provider": ""},
    {"provider": "\ud800"},
    {"model": ""},
    {"model": " "},
    {"model": "x" * 201},
    {"model": None},
    {"max_tokens": 0},
    {"max_tokens": -1},
    {"max_tokens": 1_000_001},
    {"max_tokens": 10**30},
    {"max_tokens": 1.5},
    {"max_tokens": "many"},
    {"temperature": -0.1},
    {"temperature": 2.1},
    {"temperature": float("nan")},
    {"temperature": float("inf")},
    {"temperature": 10**400},
    {"temperature": "hot"},
    {"system_prompt": "x" * 20_001},
    {"system_prompt": 7},
    {"is_default": "perhaps"},
    {"use_cache": []},
]


def test_what_cannot_be_kept_is_refused_and_changes_nothing(ann: TestClient) -> None:
    made = ann.post(PREFERENCES, json=NEW).json()
    for bad in REFUSED:
        answer = send(ann, "POST", PREFERENCES, {**NEW, **bad})
        assert (answer.status_code, answer.json()["error_type"]) == (400, "validation"), bad
        if not {"provider", "model"} & set(bad):
            sent = {"system_prompt": "other", **bad}
            answer = send(ann, "PUT", f"{PREFERENCES}/{made['id']}", sent)
            assert (answer.status_code, answer.json()["error_type"]) == (400, "validation"), bad
    for body in (None, [], {}, {"provider": "openai"}):
        assert send(ann, "POST", PREFERENCES, body).status_code == 400, body
    assert ann.get(PREFERENCES).json() == [made]


def test_anothers_preference_looks_like_none(ann: TestClient, bob: TestClient) -> None:
    made = ann.post(PREFERENCES, json=NEW).json()
    for method, body in (("GET", None), ("PUT", {"max_tokens": 1}), ("DELETE", None)):
        refused = bob.request(method, f"{PREFERENCES}/{made['id']}", json=body)
        missing = bob.request(method, f"{PREFERENCES}/888888", json=body)
        assert (refused.status_code, refused.json()) == (404, missing.json())
        assert refused.json()["error_type"] == "not_found"
    assert bob.get(PREFERENCES).json() == []
    assert bob.get(f"{PREFERENCES}/default").json() == {}
    assert bob.post(PREFERENCES, json=NEW).json()["id"] != made["id"]
    assert ann.get(PREFERENCES).json() == [made]


@pytest.mark.parametrize("path", ["/api/models/available", PREFERENCES, f"{PREFERENCES}/default"])
def test_a_token_needs_the_scope(ann: TestClient, nobody: TestClient, path: str) -> None:
    read, chat = bearer_with(ann, "read"), bearer_with(ann, "chat")
    assert nobody.get(path).status_code == 401
    assert nobody.get(path, headers=read).status_code == 200
    assert nobody.get(path, headers=chat).status_code == 403
    assert nobody.post(PREFERENCES, headers=read, json=NEW).status_code == 403
