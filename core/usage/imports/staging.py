"""The calls of a file as a Parquet file of ours beside it: checked, priced, each with its own request id.

Everything slow happens here, before the ledger is touched; what is written to it afterwards only has to be copied.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from core.usage.imports.arrow import Array, np, pa, pq
from core.usage.imports.convert import Converter
from core.usage.imports.identity import is_own
from core.usage.imports.skips import Skips
from core.usage.imports.source import Source
from core.usage.imports.types import SkipReason

Progress = Callable[[int, int, int], None]
"""Told of units done, units in all, and rows so far; raises to stop."""

_ROW_GROUP = 20_000
# Files in which the hashes of ids wait: one of them is in memory at a time.
_BUCKETS = 32


class _Hashes:
    """The hashes of a file's ids, on the disk: memory does not grow with its rows."""

    def __init__(self, folder: Path) -> None:
        # Without a name: they go with this program, however it ends.
        self._open = ExitStack()
        self._files: list[Any] = [
            self._open.enter_context(TemporaryFile(dir=folder))  # noqa: SIM115 - the stack closes them
            for _ in range(_BUCKETS)
        ]

    def add(self, hashes: Array) -> None:
        buckets = hashes % _BUCKETS
        order = np().argsort(buckets, kind="stable")
        ends = np().searchsorted(buckets[order], np().arange(_BUCKETS + 1))
        for number, file in enumerate(self._files):
            file.write(hashes[order[ends[number] : ends[number + 1]]].tobytes())

    def repeated(self) -> Array:
        """Those that come more than once. Afterwards there are none."""
        found: list[Array] = []
        for file in self._files:
            file.seek(0)
            values, times = np().unique(np().frombuffer(file.read(), np().int64), return_counts=True)
            found.append(values[times > 1])
        self.close()
        return np().concatenate(found)

    def close(self) -> None:
        self._open.close()


class Staging:
    """Writes the calls of a file, then settles which of them are the same."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hashes: _Hashes | None = None
        self.rows = 0

    def write(self, source: Source, used: tuple[int, ...], converter: Converter, progress: Progress) -> None:
        """Convert all rows of `source`."""
        writer: Any = None
        hashes = self._hashes = _Hashes(self._path.parent)
        try:
            for chunk in source.chunks(used):
                self.rows += len(chunk.rows)
                table = converter.convert(chunk)
                if len(table):
                    writer = writer or pq().ParquetWriter(self._path, table.schema, compression="lz4")
                    writer.write_table(table, row_group_size=_ROW_GROUP)
                    hashes.add(_hashes(table.column("request_id")))
                progress(source.done, source.size, self.rows)
        except BaseException:
            hashes.close()
            raise
        finally:
            if writer is not None:
                writer.close()

    def settle(self, skips: Skips) -> None:
        """Give rows that say the same a number each, and skip the second of two with the tool's own id.

        In memory are some of the ids' hashes at a time, and the ids that come more than once.
        """
        repeated = self._hashes.repeated() if self._hashes is not None else ()
        if not len(repeated):
            return
        target = self._path.with_suffix(".settled")
        seen: dict[str, int] = {}
        with (
            pq().ParquetFile(self._path) as file,
            pq().ParquetWriter(target, file.schema_arrow, compression="lz4") as writer,
        ):
            for number in range(file.num_row_groups):
                writer.write_table(_settled(file.read_row_group(number), repeated, seen, skips))
        target.replace(self._path)


def _settled(table: Any, repeated: Array, seen: dict[str, int], skips: Skips) -> Any:
    ids = table.column("request_id")
    places = np().flatnonzero(np().isin(_hashes(ids), repeated)).tolist()
    if not places:
        return table
    names = ids.to_pylist()
    kept: Any = np().ones(len(names), bool)
    for place in places:
        name = names[place]
        number = seen[name] = seen.get(name, 0) + 1
        if number > 1 and is_own(name):
            kept[place] = False
            row = int(table.column("row")[place].as_py())
            skips.add(SkipReason.REPEATED, 1, row, "", name.rpartition("::")[2])
        elif number > 1:
            names[place] = f"{name}:{number}"
    table = table.set_column(
        table.schema.get_field_index("request_id"), "request_id", pa().array(names, pa().string())
    )
    return table.filter(pa().array(kept)) if not kept.all() else table


def tables(path: Path) -> Iterator[Any]:
    """The staged calls, some thousands at a time; none when there is no file."""
    if not path.exists():
        return
    with pq().ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number)


def _hashes(ids: Array) -> Array:
    # Within one process equal texts have equal hashes, and no one outside can choose texts that collide.
    return np().fromiter((hash(name) for name in ids.to_pylist()), np().int64, len(ids))
