"""Statistics of one year for all users and models: the same time however many calls stand behind it."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from core.store.unit_of_work import UnitOfWork
from core.usage.ledger import Ledger
from core.usage.service import UsageService
from tests.bench import ledgers
from tests.bench.figures import Bench, Figure, milliseconds, say

_SIZES = {"10k": 10_000, "1m": 1_000_000} | (
    {"10m": 10_000_000} if os.environ.get("BENCH_FULL") == "1" else {}
)
_USERS = 5
_ROUNDS = 40
_LAST_DAY = date(2025, 12, 31)
_FIRST_DAY = _LAST_DAY - timedelta(ledgers.DAYS - 1)
_MOST_RATIO = 1.5
_NAME = "usage.year_all_users"


def run(folder: Path) -> Iterator[Figure]:
    with ExitStack() as opened:
        units: dict[str, UnitOfWork] = {}
        for size, events in _SIZES.items():
            units[size] = _filled(folder / size, events)
            opened.callback(units[size].close)
        took: dict[str, list[float]] = {size: [] for size in units}
        # In turns, so that a machine that speeds up or slows down does so for all of them.
        for _ in range(_ROUNDS):
            for size, unit in units.items():
                took[size].append(_one_report(unit))
    medians = {size: milliseconds(seconds) for size, seconds in took.items()}
    for size, value in medians.items():
        yield Figure(f"{_NAME}.{size}", value, "ms", None)
    yield Figure(f"{_NAME}.ratio_1m_to_10k", medians["1m"] / medians["10k"], "ratio", _MOST_RATIO)


def _filled(data: Path, events: int) -> UnitOfWork:
    begun = time.perf_counter()
    unit, ledger = ledgers.new_unit(data), _ledger()
    with unit.write() as session:
        ledgers.fill(session, ledger, events, _LAST_DAY, _USERS)
    with unit.read() as session:
        ledgers.check(session, _service(unit).report(None, _FIRST_DAY, _LAST_DAY))
    say(f"a ledger of {events:,} calls filled and checked in {time.perf_counter() - begun:.1f} s")
    return unit


def _one_report(unit: UnitOfWork) -> float:
    # A fresh connection knows no page of the database; opening it is not the report's work.
    unit.close()
    service = _service(unit)
    with unit.read() as session:
        session.connection()
    begun = time.perf_counter()
    service.report(None, _FIRST_DAY, _LAST_DAY)
    return time.perf_counter() - begun


def _ledger() -> Ledger:
    return Ledger(ZoneInfo("UTC"))


def _service(unit: UnitOfWork) -> UsageService:
    return UsageService(unit, _ledger())


BENCH = Bench((*(f"{_NAME}.{size}" for size in _SIZES), f"{_NAME}.ratio_1m_to_10k"), run)
