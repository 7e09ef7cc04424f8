"""Rows with arrays of numbers: read, added to, and written back. The caller sees to it that nobody else does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import Table, and_, bindparam, delete, insert, update
from sqlalchemy.orm import Session

from core.usage.event_batch import as_date
from core.usage.sparse import Entries, Ints, Layout

# Keys a statement, of up to eight bound values each: well below what SQLite takes.
_CHUNK = 500
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Shares:
    """What calls add to rows: `parts` by column, whose owners are positions in `keys`, and `sums`, a row a key."""

    keys: list[Key]
    parts: Mapping[str, Entries]
    sums: Ints | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A table of such rows: its key, how its arrays are stored, and which sums it has beside them. A row whose column
    `lives_by` comes to nothing has no calls left, and goes."""

    table: Table
    key_names: tuple[str, ...]
    layouts: Mapping[str, Layout]
    lives_by: str
    sum_names: tuple[str, ...] = ()


def merge(session: Session, kind: Kind, shares: Shares) -> None:
    """Add `shares` to the rows of their keys."""
    table, key_names, layouts, sum_names = kind.table, kind.key_names, kind.layouts, kind.sum_names
    keys, parts, sums = shares.keys, shares.parts, shares.sums
    stored = stored_rows(session, kind, keys)
    known = [at for at, key in enumerate(keys) if key in stored]
    old = np.array(known, np.int64)
    written: dict[str, Sequence[Any]] = {}
    for column, (name, layout) in enumerate(layouts.items()):
        before = layout.unpack([stored[keys[at]][column] for at in known])
        # Positions among the stored ones become positions among all.
        there = Entries(old[before.owner], before.slot, before.values)
        written[name] = layout.pack([there, parts[name]], len(keys))
    if sums is not None:
        totals = sums.copy()
        for at in known:
            totals[at] += np.array(stored[keys[at]][len(layouts) :], np.int64)
        written.update(zip(sum_names, totals.T.tolist(), strict=True))
    _write(
        session, table, key_names, keys, set(known), written, [bool(each) for each in written[kind.lives_by]]
    )


def _write(
    session: Session,
    table: Table,
    key_names: tuple[str, ...],
    keys: Sequence[Key],
    known: set[int],
    written: Mapping[str, Sequence[Any]],
    alive: Sequence[bool],
) -> None:
    """Insert, update or delete the row of each key. `known`: the positions of the keys that have one."""
    names, bound = tuple(written), tuple(f"key_{name}" for name in key_names)
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for at, (key, *values) in enumerate(zip(keys, *written.values(), strict=True)):
        if not alive[at]:
            if at in known:
                gone.append(dict(zip(bound, key, strict=True)))
        elif at in known:
            changed.append(dict(zip((*bound, *names), (*key, *values), strict=True)))
        else:
            fresh.append(dict(zip((*key_names, *names), (*key, *values), strict=True)))
    connection = session.connection()
    for statement, rows in (
        (insert(table), fresh),
        (_update(table, key_names, names), changed),
        (_delete(table, key_names), gone),
    ):
        if rows:
            connection.execute(statement, rows)


def stored_rows(session: Session, kind: Kind, keys: Sequence[Key]) -> dict[Key, tuple[Any, ...]]:
    """The rows that there are of `keys`: their arrays, then their sums."""
    table, key_names, names = kind.table, kind.key_names, (*kind.layouts, *kind.sum_names)
    width, at_day = len(key_names), key_names.index("day")
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    connection = session.connection()
    found: dict[Key, tuple[Any, ...]] = {}
    for start in range(0, len(keys), _CHUNK):
        part = keys[start : start + _CHUNK]
        values: list[Any] = [value for key in part for value in key]
        if is_sqlite:
            values = [value.isoformat() if isinstance(value, date) else value for value in values]
        statement = _select(table, key_names, names, len(part), "?" if is_sqlite else "%s")
        for row in connection.exec_driver_sql(statement, tuple(values)):
            key = list(row[:width])
            key[at_day] = as_date(key[at_day])
            found[tuple(key)] = tuple(row[width:])
    return found


@lru_cache(64)
def _select(table: Table, key_names: tuple[str, ...], names: tuple[str, ...], keys: int, mark: str) -> str:
    # As text: for hundreds of keys SQLAlchemy would spend more on naming each value than the database on all.
    one = f"({', '.join([mark] * len(key_names))})"
    wanted = ", ".join(f"{table.name}.{name}" for name in (*key_names, *names))
    same = " AND ".join(f"{table.name}.{name} = wanted.{name}" for name in key_names)
    # SQLite leaves the order of a CROSS JOIN alone: each key is looked up, no table is read through.
    return (
        f"WITH wanted({', '.join(key_names)}) AS (VALUES {', '.join([one] * keys)}) "  # noqa: S608 - names of ours
        f"SELECT {wanted} FROM wanted CROSS JOIN {table.name} WHERE {same}"
    )


@lru_cache
def _update(table: Table, key_names: tuple[str, ...], names: tuple[str, ...]) -> Any:
    same = and_(*(table.c[name] == bindparam(f"key_{name}") for name in key_names))
    return update(table).where(same).values({name: bindparam(name) for name in names})


@lru_cache
def _delete(table: Table, key_names: tuple[str, ...]) -> Any:
    return delete(table).where(and_(*(table.c[name] == bindparam(f"key_{name}") for name in key_names)))
