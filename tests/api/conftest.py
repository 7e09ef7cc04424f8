"""A hub of its own for each test of the REST surfaces, on both databases, and people who sign in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_api
from core import services
from core.config import Settings
from core.services import Services, open_services

PASSWORD = "a quiet harbour at dawn"
SignUp = Callable[[str], TestClient]


@pytest.fixture
def hub(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The services that the API asks."""
    settings = Settings(data_dir=tmp_path, database_url=SecretStr(database_url), signup="open")
    opened = open_services(settings)
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
