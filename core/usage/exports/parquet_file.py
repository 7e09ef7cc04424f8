"""Calls as Parquet: typed, exact, and small."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any, BinaryIO

from core.pricing.types import Money
from core.store.text import storable
from core.usage.exports.rows import Row
from core.usage.exports.types import COLUMNS, Cell

ROW_GROUP = 50_000
"""Calls in a row group; so many are held in memory, as Arrow has them."""


def write_parquet(pages: Iterable[list[Row]], zone: str, sample: bool, target: BinaryIO) -> int:
    """Write the calls to `target`, a row group at a time; returns how many.

    Money is decimal128(38, 9) in units of its currency; both times are the same moment, `time_local` with the
    report zone `zone` for its clock. The key `aihub.sample` in the file's metadata tells sample data from calls.
    """
    # Imported here: 60 ms at start, and pyarrow carries no types.
    pa: Any = import_module("pyarrow")
    pq: Any = import_module("pyarrow.parquet")
    schema = _schema(pa, zone).with_metadata({"aihub.sample": str(sample).lower()})
    written = held = 0
    batches: list[Any] = []
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for page in pages:
            batches.append(_batch(pa, schema, page))
            held += len(page)
            if held >= ROW_GROUP:
                writer.write_table(pa.Table.from_batches(batches, schema))
                written, held = written + held, 0
                batches.clear()
        if batches:
            writer.write_table(pa.Table.from_batches(batches, schema))
    return written + held


def _schema(pa: Any, zone: str) -> Any:
    types = {
        Cell.DAY: pa.date32(),
        Cell.TEXT: pa.string(),
        Cell.NUMBER: pa.int64(),
        Cell.YES_NO: pa.bool_(),
        Cell.MONEY: pa.decimal128(38, 9),
    }
    zones = {"time_utc": "UTC", "time_local": zone}
    return pa.schema(
        (
            column.name,
            pa.timestamp("us", zones[column.name]) if column.cell is Cell.MOMENT else types[column.cell],
        )
        for column in COLUMNS
    )


def _batch(pa: Any, schema: Any, page: list[Row]) -> Any:
    columns = zip(COLUMNS, zip(*page, strict=True), strict=True)
    arrays = [
        pa.array(_values(column.cell, values), field.type)
        for field, (column, values) in zip(schema, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _values(cell: Cell, values: tuple[Any, ...]) -> list[Any] | tuple[Any, ...]:
    if cell is Cell.MONEY:
        return [None if value is None else Money(value, "").decimal for value in values]
    if cell is Cell.TEXT:
        return [None if value is None else storable(value) for value in values]
    return values
