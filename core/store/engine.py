"""The database engine: SQLite tuned for one machine, or PostgreSQL."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

# How long a writer waits for another process before the user is told that the database is busy.
BUSY_TIMEOUT_MS = 5_000
# Of each connection to SQLite.
CACHE_KB = 32 << 10
READ_ONLY = "aihub_read_only"


def open_engine(url: str, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """An engine for `url` (`sqlite:///path` or `postgresql+psycopg://…`); nothing is connected yet.

    Raises ValueError for any other database.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(url, parsed.database, busy_timeout_ms)
    if backend == "postgresql":
        if parsed.get_driver_name() != "psycopg":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(
            parsed,
            pool_size=10,
            max_overflow=20,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": 5, "options": f"-c lock_timeout={busy_timeout_ms}"},
        )
    raise ValueError(f"AIHUB_DATABASE_URL: {backend} is not supported; use postgresql:// or leave it unset")


def _open_sqlite(url: str, database: str | None, busy_timeout_ms: int) -> Engine:
    if database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": busy_timeout_ms / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        assert isinstance(connection, sqlite3.Connection)
        # sqlite3's own transaction control is off: `begin` below says which kind we want.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            # FULL: a call that was shown as recorded survives a power cut, not only a crash.
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={busy_timeout_ms}",
            f"cache_size=-{CACHE_KB}",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock up front and waits for it; a deferred transaction that
        # turns into a write fails at once with "database is locked" instead.
        options: dict[str, Any] = dict(connection.get_execution_options())
        connection.exec_driver_sql("BEGIN" if options.get(READ_ONLY) else "BEGIN IMMEDIATE")

    return engine
