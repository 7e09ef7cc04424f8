"""A fresh, empty database for a test: a SQLite file, or one on a PostgreSQL server that is dropped afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

from tests.support.options import POSTGRES_URL, REQUIRE_POSTGRES


def sqlite_url(folder: Path) -> str:
    """A SQLite file in `folder`; it goes with the folder."""
    return f"sqlite:///{folder / 'aihub.db'}"


@contextmanager
def postgres_database() -> Iterator[str]:
    """URL of a new database. Its random name keeps runs on one server apart."""
    server = make_url(POSTGRES_URL)
    if reason := _unreachable():
        message = f"no PostgreSQL at {server.render_as_string()}: {reason}"
        if REQUIRE_POSTGRES:
            pytest.fail(message)
        pytest.skip(message)
    name = f"aihub_test_{uuid4().hex}"
    _execute(server, f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        _execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@cache
def _unreachable() -> str | None:
    """Why the server cannot be used, asked once a run."""
    try:
        _execute(make_url(POSTGRES_URL), "SELECT 1")
    except psycopg.OperationalError as error:
        return str(error).strip()
    return None


def _execute(server: URL, statement: str) -> None:
    with psycopg.connect(
        host=server.host,
        port=server.port,
        user=server.username,
        password=server.password,
        dbname=server.database,
        connect_timeout=3,
        autocommit=True,
    ) as connection:
        connection.execute(statement.encode())
