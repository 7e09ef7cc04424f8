"""A hub as users start it, in front of the providers' servers, and its first account."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.openai_server import OpenAIServer
from tests.support.server import running_hub

EMAIL, PASSWORD = "user@example.com", "strong_password"
OPENAI_MODELS = ("gpt-4o", "gpt-4", "gpt-3.5-turbo")
# Made up on the spot; the servers are ours.
OPENAI_KEY, GEMINI_KEY = "sk-ABC1234-of-no-use-anywhere-9876XYZ", "AIzaSy-of-no-use-anywhere-at-all-0000"


@dataclass(frozen=True)
class Hub:
    """A running hub, the servers behind it, and clients of its first account for each surface."""

    url: str
    openai: OpenAIServer
    gemini: GeminiServer
    aihub: httpx.Client
    app: httpx.Client


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Keys for OpenAI and Gemini are there; everything else is as on a fresh machine."""
    data: Path = tmp_path_factory.mktemp("conformance")
    with (
        OpenAIServer(models=OPENAI_MODELS, api_key=OPENAI_KEY) as openai,
        AnthropicServer(models=("claude-3-opus",)) as anthropic,
        GeminiServer(api_key=GEMINI_KEY) as gemini,
    ):
        settings = {
            "OPENAI_BASE_URL": openai.url,
            "ANTHROPIC_BASE_URL": anthropic.url,
            "GOOGLE_GEMINI_BASE_URL": gemini.url,
            "AIHUB_SIGNUP": "open",
        }
        with running_hub(data, settings) as url, httpx.Client(base_url=url) as nobody:
            who = {"email": EMAIL, "username": "johndoe", "password": PASSWORD}
            assert nobody.post("/api/users/", json=who).status_code == 201
            with bearer(url, EMAIL) as aihub, session(url, EMAIL) as app:
                for provider, key in (("openai", OPENAI_KEY), ("gemini", GEMINI_KEY)):
                    body = {"provider": provider, "api_key": key, "name": provider, "is_active": True}
                    assert aihub.post("/api/api-keys/", json=body).status_code == 201
                yield Hub(url, openai, gemini, aihub, app)


@contextmanager
def bearer(url: str, email: str) -> Iterator[httpx.Client]:
    """A client of AIHub's surface, signed in."""
    with httpx.Client(base_url=url, timeout=30) as client:
        answer = client.post("/api/auth/login", json={"email": email, "password": PASSWORD})
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


@contextmanager
def session(url: str, email: str) -> Iterator[httpx.Client]:
    """A client of the Gemini app's surface, signed in."""
    with httpx.Client(base_url=url, timeout=30) as client:
        answer = client.post("/api/auth/login", json={"email": email, "password": PASSWORD})
        secret = answer.cookies["sessionid"]
        client.cookies.clear()
        client.headers["Authorization"] = f"Session {secret}"
        yield client


@pytest.fixture
def api(hub: Hub) -> httpx.Client:
    """The first account on AIHub's surface."""
    return hub.aihub


@pytest.fixture
def app(hub: Hub) -> httpx.Client:
    """The first account on the Gemini app's surface."""
    return hub.app
