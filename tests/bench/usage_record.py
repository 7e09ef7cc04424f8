"""What it takes to record a call: one after the other, and from eight threads at once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zoneinfo import ZoneInfo

from core.store.unit_of_work import UnitOfWork
from core.usage.ledger import Ledger
from tests.bench.figures import Bench, Figure, milliseconds, say
from tests.bench.ledgers import new_unit
from tests.support.store import call

_WARM_UP = 50
_CALLS = 500
_THREADS = 8
_CALLS_A_THREAD = 100


def run(folder: Path) -> Iterator[Figure]:
    unit, ledger = new_unit(folder / "data"), Ledger(ZoneInfo("UTC"))
    try:
        seconds = [_record(unit, ledger) for _ in range(_WARM_UP + _CALLS)][_WARM_UP:]
        yield Figure("usage.record", milliseconds(seconds), "ms")
        say(f"usage.record: {_CALLS} calls, one at a time")
        yield Figure("usage.record_8_threads", _from_threads(unit, ledger), "calls/s")
    finally:
        unit.close()


def _record(unit: UnitOfWork, ledger: Ledger) -> float:
    each = call()
    begun = time.perf_counter()
    with unit.write() as session:
        ledger.record(session, each)
    return time.perf_counter() - begun


def _from_threads(unit: UnitOfWork, ledger: Ledger) -> float:
    """Calls recorded a second."""
    with ThreadPoolExecutor(_THREADS) as threads:
        begun = time.perf_counter()
        for _ in threads.map(lambda _: _record(unit, ledger), range(_THREADS * _CALLS_A_THREAD)):
            pass
        return _THREADS * _CALLS_A_THREAD / (time.perf_counter() - begun)


BENCH = Bench(("usage.record", "usage.record_8_threads"), run)
