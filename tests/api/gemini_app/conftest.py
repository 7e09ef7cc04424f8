"""A hub that talks to a fake Gemini server, and members of it with sessions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_api
from core import services
from core.config import Settings
from core.providers.demo import DemoProvider
from core.providers.registry import ProviderRegistry
from core.services import Services, open_services
from tests.api.conftest import PASSWORD
from tests.fakes.gemini_server import GeminiServer
from tests.support.hub import KEY, NO_RETRY
from tests.support.members import fast_passwords
from tests.support.people import member

SESSIONS = "/api/v1/gemini/chat-sessions/"
MESSAGES = "/api/v1/gemini/chat-messages/"
RU = {"Accept-Language": "ru-RU,ru;q=0.9"}


@dataclass(frozen=True)
class Member:
    """Somebody with `Authorization: Session` on every request. `secret`: the session id; `csrf`: its token."""

    client: TestClient
    id: int
    secret: str
    csrf: str

    def session(self, title: str = "Python разработка") -> int:
        """A new chat session's id."""
        made = self.client.post(SESSIONS, json={"title": title})
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def post_bytes(self, address: str, body: bytes, method: str = "POST") -> Response:
        """A body as it stands, which need not be JSON."""
        return self.client.request(
            method, address, content=body, headers={"Content-Type": "application/json"}
        )

    def say(self, session: int, content: str, **headers: Any) -> Response:
        return self.client.post(f"{SESSIONS}{session}/send_message/", json={"content": content}, **headers)


Join = Callable[..., Member]


@pytest.fixture
def gemini() -> Iterator[GeminiServer]:
    with GeminiServer(api_key=KEY) as server:
        yield server


@pytest.fixture
def hub(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gemini: GeminiServer
) -> Iterator[Services]:
    """The services, without a key of their own; a failure is seen as it is, not tried again."""
    values: dict[str, Any] = {
        "data_dir": tmp_path,
        "database_url": database_url,
        "signup": "open",
        "GOOGLE_GEMINI_BASE_URL": gemini.url,
    }
    settings = Settings(**values)
    opened = open_services(
        settings, ProviderRegistry(settings, DemoProvider(float("inf"))), NO_RETRY, fast_passwords()
    )
    monkeypatch.setattr(services, "_current", opened)
    yield opened
    opened.close()


@pytest.fixture
def join(hub: Services) -> Iterator[Join]:
    """Makes an account, signs it in and gives it a key for Gemini, unless told not to."""
    clients: list[TestClient] = []

    def make(name: str, *, key: str | None = KEY) -> Member:
        client = TestClient(create_api(), base_url="http://127.0.0.1", raise_server_exceptions=False)
        clients.append(client)
        person = {"email": f"{name}@example.com", "username": name, "password": PASSWORD}
        user_id: int = client.post("/api/users/", json=person).json()["id"]
        client.post("/api/auth/login", json=person)
        secret, csrf = client.cookies["sessionid"], client.cookies["csrftoken"]
        client.cookies.clear()
        client.headers["Authorization"] = f"Session {secret}"
        if key is not None:
            hub.keys.add(member(user_id), "gemini", "", key)
        return Member(client, user_id, secret, csrf)

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def admin(join: Join) -> Member:
    """The first account, with a key."""
    return join("admin")


@pytest.fixture
def other(admin: Member, join: Join) -> Member:
    """Another account, without a key and without rights."""
    return join("other", key=None)
