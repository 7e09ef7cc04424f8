"""What an export holds in memory does not grow with the ledger."""

import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from importlib import import_module
from io import RawIOBase
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from core.usage.exports.service import ExportService
from core.usage.ledger import Ledger
from core.usage.service import UsageService
from tests.bench.ledgers import fill, new_unit

CALLS = 100_000
DAY = date(2026, 11, 20)

pyarrow: Any = import_module("pyarrow")


class Sink(RawIOBase):
    """Takes bytes and keeps none; notes the most that Arrow held when it was written to."""

    def __init__(self) -> None:
        self.size = self.most = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        length = memoryview(data).nbytes
        self.size += length
        self.most = max(self.most, pyarrow.total_allocated_bytes())
        return length


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[UsageService, ExportService]]:
    """A year of calls, as many on each day."""
    ledger, unit = Ledger(ZoneInfo("UTC")), new_unit(tmp_path_factory.mktemp("ledger"))
    with unit.write() as session:
        fill(session, ledger, CALLS, DAY, users=3)
    usage = UsageService(unit, ledger)
    yield usage, ExportService(unit, ledger)
    unit.close()


def last(days: int) -> tuple[None, date, date]:
    """The calls of all users in the last `days`."""
    return None, DAY - timedelta(days - 1), DAY


def peak(export: Callable[[], object]) -> int:
    """The most bytes that Python held beyond what it held before."""
    tracemalloc.start()
    try:
        export()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_csv_takes_the_same_memory_for_five_times_the_calls(
    year: tuple[UsageService, ExportService],
) -> None:
    usage, exports = year
    lines: list[int] = []

    def drain(days: int) -> None:
        lines.append(sum(piece.count(b"\n") for piece in exports.calls_csv(*last(days))))

    drain(1)  # what is imported and compiled once
    small, large = peak(lambda: drain(36)), peak(lambda: drain(180))
    assert lines == [1 + usage.report(*last(days)).total.requests for days in (1, 36, 180)]
    assert large < 1.25 * small


def test_parquet_holds_one_row_group_at_most(year: tuple[UsageService, ExportService]) -> None:
    _, exports = year
    # Any: a sink is as much of a file as an export needs.
    first, few, many = (cast(Any, Sink()) for _ in range(3))
    exports.calls_parquet(*last(1), first)
    small = peak(lambda: exports.calls_parquet(*last(73), few))
    large = peak(lambda: exports.calls_parquet(*last(365), many))
    assert many.size > 4 * few.size
    assert large < 1.25 * small
    # A fifth of the year is two fifths of a row group, the year two of them.
    assert many.most < 4 * few.most
