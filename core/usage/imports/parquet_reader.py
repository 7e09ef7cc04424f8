"""Parquet, a batch of rows at a time."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from core.usage.imports import faults
from core.usage.imports.arrow import Array, np, pa, pc, pq
from core.usage.imports.source import CHUNK, Chunk


class ParquetSource:
    """A Parquet file; see `Source`. `size` counts rows."""

    encoding = None
    separator = None
    guessed = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.done = 0
        with self._open() as file:
            self.header: tuple[str, ...] = tuple(file.schema_arrow.names)
            self.size = int(file.metadata.num_rows)
        if not self.header or not self.size:
            raise faults.empty()

    def _open(self) -> Any:
        try:
            return pq().ParquetFile(self._path)
        except (pa().ArrowException, OSError) as error:
            raise faults.broken("Parquet") from error

    def chunks(self, used: Sequence[int]) -> Iterator[Chunk]:
        number = 1
        with self._open() as file:
            try:
                for batch in file.iter_batches(CHUNK):
                    columns = {place: _text(batch.column(place)) for place in used}
                    yield Chunk(np().arange(number + 1, number + 1 + len(batch)), columns)
                    number += len(batch)
                    self.done = number - 1
            except (pa().ArrowException, OSError) as error:
                raise faults.broken("Parquet") from error


def _text(column: Array) -> Array:
    """A column as text: times in ISO 8601, in UTC where they have a zone; nested values as JSON."""
    types, kind = pa().types, column.type
    if types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if types.is_nested(kind):
        return pa().array(
            [
                None if value is None else json.dumps(_plain(value), default=str)
                for value in column.to_pylist()
            ],
            pa().string(),
        )
    if types.is_timestamp(kind):
        moments = pc().cast(column, pa().timestamp("us", kind.tz), safe=False)
        return pc().cast(moments, pa().string())
    if types.is_binary(kind) or types.is_large_binary(kind):
        return pa().nulls(len(column), pa().string())
    return pc().cast(column, pa().string())


def _plain(value: Any) -> Any:
    """A map comes as pairs."""
    pairs: list[Any] = cast(list[Any], value) if isinstance(value, list) else []
    return dict(pairs) if pairs and all(isinstance(each, tuple) for each in pairs) else cast(Any, value)
