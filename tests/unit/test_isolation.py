"""The tests' own fences: no network, none of the machine's settings, a database of one's own."""

import os
import socket
import sys
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import create_engine, inspect, text

from core.config import Settings
from tests.support.isolation import NetworkBlockedError, NetworkGuard, is_loopback, kept_main
from tests.support.server import free_port


def test_other_hosts_are_refused_and_remembered(network: NetworkGuard) -> None:
    with socket.socket() as sock, pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1"):
        sock.connect(("192.0.2.1", 443))
    with pytest.raises(NetworkBlockedError, match="tests/fakes"):
        socket.create_connection(("provider.invalid", 443))
    assert network.attempts == ["192.0.2.1", "provider.invalid"]
    network.attempts.clear()  # these two were meant


def test_this_machine_is_reached(network: NetworkGuard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    assert network.attempts == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", b"localhost", None, ""])
def test_loopback(host: str | bytes | None) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "10.0.0.1", "169.254.1.1", "fe80::1%eth0", "localhost.example.com"]
)
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_settings_of_the_machine_are_hidden(tmp_path: Path) -> None:
    assert Settings().data_dir == tmp_path / "data"
    assert Settings().gemini_api_key is None
    assert [name for name in os.environ if name.startswith(("AIHUB_", "OPENAI_"))] == ["AIHUB_DATA_DIR"]


@pytest.mark.parametrize("again", [False, True])
def test_each_test_has_a_database_without_a_row(database_url: str, again: bool) -> None:
    engine = create_engine(database_url)
    try:
        tables = inspect(engine).get_table_names()
        assert "usage_events" in tables
        assert "left_behind" not in tables
        with engine.begin() as connection:
            rows = [connection.scalar(text(f'SELECT count(*) FROM "{table}"')) for table in tables]
            assert sum(rows) == 1, "alembic_version has one, the others have none"
            connection.execute(text("CREATE TABLE left_behind (id INTEGER)"))
    finally:
        engine.dispose()


def test_what_ran_as_the_main_module_is_gone_afterwards() -> None:
    main = sys.modules["__main__"]
    with kept_main():
        sys.modules["__main__"] = ModuleType("__main__")
    assert sys.modules["__main__"] is main


def test_workers_draw_their_ports_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    drawn: list[set[int]] = []
    for worker in ("gw0", "gw1"):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        drawn.append({free_port() % 2 for _ in range(20)})
    assert drawn == [{0}, {1}]
