"""POST /v1/embeddings: what comes in, what the provider gets, what goes out, and what the ledger says."""

import asyncio
import json
import struct
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client
from openai import BadRequestError, NotFoundError, OpenAI
from starlette.testclient import TestClient

from core.pricing.types import Money
from core.services import Services
from core.usage.budgets import BudgetScope
from core.usage.explore.types import CallRow, Selection
from core.usage.types import CallStatus, Source
from tests.api.conftest import PASSWORD
from tests.fakes import openai_server
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.script import Script, vector_of
from tests.support.hub import KEY
from tests.support.people import admin
from tests.support.server import running_hub

MODEL = "openai/text-embedding-3-small"
TEXTS = ["первый текст", "a second one"]


def embed(client: TestClient, **more: Any) -> Any:
    return client.post("/v1/embeddings", json={"model": MODEL, "input": TEXTS, **more})


def calls_of(hub: Services) -> tuple[CallRow, ...]:
    """All calls of the ledger as the usage page shows them, the newest first."""
    today = datetime.now(UTC).date()
    around = Selection(None, today - timedelta(days=1), today + timedelta(days=1))
    return hub.explore.calls(around).calls


def error_of(answer: Any) -> dict[str, Any]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return body["error"]


def test_an_answer_has_the_shape_of_openai(ann: TestClient, openai: OpenAIServer) -> None:
    answer = embed(ann)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": vector_of(TEXTS[0])},
            {"object": "embedding", "index": 1, "embedding": vector_of(TEXTS[1])},
        ],
        "model": MODEL,
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
        "aihub": {
            "provider": "openai",
            "model": "text-embedding-3-small",
            "cost": 1e-7,
            "currency": "USD",
            "from_cache": False,
            "tokens_estimated": False,
        },
    }


def test_every_call_is_in_the_ledger_under_its_caller(
    ann: TestClient, bob: TestClient, openai: OpenAIServer, hub: Services
) -> None:
    assert embed(ann).status_code == embed(bob).status_code == 200
    own = bob.get("/api/users/me").json()["id"]
    second, first = calls_of(hub)
    assert [call.user_id == own for call in (second, first)] == [True, False]
    for call in (second, first):
        assert (call.source, call.status) == (Source.API, CallStatus.COMPLETED)
        assert (call.provider, call.model) == ("openai", "text-embedding-3-small")
        assert (call.input_tokens, call.output_tokens) == (5, 0)
        assert call.cost == Money(100, "USD")


def test_base64_is_little_endian_float32(ann: TestClient, openai: OpenAIServer) -> None:
    openai.queue(Script(vectors=[[0.1, -2.5], [3.0, 1e-8]]))
    data = embed(ann, encoding_format="base64").json()["data"]
    packed = [struct.unpack("<2f", b64decode(each["embedding"])) for each in data]
    assert packed == [pytest.approx((0.1, -2.5)), pytest.approx((3.0, 1e-8))]


def test_numbers_are_written_as_short_as_they_are_exact(ann: TestClient, openai: OpenAIServer) -> None:
    openai.queue(Script(vectors=[[0.1, 1e-8]] * 2))
    answer = embed(ann, encoding_format="float")
    assert answer.json()["data"][0]["embedding"] == [0.100000001, 9.99999994e-09]


def test_every_kind_of_input_reaches_the_provider(ann: TestClient, openai: OpenAIServer) -> None:
    for sent, inputs in (
        ("one text", ["one text"]),
        (["one", "two"], ["one", "two"]),
        ([9906, 1917], [[9906, 1917]]),
        ([[9906, 1917], [0]], [[9906, 1917], [0]]),
    ):
        answer = embed(ann, input=sent, dimensions=4, user="somebody")
        assert answer.status_code == 200, answer.text
        body = openai.asked[-1].body
        assert (openai_server.inputs_of(body), body["dimensions"], "user" in body) == (inputs, 4, False)
        assert [len(each["embedding"]) for each in answer.json()["data"]] == [4] * len(inputs)


def test_a_plain_name_is_enough(ann: TestClient, gemini: GeminiServer) -> None:
    answer = embed(ann, model="gemini-embedding-001").json()
    assert answer["model"] == "gemini-embedding-001"
    assert [each["embedding"] for each in answer["data"]] == [vector_of(text) for text in TEXTS]
    assert answer["aihub"]["provider"] == "gemini"


