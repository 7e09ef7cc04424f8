"""Whether a key works, found out before, while and after it is stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import AppError, ErrorKind
from core.generation.breaker import BreakerPolicy, Breakers
from core.models.health import HealthService
from core.models.types import Health
from core.services import Services
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.script import Script
from tests.support.databases import sqlite_unless_both
from tests.support.hub import KEY, me, opened, opened_with_gemini
from tests.support.people import admin

Hub = tuple[Services, GeminiServer]
OWN_KEY = "AIzaSy-a-key-of-my-own-0123456789"


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLite, but for tests that name both: what providers do is no database's to decide."""
    yield from sqlite_unless_both(request, tmp_path)


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    with opened_with_gemini(database_url, tmp_path) as both:
        yield both


def of(overview: tuple[Health, ...], provider: str) -> Health:
    return next(health for health in overview if health.provider == provider)


def test_a_stored_key_that_works_is_told_so_and_remembered(hub: Hub) -> None:
    services, server = hub
    key = services.keys.add(admin(me(services)), "gemini", "Mine", OWN_KEY)
    health = services.health.test_key(me(services), key.id)
    assert (health.provider, health.key_id, health.ok, health.error) == ("gemini", key.id, True, None)
    assert health.report is not None
    assert health.report.models == len(server.models)
    assert health.latency_ms is not None
    assert server.requests[-1].headers["x-goog-api-key"] == OWN_KEY
    (info,) = services.keys.list(me(services))
    assert info.checked_at is not None
    assert info.check_error is None
    assert of(services.health.overview(me(services)), "gemini") == health


def test_a_wrong_key_is_named_and_remembered(hub: Hub) -> None:
    services, server = hub
    server.api_key = KEY
    key = services.keys.add(admin(me(services)), "gemini", "Mine", OWN_KEY)
    health = services.health.test_key(me(services), key.id)
    assert health.ok is False
    assert health.error is not None
    assert health.error.kind is ErrorKind.WRONG_KEY
    assert "“Mine”" in health.error.text()
    assert OWN_KEY not in repr(health)
    (info,) = services.keys.list(me(services))
    assert info.check_error is not None
    assert info.check_error.text() == health.error.text()


def test_an_inactive_key_can_be_tested(hub: Hub) -> None:
    services, server = hub
    key = services.keys.add(admin(me(services)), "gemini", "Mine", OWN_KEY)
    services.keys.set_active(me(services), key.id, False)
    assert services.health.test_key(me(services), key.id).ok is True
    assert server.requests[-1].headers["x-goog-api-key"] == OWN_KEY


def test_another_users_key_does_not_exist(hub: Hub) -> None:
    services, server = hub
    key = services.keys.add(admin(me(services)), "gemini", "Mine", OWN_KEY)
    with pytest.raises(AppError) as refused:
        services.health.test_key(me(services) + 1, key.id)
    assert refused.value.kind is ErrorKind.NOT_FOUND
    assert server.requests == []


def test_a_key_that_belongs_to_another_host_is_not_sent_and_says_why(
    hub: Hub, database_url: str, tmp_path: Path
) -> None:
    services, server = hub
    key = services.keys.add(admin(me(services)), "gemini", "Mine", OWN_KEY)
    with GeminiServer() as other, opened(database_url, tmp_path, other.url) as moved:
        health = moved.health.test_key(me(moved), key.id)
        assert health.ok is False
        assert health.error is not None
        (info,) = moved.keys.list(me(moved))
        assert info.check_error is not None
        assert info.check_error.text() == health.error.text()
        assert of(moved.health.overview(me(moved)), "gemini").ok is False
        assert other.requests == server.requests == []


def test_a_key_is_tested_before_it_is_stored_and_nothing_is_kept_of_it(hub: Hub) -> None:
    services, server = hub
    health = services.health.test_new(admin(me(services)), "gemini", OWN_KEY)
    assert (health.ok, health.key_id) == (True, None)
    assert server.requests[-1].headers["x-goog-api-key"] == OWN_KEY
    assert services.keys.list(me(services)) == ()
    assert of(services.health.overview(me(services)), "gemini").ok is None


def test_a_new_key_is_tested_at_the_address_it_comes_with(hub: Hub) -> None:
    services, server = hub
    with OpenAIServer() as own:
        health = services.health.test_new(admin(me(services)), "openai", "sk-made-up-0123456789", own.url)
        assert health.ok is True
        assert own.requests[-1].headers["authorization"] == "Bearer sk-made-up-0123456789"
        bare = services.health.test_new(admin(me(services)), "local", "", own.url)
        assert bare.ok is True
    assert server.requests == []


