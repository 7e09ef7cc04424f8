"""/metrics: who may read it, and what it says."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr, ValidationError
from starlette.testclient import TestClient

from api.app import create_api
from api.request_counts import CountsRequests, RequestCounts
from core import services
from core.config import Settings
from core.errors import AppError, ErrorKind
from core.generation.activity import MAX_PROVIDERS, ActivityLog
from core.generation.types import ModelRef, Outcome
from core.pricing.types import CallCost
from core.providers.demo import DemoProvider
from core.providers.registry import ProviderRegistry
from core.providers.types import TokenUsage
from core.services import Services, open_services
from core.usage.types import CallStatus
from tests.support.members import fast_passwords

TOKEN = "a-token-for-scrapes-only"
Open = Callable[..., TestClient]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """A hub with settings about metrics, asked from `address`."""
    running: list[Services] = []

    def start(address: str = "127.0.0.1", **values: object) -> TestClient:
        settings = Settings(data_dir=tmp_path, signup="open", **values)  # pyright: ignore[reportArgumentType]
        hub = open_services(
            settings, ProviderRegistry(settings, DemoProvider(float("inf"))), passwords=fast_passwords()
        )
        running.append(hub)
        monkeypatch.setattr(services, "_current", hub)
        return TestClient(create_api(), base_url="http://127.0.0.1", client=(address, 50_000))

    yield start
    for hub in running:
        hub.close()


def samples(client: TestClient, **headers: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_is_not_there_unless_asked_for(opened: Open) -> None:
    answer = opened().get("/metrics")
    assert (answer.status_code, answer.json()["error_type"]) == (404, "not_found")


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.168.1.9", 404)])
def test_local_is_for_this_machine(opened: Open, address: str, status: int) -> None:
    client = opened(address, metrics="local")
    assert client.get("/metrics").status_code == status
    assert client.get("/metrics", headers={"Host": "hub.example.com"}).status_code == 404


@pytest.mark.parametrize(
    "header", ["", TOKEN, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"]
)
def test_a_token_must_be_the_right_one(opened: Open, header: str) -> None:
    client = opened("192.168.1.9", metrics="token", metrics_token=SecretStr(TOKEN))
    refused = client.get("/metrics", headers=[(b"Authorization", header.encode("latin-1"))])
    assert refused.status_code == 401
    assert TOKEN not in refused.text
    allowed = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert allowed.status_code == 200
    assert allowed.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("token", [None, SecretStr(""), SecretStr("short")])
def test_a_token_that_can_be_guessed_is_no_setting(token: SecretStr | None) -> None:
    with pytest.raises(ValidationError, match="16 characters or more"):
        Settings(metrics="token", metrics_token=token)


def test_requests_are_counted_by_template(opened: Open) -> None:
    client = opened(metrics="local")
    for number in range(1, 40):
        client.delete(f"/api/tokens/{number}")
        client.get(f"/api/nothing/{number}")
        client.request(f"MADE{number}", "/api/tokens")
    client.get("/api/health/")
    found = samples(client)
    counted = {
        (labels["route"], labels["method"], labels["status"]): value
        for name, each in found
        if name == "aihub_http_request_duration_seconds_count"
        for labels in [dict(each)]
        for value in [found[name, each]]
    }
    assert counted == {
        ("/api/tokens/{token_id}", "DELETE", "4xx"): 39,
        ("unmatched", "GET", "4xx"): 39,
        ("/api/tokens", "other", "4xx"): 39,
        ("/api/health", "GET", "2xx"): 1,
    }
    most = max(value for (name, _), value in found.items() if name.endswith("duration_seconds_bucket"))
    assert most == 39


def test_what_the_engine_did_is_counted(opened: Open) -> None:
    client = opened(metrics="local")
    hub = services.current()
    user = hub.accounts.local_account().id
    sent = hub.chat.send(user, None, "Hello, my secret word is swordfish", "demo", "demo")
    assert sent.generation.wait(20)
    found = samples(client)
    ended = frozenset({("provider", "demo"), ("status", "completed")})
    assert found["aihub_generations_total", ended] == 1
    assert found["aihub_tokens_total", frozenset({("provider", "demo"), ("kind", "output")})] > 0
    assert found["aihub_generations_running", frozenset()] == 0
    assert ("process_resident_memory_bytes", frozenset()) in found
    build = next(dict(labels) for name, labels in found if name == "aihub_build_info")
    assert (build["version"], build["database"]) == ("0.1.0", "sqlite")
    assert "swordfish" not in client.get("/metrics").text


def test_providers_without_end_are_counted_together() -> None:
    log = ActivityLog()
    limited = AppError(ErrorKind.RATE_LIMIT, "slow down")
    for number in range(MAX_PROVIDERS + 10):
        log.noted(
            Outcome(
                CallStatus.FAILED,
                "",
                TokenUsage(1, 0, 0, 0, 2),
                CallCost(None, "unpriced"),
                5,
                error=limited,
                answered_by=ModelRef(f"p{number}", "m"),
            )
        )
    activity = log.state(0, 0)
    assert len(activity.ended) == MAX_PROVIDERS + 1
    assert activity.rate_limited["other"] == 10
    assert activity.tokens["other", "output"] == 20


def test_open_streams_and_refusals_are_seen() -> None:
    counts, seen = RequestCounts(), list[int]()

    async def stream(scope: object, receive: object, send: Callable[..., object]) -> None:
        start = {
            "type": "http.response.start",
            "status": 429,
            "headers": [(b"content-type", b"text/event-stream")],
        }
        await send(start)  # pyright: ignore[reportGeneralTypeIssues]
        seen.append(counts.streams)
        await send({"type": "http.response.body", "body": b""})  # pyright: ignore[reportGeneralTypeIssues]

    TestClient(CountsRequests(stream, counts)).get("/v1/models")
    assert (seen, counts.streams, dict(counts.refused)) == ([1], 0, {"openai": 1})