def test_the_models_that_embed_are_listed(ann: TestClient, openai: OpenAIServer) -> None:
    names = [model["id"] for model in ann.get("/v1/models").json()["data"]]
    assert MODEL in names
    assert names[-1] == "demo/demo"
    assert ann.get("/v1/models/text-embedding-3-small").json()["id"] == MODEL
    # The list that was asked for behind it has come: nothing is under way when the hub closes.
    openai.wait_for(lambda: any(each.method == "GET" and each.finished for each in openai.requests))


def test_an_estimate_is_called_one(ann: TestClient, openai: OpenAIServer) -> None:
    openai.queue(Script(usage=None))
    answer = embed(ann).json()
    assert answer["aihub"]["tokens_estimated"] is True
    assert answer["usage"]["prompt_tokens"] == 7


def test_what_has_no_price_costs_null(ann: TestClient, gemini: GeminiServer) -> None:
    answer = embed(ann, model="gemini/text-embedding-004").json()
    assert (answer["aihub"]["cost"], answer["aihub"]["currency"]) == (None, None)


# --- what goes wrong ---


NO_INPUTS: list[Any] = [
    *("", [], [""], ["text", ""], None, 5, {}, [1.5], [True], [[1], "text"], [[]], [[[1]]], [None], [-1]),
    *([2**64], ["x"] * 2_049, ["x" * 2_000_001]),
]


def test_an_input_that_is_none_is_refused(ann: TestClient, openai: OpenAIServer) -> None:
    for sent in NO_INPUTS:
        answer = embed(ann, input=sent)
        assert answer.status_code == 400, str(sent)[:50]
        assert error_of(answer)["type"] == "invalid_request_error"
        assert error_of(answer)["message"]
    assert openai.asked == []


WRONG: dict[str, list[Any]] = {
    "model": [None, "", 5, "x" * 301],
    "dimensions": [0, 2**70, 1.5, True],
    "encoding_format": ["float16"],
    "user": [5],
}


def test_a_wrong_field_is_named(ann: TestClient, openai: OpenAIServer) -> None:
    for field, value in ((field, value) for field, values in WRONG.items() for value in values):
        answer = embed(ann, **{field: value})
        assert (answer.status_code, error_of(answer)["param"]) == (400, field), str(value)[:50]
    assert openai.asked == []


NO_BODIES = [b"", b"null", b"[]", b"{", b"\xff", b'{"model": "m", "input": "\\ud800"}', b"[" * 100_000]


def test_bodies_that_are_none(ann: TestClient, openai: OpenAIServer) -> None:
    for body in NO_BODIES:
        answer = ann.post("/v1/embeddings", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, body[:50]
        assert error_of(answer)["message"]


def test_a_provider_that_makes_none_names_those_that_do(ann: TestClient, hub: Services) -> None:
    answer = embed(ann, model="demo/demo")
    assert answer.status_code == 400
    assert error_of(answer)["message"].startswith("Demo makes no embeddings. Pick a model of one that does: ")
    assert "OpenAI" in error_of(answer)["message"]
    assert calls_of(hub) == ()


def test_token_ids_go_only_where_they_are_understood(ann: TestClient, gemini: GeminiServer) -> None:
    answer = embed(ann, model="gemini/gemini-embedding-001", input=[[1, 2]])
    assert answer.status_code == 400
    assert error_of(answer)["message"] == "Gemini takes no token ids. Send the input as text."
    assert gemini.asked == []


def test_a_model_that_is_not_there(ann: TestClient, openai: OpenAIServer) -> None:
    for name in ("openai/nothing", "nothing"):
        answer = embed(ann, model=name)
        assert (answer.status_code, error_of(answer)["code"]) == (404, "model_not_found")


def test_a_failure_of_the_provider_is_told_and_counted(
    ann: TestClient, openai: OpenAIServer, hub: Services
) -> None:
    openai.queue(openai_server.rate_limit(seconds=7))
    answer = embed(ann)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert error_of(answer)["type"] == "rate_limit_error"
    [call] = calls_of(hub)
    assert (call.status, call.error_kind, call.cost) == (CallStatus.FAILED, "rate_limit", Money(0, "USD"))


def test_a_call_is_stopped_when_its_client_leaves(
    ann: TestClient, openai: OpenAIServer, hub: Services
) -> None:
    openai.queue(Script(hang_after=0))
    body = json.dumps({"model": MODEL, "input": "text"}).encode()
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not sent:
            sent.append(True)
            return {"type": "http.request", "body": body}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def ask() -> None:
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/embeddings",
            "query_string": b"",
            "headers": [(b"authorization", ann.headers["Authorization"].encode())],
        }
        asking = asyncio.ensure_future(ann.app(scope, receive, answer))
        await asyncio.to_thread(openai.wait_for, lambda: openai.asked)
        gone.set()
        await asking

    async def answer(message: Any) -> None:
        answered.append(message)

    sent: list[bool] = []
    answered: list[Any] = []
    asyncio.run(ask())
    openai.wait_for(lambda: openai.asked[0].left)
    [call] = calls_of(hub)
    assert (call.status, call.estimated) == (CallStatus.STOPPED, True)