BAD = {
    "empty": ("gemini", "  ", None, None),
    "masked": ("gemini", "AIzaSy****789", None, None),
    "address": ("openai", "sk-made-up-0123456789", "not an address", None),
    "option": ("gemini", OWN_KEY, None, {"scope": "x"}),
    "no address": ("local", "", None, None),
}


@pytest.mark.parametrize(("provider", "key", "base_url", "options"), BAD.values(), ids=BAD)
def test_a_new_key_that_cannot_be_one_is_said_to_be_wrong(
    hub: Hub, provider: str, key: str, base_url: str | None, options: dict[str, str] | None
) -> None:
    services, server = hub
    health = services.health.test_new(admin(me(services)), provider, key, base_url, options)
    assert health.ok is False
    assert health.error is not None
    assert health.error.text()
    assert server.requests == []


def test_a_provider_that_does_not_exist_is_not_found(hub: Hub) -> None:
    services, _server = hub
    for test in (
        lambda: services.health.test_new(admin(me(services)), "nobody", OWN_KEY),
        lambda: services.health.health_check(me(services), "nobody"),
    ):
        with pytest.raises(AppError) as refused:
            test()
        assert refused.value.kind is ErrorKind.NOT_FOUND


def test_the_connection_in_use_is_tested_with_the_environments_key(hub: Hub) -> None:
    services, server = hub
    health = services.health.health_check(me(services), "gemini")
    assert (health.ok, health.key_id) == (True, None)
    assert server.requests[-1].headers["x-goog-api-key"] == KEY
    assert of(services.health.overview(me(services)), "gemini") == health
    # Another user goes through the same connection.
    assert of(services.health.overview(me(services) + 1), "gemini") == health


def test_the_connection_in_use_is_tested_with_the_users_own_key(hub: Hub) -> None:
    services, server = hub
    key = services.keys.add(admin(me(services)), "gemini", "Mine", OWN_KEY)
    assert services.health.health_check(me(services), "gemini").key_id == key.id
    assert server.requests[-1].headers["x-goog-api-key"] == OWN_KEY
    (info,) = services.keys.list(me(services))
    assert info.checked_at is not None


def test_a_provider_without_a_key_is_said_to_have_none(hub: Hub) -> None:
    services, _server = hub
    health = services.health.health_check(me(services), "openai")
    assert health.ok is False
    assert health.error is not None
    assert health.error.kind is ErrorKind.NO_KEY


def test_a_server_that_is_down_is_said_to_be(database_url: str, tmp_path: Path) -> None:
    with GeminiServer() as server:
        url = server.url
    with opened(database_url, tmp_path, url) as services:
        health = services.health.health_check(me(services), "gemini")
    assert health.ok is False
    assert health.error is not None
    assert health.error.kind is ErrorKind.UNREACHABLE


def test_a_server_that_does_not_answer_is_given_up(hub: Hub) -> None:
    services, server = hub
    server.listing = Script(hang_after=0)
    health = HealthService(
        services.registry, services.keys, services.generation, services.breakers, check_seconds=0.2
    )
    found = health.health_check(me(services), "gemini")
    assert found.ok is False
    assert found.error is not None
    assert found.error.kind is ErrorKind.TIMEOUT
    assert "Gemini did not answer within" in found.error.text()
    server.release()


def test_another_process_sees_how_the_test_of_a_key_went(hub: Hub, database_url: str, tmp_path: Path) -> None:
    services, server = hub
    key = services.keys.add(admin(me(services)), "gemini", "Mine", OWN_KEY)
    with opened(database_url, tmp_path, server.url) as other:
        assert of(other.health.overview(me(other)), "gemini").ok is None
        assert services.health.test_key(me(services), key.id).ok is True
        seen = of(other.health.overview(me(other)), "gemini")
        assert (seen.ok, seen.key_id, seen.report) == (True, key.id, None)
        server.api_key = KEY
        assert other.health.test_key(me(other), key.id).ok is False
        mine = of(services.health.overview(me(services)), "gemini")
        assert mine.ok is False
        assert mine.error is not None
        assert mine.report is None


def test_the_overview_asks_nobody_and_shows_an_open_breaker(hub: Hub) -> None:
    services, server = hub
    breakers = Breakers(BreakerPolicy(failures=1, span_seconds=0))
    health = HealthService(services.registry, services.keys, services.generation, breakers)
    route = services.registry.route("gemini", me(services))
    breakers.enter("gemini", route.key_ref, "Gemini").failed()
    found = health.overview(me(services))
    assert [each.provider for each in found] == ["gemini", "demo"]
    assert (found[0].ok, found[0].breaker.open, found[0].breaker.failures) == (None, True, 1)
    assert not found[1].breaker.open
    assert server.requests == []


def test_the_demo_is_always_well(hub: Hub) -> None:
    services, _server = hub
    assert services.health.health_check(me(services), "demo").ok is True
