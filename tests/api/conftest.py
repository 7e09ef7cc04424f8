"""A hub of its own for each test of the REST surfaces, and people who sign in.

It is on SQLite, and on PostgreSQL too where a test is marked `on_both_databases`.

A test that names `openai` or `gemini` gets a hub that talks to that fake server, for every user.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_api
from core import services
from core.config import Settings
from core.providers.demo import DemoProvider
from core.providers.registry import ProviderRegistry
from core.services import Services, open_services
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.openai_server import OpenAIServer
from tests.support.databases import sqlite_unless_both
from tests.support.hub import KEY, NO_RETRY
from tests.support.members import fast_passwords

PASSWORD = "a quiet harbour at dawn"
SignUp = Callable[[str], TestClient]


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database without a row."""
    yield from sqlite_unless_both(request, tmp_path)


@pytest.fixture
def openai() -> Iterator[OpenAIServer]:
    """OpenAI, as the hub of this test knows it."""
    with OpenAIServer(api_key=KEY) as server:
        yield server


@pytest.fixture
def gemini() -> Iterator[GeminiServer]:
    """Gemini, as the hub of this test knows it."""
    with GeminiServer(api_key=KEY) as server:
        yield server


@pytest.fixture
def hub(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    """The services that the API asks: a demo that does not dawdle, no second tries, and the test's fake servers."""
    values: dict[str, object] = {
        "data_dir": tmp_path,
        "database_url": SecretStr(database_url),
        "signup": "open",
    }
    for fixture, prefix, address in (
        ("openai", "OPENAI", "OPENAI_BASE_URL"),
        ("gemini", "GEMINI", "GOOGLE_GEMINI_BASE_URL"),
    ):
        if fixture in request.fixturenames:
            values |= {f"{prefix}_API_KEY": KEY, address: request.getfixturevalue(fixture).url}
    settings = Settings(**values)  # pyright: ignore[reportArgumentType]
    registry = ProviderRegistry(settings, DemoProvider(float("inf")))
    opened = open_services(settings, registry, NO_RETRY, fast_passwords())
    monkeypatch.setattr(services, "_current", opened)
    yield opened
    opened.close()


@pytest.fixture
def nobody(hub: Services) -> Iterator[TestClient]:
    """Somebody who is not signed in."""
    with TestClient(create_api(), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def sign_up(hub: Services) -> Iterator[SignUp]:
    """Makes an account by its name and signs it in with a Bearer token."""
    opened: list[TestClient] = []

    def make(name: str) -> TestClient:
        client = TestClient(create_api(), base_url="http://127.0.0.1", raise_server_exceptions=False)
        opened.append(client)
        email = f"{name}@example.com"
        made = client.post("/api/users/", json={"email": email, "username": name, "password": PASSWORD})
        assert made.status_code == 201, made.text
        token = client.post("/api/auth/login", json={"email": email, "password": PASSWORD}).json()
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        return client

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def ann(sign_up: SignUp) -> TestClient:
    """The first account, an administrator."""
    return sign_up("ann")


@pytest.fixture
def bob(ann: TestClient, sign_up: SignUp) -> TestClient:
    """Another account, who is none."""
    return sign_up("bob")


def bearer_with(client: TestClient, *scopes: str) -> dict[str, str]:
    """The header of a personal token that reaches as far as `scopes`."""
    made = client.post("/api/tokens", json={"name": "test", "scopes": list(scopes)})
    assert made.status_code == 201, made.text
    return {"Authorization": f"Bearer {made.json()['token']}"}


def send(client: TestClient, method: str, path: str, body: Any) -> Response:
    """A request with `body` in JSON as Python writes it: NaN and lone surrogates too, which the client refuses."""
    return client.request(
        method, path, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