def test_a_budget_refuses(ann: TestClient, openai: OpenAIServer, hub: Services) -> None:
    own = ann.get("/api/users/me").json()["id"]
    hub.budgets.add(admin(own), BudgetScope.USER, Money(1, "USD"), for_user=own)
    answer = embed(ann)
    assert answer.status_code == 429
    assert error_of(answer)["code"] == "insufficient_quota"
    assert openai.asked == []


def test_who_may_ask(nobody: TestClient, ann: TestClient, openai: OpenAIServer) -> None:
    assert embed(nobody).status_code == 401
    for scope, status in (("chat", 200), ("read", 403)):
        made = ann.post("/api/tokens", json={"name": scope, "scopes": [scope]}).json()
        answer = nobody.post(
            "/v1/embeddings",
            json={"model": MODEL, "input": "text"},
            headers={"Authorization": f"Bearer {made['token']}"},
        )
        assert answer.status_code == status
    assert len(openai.asked) == 1


# --- the official client against a running hub ---


@pytest.fixture
def client(tmp_path: Path) -> Iterator[tuple[OpenAI, OpenAIServer]]:
    """OpenAI's own client with a personal token of a hub, and the server that stands behind the hub."""
    with OpenAIServer(api_key=KEY) as server:
        settings = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url}
        with running_hub(tmp_path / "data", settings) as address, Client(base_url=address) as web:
            person = {"email": "ann@example.com", "username": "ann", "password": PASSWORD}
            assert web.post("/api/users", json=person).status_code == 201
            token = web.post("/api/auth/login", json=person).json()["access_token"]
            bearer = {"Authorization": f"Bearer {token}"}
            made = web.post("/api/tokens", json={"name": "sdk", "scopes": ["chat"]}, headers=bearer).json()
            with OpenAI(api_key=made["token"], base_url=f"{address}/v1", max_retries=0) as sdk:
                yield sdk, server


def test_the_official_client_embeds(client: tuple[OpenAI, OpenAIServer]) -> None:
    sdk, server = client
    # Without a format the client asks for base64, and reads it.
    usual = sdk.embeddings.create(model=MODEL, input=TEXTS)
    assert [each.embedding for each in usual.data] == [vector_of(text) for text in TEXTS]
    assert (usual.usage.prompt_tokens, usual.usage.total_tokens) == (5, 5)
    as_numbers = sdk.embeddings.create(
        model="text-embedding-3-small", input=TEXTS[0], encoding_format="float"
    )
    assert as_numbers.data[0].embedding == vector_of(TEXTS[0])
    by_ids = sdk.embeddings.create(model=MODEL, input=[[1, 2], [3]], dimensions=8)
    assert [len(each.embedding) for each in by_ids.data] == [8, 8]
    many = sdk.embeddings.create(
        model=MODEL, input=[f"text {number}" for number in range(2_048)], dimensions=1_536
    )
    assert many.data[2_047].embedding == vector_of("text 2047", 1_536)
    with pytest.raises(NotFoundError, match="no model"):
        sdk.embeddings.create(model="nothing", input="text")
    with pytest.raises(BadRequestError, match="Demo makes no embeddings"):
        sdk.embeddings.create(model="demo/demo", input="text")
    assert len(server.asked) == 4
