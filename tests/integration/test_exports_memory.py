"""What an export holds in memory does not grow with the ledger."""

import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from importlib import import_module
from io import RawIOBase
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.usage.exports.service import ExportService
from core.usage.ledger import Ledger
from core.usage.service import UsageService
from tests.bench.ledgers import fill, new_unit

SMALL, LARGE = 20_000, 100_000
DAY = date(2026, 11, 20)
YEAR = (None, DAY - timedelta(364), DAY)

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
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ExportService]]:
    """Exports of a small ledger and of one five times as large."""
    ledger, units, services = Ledger(ZoneInfo("UTC")), [], []
    for calls in (SMALL, LARGE):
        unit = new_unit(tmp_path_factory.mktemp(str(calls)))
        with unit.write() as session:
            fill(session, ledger, calls, DAY, users=3)
        units.append(unit)
        services.append(ExportService(unit, ledger, UsageService(unit, ledger)))
    yield services
    for unit in units:
        unit.close()


def peak(export: Callable[[], object]) -> int:
    """The most bytes that Python held beyond what it held before."""
    tracemalloc.start()
    try:
        export()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_csv_takes_the_same_memory_for_five_times_the_calls(ledgers: list[ExportService]) -> None:
    lines: list[int] = []

    def drain(service: ExportService) -> None:
        lines.append(sum(piece.count(b"\n") for piece in service.calls_csv(*YEAR)))

    drain(ledgers[0])  # what is imported and compiled once
    small, large = (peak(lambda service=service: drain(service)) for service in ledgers)
    assert lines == [SMALL + 1, SMALL + 1, LARGE + 1]
    assert large < 1.25 * small


def test_parquet_holds_one_row_group_at_most(ledgers: list[ExportService]) -> None:
    sinks: list[Any] = [Sink(), Sink(), Sink()]
    ledgers[0].calls_parquet(*YEAR, sinks[0])
    held = [
        peak(lambda service=service, sink=sink: service.calls_parquet(*YEAR, sink))
        for service, sink in zip(ledgers, sinks[1:], strict=True)
    ]
    assert sinks[2].size > 4 * sinks[1].size
    assert held[1] < 1.25 * held[0]
    # A small ledger is two fifths of a row group, a large one two of them.
    assert sinks[2].most < 4 * sinks[1].most
