"""Answers that run do not wait for the database: what has to ask it does so beside the event loop."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from core.generation.generation import Generation
from core.generation.recording import LedgerOnly
from core.generation.types import GenerationRequest
from core.pricing.types import Money, Price
from core.providers.types import ChatMessage, CompletionRequest, Role
from core.services import Services
from core.usage.budget_types import BudgetScope
from core.usage.types import CallStatus, Source
from tests.fakes.script import Script
from tests.support.databases import postgres_database
from tests.support.hub import MODEL, me, opened_with_gemini
from tests.support.people import admin
from tests.support.store import NOON

# What another process does to a table, and who asks for it next: the provider of a call that begins now.
Change = Callable[[Services], str]


def a_key(services: Services) -> str:
    services.keys.add(admin(me(services)), "gemini", "Work", "AIzaMadeUpKey-0123456789-abcdefghijklmno")
    return "gemini"


def a_server(services: Services) -> str:
    return services.endpoints.add(admin(me(services)), "Own", "http://127.0.0.1:9/v1").provider_id


def a_budget(services: Services) -> str:
    services.budgets.add(admin(me(services)), BudgetScope.WORKSPACE, Money(10**12, "USD"))
    return "gemini"


def a_price(services: Services) -> str:
    services.price_overrides.add(admin(me(services)), "gemini", MODEL, Price("USD", 1, 1), NOON)
    return "gemini"


def start(services: Services, provider: str) -> Generation:
    completion = CompletionRequest(MODEL, (ChatMessage(Role.USER, "Hello"),))
    request = GenerationRequest(
        request_id=str(uuid.uuid4()),
        user_id=me(services),
        source=Source.API,
        provider=provider,
        completion=completion,
        deadline_seconds=60.0,
    )
    return services.generation.start(request, LedgerOnly())


@contextmanager
def locked(database_url: str, table: str) -> Iterator[Connection]:
    """Whoever reads the table waits until the end."""
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection, connection.begin():
            connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
            yield connection
    finally:
        engine.dispose()


def waits(connection: Connection) -> set[Any]:
    """Who waits for a lock since when."""
    return set(
        connection.execute(
            text(
                "SELECT pid, waitstart FROM pg_locks WHERE NOT granted AND waitstart IS NOT NULL AND database = "
                "(SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )
    )


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("table", "change"),
    [("provider_keys", a_key), ("endpoints", a_server), ("budgets", a_budget), ("price_overrides", a_price)],
)
def test_an_answer_goes_on_while_another_waits_for_the_database(
    tmp_path: Path, table: str, change: Change
) -> None:
    # SQLite's readers wait for nobody.
    with (
        postgres_database() as database_url,
        opened_with_gemini(database_url, tmp_path) as (services, server),
    ):
        server.queue(Script(chunks=["Hello", ", world!"], hang_after=1))
        running = start(services, "gemini")
        pieces = running.follow()
        while next(pieces) is None:
            pass
        provider = change(services)  # so that nothing about it is in memory
        with locked(database_url, table) as connection:
            blocked = start(services, provider)
            while not (asked := waits(connection)):
                assert not blocked.done, "it did not ask for the table"
            server.release()
            while running.text != "Hello, world!":
                next(pieces)
            assert asked & waits(connection), "the answer went on only when the database gave up"
        assert running.wait(30)
        assert blocked.wait(30)
        assert running.outcome is not None
        assert running.outcome.status is CallStatus.COMPLETED
