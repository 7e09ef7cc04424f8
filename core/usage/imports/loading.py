"""Staged calls into the ledger: in one transaction, as fast as the database takes rows."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from core.errors import ErrorKind
from core.store.engine import CACHE_KB
from core.usage.imports.arrow import pa, pc
from core.usage.imports.staging import tables
from core.usage.imports.types import COUNTS
from core.usage.requests import known_requests
from core.usage.types import CallStatus, Source

_COUNTS = tuple(each.value for each in COUNTS)
_COLUMNS = (
    "request_id",
    "occurred_at",
    "day",
    "provider",
    "model",
    "status",
    "error_kind",
    *_COUNTS,
    "requests",
    "cost_nano",
    "currency",
    "price_source",
    "latency_ms",
    "first_token_ms",
    "attempts",
    "from_cache",
    "saved_nano",
    "tags",
)
_ROOM_KB = 64 << 10
_ASKED = 500  # ids a question
_TAGS = {
    "sqlite": (
        "INSERT OR IGNORE INTO usage_event_tags (facet, value, event_id) "
        "SELECT json_extract(tag.value, '$[0]'), json_extract(tag.value, '$[1]'), e.id "
        "FROM usage_events AS e JOIN json_each(e.tags) AS tag WHERE e.batch = :batch AND e.tags IS NOT NULL"
    ),
    "postgresql": (
        "INSERT INTO usage_event_tags (facet, value, event_id) "
        "SELECT tag.value ->> 0, tag.value ->> 1, e.id "
        "FROM usage_events AS e CROSS JOIN LATERAL json_array_elements(e.tags) AS tag "
        "WHERE e.batch = :batch AND e.tags IS NOT NULL ON CONFLICT DO NOTHING"
    ),
}


def count_known(session: Session, path: Path) -> int:
    """How many of the staged calls the ledger has already."""
    known = 0
    for table in tables(path):
        ids: Iterator[str] = iter(table.column("request_id").to_pylist())
        while part := list(islice(ids, _ASKED)):
            known += len(known_requests(session, part))
    return known


def load(session: Session, path: Path, user_id: int, batch: str, progress: Callable[[int], None]) -> int:
    """Add the staged calls that the ledger does not have, as a batch; returns how many. Nothing is counted yet:
    that is `Ledger.count_batch`. `progress` is told how many rows more were looked at, and raises to stop."""
    connection = session.connection()
    _make_room(connection)
    copy = _copy_postgres if connection.dialect.name == "postgresql" else _copy_sqlite
    added = copy(connection, path, (user_id, Source.IMPORT.value, batch), progress)
    session.execute(text(_TAGS[connection.dialect.name]), {"batch": batch})
    return added


def _make_room(connection: Connection) -> None:
    """Ids that are hashes go anywhere in their index: when it does not fit, SQLite writes its pages again and again.

    The connection goes back to its own measure with `settle`.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size=-{_ROOM_KB}")


def settle(session: Session) -> None:
    """At the end of a transaction with `load`: the memory is given back."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KB}")
        connection.exec_driver_sql("PRAGMA shrink_memory")


def _copy_sqlite(
    connection: Connection, path: Path, fixed: tuple[int, str, str], progress: Callable[[int], None]
) -> int:
    marks = ", ".join(["?"] * len(_COLUMNS))
    statement = (
        f"INSERT INTO usage_events ({', '.join(_COLUMNS)}, user_id, source, batch, tokens_estimated) "
        f"SELECT {marks}, {fixed[0]:d}, '{fixed[1]}', '{fixed[2]}', 0 "
        "WHERE true ON CONFLICT (request_id) DO NOTHING"
    )
    added = 0
    for rows in _rows(path, zoned=False):
        added += connection.exec_driver_sql(statement, rows).rowcount
        progress(len(rows))
    return added


def _copy_postgres(
    connection: Connection, path: Path, fixed: tuple[int, str, str], progress: Callable[[int], None]
) -> int:
    names = ", ".join(_COLUMNS)
    session = connection.connection.cursor()
    try:
        session.execute(
            f"CREATE TEMPORARY TABLE staged_calls ON COMMIT DROP AS SELECT {names} FROM usage_events WITH NO DATA"  # noqa: S608 - names
        )
        with session.copy(f"COPY staged_calls ({names}) FROM STDIN") as target:
            for rows in _rows(path, zoned=True):
                for row in rows:
                    target.write_row(row)
                progress(len(rows))
        session.execute(
            f"INSERT INTO usage_events ({names}, user_id, source, batch, tokens_estimated) "  # noqa: S608 - names
            f"SELECT {names}, %s, %s, %s, false FROM staged_calls ON CONFLICT DO NOTHING",
            fixed,
        )
        return int(session.rowcount)
    finally:
        session.close()


def _rows(path: Path, zoned: bool) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in the order of `_COLUMNS`, as drivers take them and as SQLAlchemy would have stored them."""
    for table in tables(path):
        stamps = pc().cast(pc().cast(table.column("occurred_at"), pa().timestamp("us")), pa().string())
        days = pc().cast(pc().cast(table.column("day"), pa().date32()), pa().string())
        failed = pc().equal(table.column("status"), CallStatus.FAILED.value)
        cached = table.column("from_cache")
        shaped: dict[str, Any] = {
            "occurred_at": pc().binary_join_element_wise(stamps, "+00", "") if zoned else stamps,
            "day": days,
            "error_kind": pc().if_else(failed, ErrorKind.PROVIDER.value, pa().scalar(None, pa().string())),
            "attempts": pc().if_else(cached, 0, 1),
        }
        columns = [(shaped[name] if name in shaped else table.column(name)).to_pylist() for name in _COLUMNS]
        yield list(zip(*columns, strict=True))
