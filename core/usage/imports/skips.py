"""Which rows are left out, and why: the first reason found for a row counts, and the first row of each reason and
column is shown."""

from collections.abc import Sequence
from typing import Any

from core.usage.imports.arrow import Array, np
from core.usage.imports.types import Skip, SkipReason

_LONGEST = 60


class Skips:
    """Of a whole file."""

    def __init__(self) -> None:
        self._rows: dict[tuple[SkipReason, str], int] = {}
        self._first: dict[tuple[SkipReason, str], tuple[int, str]] = {}

    def add(self, reason: SkipReason, rows: int, row: int, column: str = "", example: str = "") -> None:
        """So many rows more; `row` is the first of them."""
        key = (reason, column)
        self._rows[key] = self._rows.get(key, 0) + rows
        self._first.setdefault(key, (row, example[:_LONGEST]))

    @property
    def total(self) -> int:
        return sum(self._rows.values())

    def all(self) -> tuple[Skip, ...]:
        """Most rows first."""
        found: list[Skip] = []
        for reason, column in sorted(self._rows, key=lambda key: -self._rows[key]):
            row, example = self._first[reason, column]
            found.append(Skip(reason, self._rows[reason, column], row, column, example))
        return tuple(found)


class ChunkSkips:
    """Of one chunk: marks rows, each once."""

    def __init__(self, skips: Skips, rows: Array) -> None:
        self._skips = skips
        self._rows = rows
        self.kept: Any = np().ones(len(rows), bool)

    def mark(self, where: Array, reason: SkipReason, column: str = "", cells: Array | None = None) -> None:
        """Skip the rows of the mask `where` that are not skipped yet."""
        fresh = np().flatnonzero(where & self.kept)
        if len(fresh):
            first = int(fresh[0])
            example = (cells[first].as_py() or "") if cells is not None else ""
            self._skips.add(reason, len(fresh), int(self._rows[first]), column, str(example))
            self.kept[fresh] = False

    def mark_places(
        self, places: Sequence[int], reason: SkipReason, column: str = "", cells: Array | None = None
    ) -> None:
        """The same for the indices `places`."""
        if places:
            where = np().zeros(len(self._rows), bool)
            where[list(places)] = True
            self.mark(where, reason, column, cells)
