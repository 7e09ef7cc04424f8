"""Brings the database to the newest schema at start, under a lock, so that two starts cannot collide."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from sqlalchemy import Connection, Engine, text

MIGRATIONS_DIR = Path(__file__).parent / "migrations"
# Any number will do as long as nothing else on the server takes the same one.
_ADVISORY_LOCK = 4_151_948_221


def upgrade(engine: Engine) -> None:
    """Apply every migration that is missing. Waits for another process that is doing the same."""
    # Alembic takes 0.1 s to import; only a start needs it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    with _alone(engine), engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _alone(engine: Engine) -> Generator[None]:
    if engine.dialect.name == "sqlite":
        database = engine.url.database
        if not database or database == ":memory:":
            yield
            return
        with FileLock(f"{database}.migrate.lock", timeout=120):
            yield
        return
    with engine.connect() as connection:
        _advisory(connection, "pg_advisory_lock")
        try:
            yield
        finally:
            _advisory(connection, "pg_advisory_unlock")


def _advisory(connection: Connection, function: str) -> None:
    # The engine's lock time-out is for users; a start waits for as long as the other migration takes.
    connection.execute(text("SET lock_timeout = 0"))
    connection.execute(text(f"SELECT {function}(:key)"), {"key": _ADVISORY_LOCK})
    connection.rollback()
