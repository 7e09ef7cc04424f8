"""What the database is, for who keeps it."""

from dataclasses import dataclass

from sqlalchemy import text

from core.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """`kind`: SQLite or PostgreSQL, with the `version` that runs. `size` in bytes, all tables and indexes; SQLite's
    file without its log."""

    kind: str
    version: str
    size: int


def database_facts(unit: UnitOfWork) -> DatabaseFacts:
    """Asked of the database itself."""
    with unit.read() as session:
        if unit.dialect == "sqlite":
            version = session.execute(text("SELECT sqlite_version()")).scalar_one()
            pages = session.execute(text("PRAGMA page_count")).scalar_one()
            size = pages * session.execute(text("PRAGMA page_size")).scalar_one()
            return DatabaseFacts("SQLite", version, size)
        version = session.execute(text("SHOW server_version")).scalar_one()
        size = session.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        return DatabaseFacts("PostgreSQL", version.split()[0], size)
