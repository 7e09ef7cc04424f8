"""Databases on a PostgreSQL server that are made once, lent, emptied and lent again."""

import atexit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
from psycopg import Connection, sql
from sqlalchemy.engine import make_url

from tests.support.options import POSTGRES_URL

SERVER = make_url(POSTGRES_URL)
# How long a backend that is told to end may take.
_GONE_MS = 10_000
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1
"""
# Everything that makes a schema, a line each: what differs afterwards was changed by a test.
SHAPE: LiteralString = """
SELECT concat_ws(' ', 'relation', relname, relkind, pg_get_expr(relpartbound, oid)) FROM pg_class
WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'column', relname, attname, format_type(atttypid, atttypmod), attnotnull,
    pg_get_expr(adbin, adrelid))
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT concat_ws(' ', 'index', indexdef) FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'trigger', tgrelid::regclass, pg_get_triggerdef(oid), tgenabled)
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT concat_ws(' ', 'function', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Database:
    """A database, what its schema was when it was made, and the rows that came with it: COPY's text by table."""

    name: str
    shape: list[tuple[Any, ...]]
    rows: dict[str, bytes]

    @property
    def url(self) -> str:
        return SERVER.set(database=self.name).render_as_string(hide_password=False)


def created(migrate: Callable[[str], None], durable: bool = False) -> Database:
    """A new database, brought to a schema by `migrate`, which is given its URL; dropped when this process ends.

    `durable`: a commit waits for the disk, as it does in use.
    """
    name = f"aihub_test_{uuid4().hex}"
    with _connected() as server:
        server.execute(_named("CREATE DATABASE {} TEMPLATE template0", name))
        atexit.register(drop, name)
        # No test takes the power away: nothing here has to wait for the disk.
        if not durable:
            server.execute(_named("ALTER DATABASE {} SET synchronous_commit = off", name))
    new = Database(name, [], {})
    migrate(new.url)
    with _connected(name) as connection:
        rows = {table: _copied(connection, table) for table in _filled(connection)}
        return Database(name, connection.execute(SHAPE).fetchall(), rows)


def emptied(database: Database) -> bool:
    """Take away what a test left: connections, rows, counters. False when it changed the schema as well."""
    with _connected() as server:
        others = "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE datname = %s"
        server.execute(others, (_GONE_MS, database.name))
    with _connected(database.name) as connection:
        if connection.execute(SHAPE).fetchall() != database.shape:
            return False
        given = database.rows
        left = [
            name
            for name in _filled(connection)
            if name not in given or given[name] != _copied(connection, name)
        ]
        if left:
            names = sql.SQL(", ").join(map(sql.Identifier, left))
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
        for table in given:
            # Empty if it is not as it was.
            if _copied(connection, table) != given[table]:
                with connection.cursor().copy(_named("COPY {} FROM STDIN", table)) as copy:
                    copy.write(given[table])
        # Of tables that are empty again: a number once taken is not given back with its row.
        connection.execute(
            "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
            " FROM pg_sequences WHERE last_value IS NOT NULL"
        )
    return True


def drop(name: str) -> None:
    with _connected() as server:
        server.execute(_named("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))


def unreachable() -> str | None:
    """Why the server cannot be used; None when it can."""
    try:
        _connected().close()
    except psycopg.OperationalError as error:
        return str(error).strip()
    return None


def _filled(connection: Connection) -> list[str]:
    """The tables that have a row."""
    tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
    one = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    asked = (one.format(sql.Literal(name), sql.Identifier(name)) for name in tables)
    return [name for (name,) in connection.execute(sql.SQL(" UNION ALL ").join(asked)).fetchall()]


def _copied(connection: Connection, table: str) -> bytes:
    with connection.cursor().copy(_named("COPY {} TO STDOUT", table)) as copy:
        return b"".join(map(bytes, copy))


def _named(statement: LiteralString, name: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(name))


def _connected(database: str | None = None) -> Connection:
    return psycopg.connect(
        host=SERVER.host,
        port=SERVER.port,
        user=SERVER.username,
        password=SERVER.password,
        dbname=database or SERVER.database,
        connect_timeout=3,
        autocommit=True,
    )
