"""Servers of the workspace, each a provider under a name of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core.accounts.endpoints import EndpointService, slug
from core.accounts.tables import ProviderKey
from core.errors import AppError, ErrorKind
from core.providers.types import Capability
from core.services import Services
from tests.fakes.openai_server import OpenAIServer
from tests.support.hub import me, opened
from tests.support.people import ADMIN, admin

KEY = "sk-made-up-key-0123456789-abcdefghij"
URL = "http://127.0.0.1:11434/v1"


@pytest.fixture
def services(database_url: str, tmp_path: Path) -> Iterator[Services]:
    with opened(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(models=("llama",)) as running:
        yield running


def models(services: Services, provider: str) -> list[str]:
    """One real call through the SDK."""
    found = services.generation.portal.call(services.registry.models, provider, me(services))
    return [model.id for model in found]


def refused(act: Callable[[], object], kind: ErrorKind) -> AppError:
    with pytest.raises(AppError) as caught:
        act()
    assert caught.value.kind is kind
    return caught.value


def test_an_endpoint_is_a_provider_that_needs_no_key(services: Services, server: OpenAIServer) -> None:
    made = services.endpoints.add(admin(me(services)), " My  Ollama ", f"{server.url}/")
    assert services.endpoints.list() == (made,)
    assert (made.provider_id, made.label, made.base_url, made.is_free) == (
        "my-ollama",
        "My Ollama",
        server.url,
        True,
    )
    assert [info.id for info in services.registry.infos(me(services))] == ["my-ollama", "demo"]
    info = services.registry.info("my-ollama")
    assert (info.label, info.free_reason) == ("My Ollama", "runs on your own machine")
    assert Capability.STREAM in info.capabilities
    assert services.registry.get("my-ollama").info == info
    assert services.registry.environment_key("my-ollama") is None
    assert not services.registry.is_from_environment("my-ollama")
    assert services.registry.address("my-ollama") == server.url
    assert models(services, "my-ollama") == ["llama"]


def test_a_key_of_an_endpoint_goes_along(services: Services, server: OpenAIServer) -> None:
    services.endpoints.add(admin(me(services)), "Ollama", server.url)
    assert services.keys.add(admin(me(services)), "ollama", "", KEY).label == "Ollama"
    models(services, "ollama")
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_a_key_stays_behind_when_its_server_moves(services: Services, server: OpenAIServer) -> None:
    user = me(services)
    made = services.endpoints.add(admin(user), "Ollama", server.url)
    services.keys.add(admin(user), "ollama", "Work", KEY)
    with OpenAIServer() as elsewhere:
        moved = services.endpoints.update(ADMIN, made.id, base_url=elsewhere.url)
        assert (moved.base_url, moved.provider_id, moved.label) == (elsewhere.url, "ollama", "Ollama")
        error = refused(lambda: models(services, "ollama"), ErrorKind.WRONG_KEY)
        assert "“Work” was stored for 127.0.0.1:" in error.text()
        assert elsewhere.requests == []
    services.endpoints.update(ADMIN, made.id, base_url=server.url)
    assert models(services, "ollama") == ["llama"]


def test_an_endpoint_that_changes_is_another_adapter(services: Services, server: OpenAIServer) -> None:
    made = services.endpoints.add(admin(me(services)), "Ollama", URL)
    before = services.registry.get("ollama")
    services.endpoints.update(ADMIN, made.id, label="GPU box", is_free=False)
    info = services.registry.info("ollama")
    assert (info.label, info.free_reason) == ("GPU box", None)
    assert services.registry.get("ollama") is not before
    assert services.registry.get("ollama").info == info


def test_a_deleted_endpoint_takes_its_keys_along(services: Services) -> None:
    user = me(services)
    made = services.endpoints.add(admin(user), "Ollama", URL)
    services.keys.add(admin(user), "ollama", "Work", KEY)
    assert services.registry.route("ollama", user).key_id is not None
    services.endpoints.delete(ADMIN, made.id)
    assert services.endpoints.list() == ()
    refused(lambda: services.registry.get("ollama", user), ErrorKind.NOT_FOUND)
    with services.unit.read() as session:
        assert session.scalars(select(ProviderKey.id)).all() == []
    services.endpoints.add(admin(user), "Ollama", URL)
    assert services.registry.route("ollama", user).key_id is None


@pytest.mark.parametrize(
    ("url", "is_free"),
    [(URL, True), ("http://ollama:11434/v1", True), ("https://openrouter.example/api/v1", False)],
)
def test_calls_to_ones_own_network_are_free_unless_said_otherwise(
    services: Services, url: str, is_free: bool
) -> None:
    user = me(services)
    assert services.endpoints.add(admin(user), "One", url).is_free is is_free
    assert services.endpoints.add(admin(user), "Two", url, not is_free).is_free is not is_free


def test_ids_are_unique_and_never_a_known_providers(services: Services) -> None:
    labels = ["Ollama", "ollama!", "OLLAMA", "OpenAI", "Demo", "local", "x" * 100, "x" * 100]
    made = [services.endpoints.add(admin(me(services)), label, URL).provider_id for label in labels]
    assert made == [
        *("ollama", "ollama-2", "ollama-3", "openai-2", "demo-2", "local-2"),
        *("x" * 40, "x" * 38 + "-2"),
    ]


@pytest.mark.parametrize(
    ("label", "made"),
    [
        ("LM Studio 2", "lm-studio-2"),
        ("Сервер Юлии", "server-yulii"),
        ("Щётка/Ёж", "schetka-ezh"),
        ("Café №1", "cafe-no1"),
        ("私の", "endpoint"),
        ("--- ---", "endpoint"),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_ids_are_made_from_names(label: str, made: str) -> None:
    assert slug(label) == made


@pytest.mark.parametrize(
    ("label", "url"),
    [
        ("", URL),
        ("x" * 101, URL),
        ("Box", "ollama:11434"),
        ("Box", "ftp://box/v1"),
        ("Box", "http://a:b@box/v1"),
    ],
)
def test_what_cannot_be_a_server_is_refused(services: Services, label: str, url: str) -> None:
    made = services.endpoints.add(admin(me(services)), "Good", URL)
    changes: dict[str, Any] = {"label": label, "base_url": url}
    refused(lambda: services.endpoints.add(admin(me(services)), **changes), ErrorKind.VALIDATION)
    refused(lambda: services.endpoints.update(ADMIN, made.id, **changes), ErrorKind.VALIDATION)
    assert services.endpoints.list() == (made,)


@pytest.mark.parametrize("number", [0, -1, 999, 2**70])
def test_an_endpoint_that_does_not_exist(services: Services, number: int) -> None:
    refused(lambda: services.endpoints.update(ADMIN, number, label="x"), ErrorKind.NOT_FOUND)
    refused(lambda: services.endpoints.delete(ADMIN, number), ErrorKind.NOT_FOUND)


def test_another_process_sees_a_new_endpoint_when_it_next_looks(services: Services) -> None:
    elsewhere = EndpointService(services.unit, services.registry, refresh_seconds=0)
    assert elsewhere.current() == ()
    services.endpoints.add(admin(me(services)), "Ollama", URL)
    assert [endpoint.provider_id for endpoint in elsewhere.current()] == ["ollama"]
    services.endpoints.update(ADMIN, services.endpoints.list()[0].id, label="Renamed")
    assert [endpoint.label for endpoint in elsewhere.current()] == ["Renamed"]
