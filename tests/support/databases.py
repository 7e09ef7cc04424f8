"""A fresh database for a test, without a row: a SQLite file, or one on a PostgreSQL server that is dropped afterwards.

The schema is made once a run and copied: to migrate anew for each of a thousand tests would take minutes.
"""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

from core.store.engine import open_engine
from core.store.migrate import upgrade
from tests.support.options import POSTGRES_URL, REQUIRE_POSTGRES


def sqlite_url(folder: Path) -> str:
    """A SQLite file in `folder`, with the newest schema; it goes with the folder."""
    path = folder / "aihub.db"
    if not path.exists():
        shutil.copyfile(_sqlite_template(), path)
    return f"sqlite:///{path}"


@cache
def _sqlite_template() -> Path:
    folder = tempfile.mkdtemp(prefix="aihub-template-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "aihub.db"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine)
    # Closing the last connection writes SQLite's log into the file that is copied.
    engine.dispose()


@cache
def _postgres_template() -> str:
    """The name of a database with the newest schema, on the server for as long as this run."""
    server = make_url(POSTGRES_URL)
    name = f"aihub_test_template_{uuid4().hex}"
    _execute(server, f'CREATE DATABASE "{name}" TEMPLATE template0')
    atexit.register(_execute, server, f'DROP DATABASE "{name}" WITH (FORCE)')
    _migrate(server.set(database=name).render_as_string(hide_password=False))
    return name


@contextmanager
def postgres_database() -> Iterator[str]:
    """URL of a new database with the newest schema. Its random name keeps runs on one server apart."""
    server = make_url(POSTGRES_URL)
    if reason := _unreachable():
        message = f"no PostgreSQL at {server.render_as_string()}: {reason}"
        if REQUIRE_POSTGRES:
            pytest.fail(message)
        pytest.skip(message)
    name = f"aihub_test_{uuid4().hex}"
    _execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{_postgres_template()}"')
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
