"""Statistics of one year, old and new, on ledgers of any size; and the same asked without roll-ups."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from core.config import Settings
from core.store.unit_of_work import UnitOfWork
from core.usage.ledger import Ledger
from core.usage.service import UsageService
from tests.bench import ledgers, usage_page, usage_rivals
from tests.bench.figures import Bench, Figure, milliseconds, say

_FULL = os.environ.get("BENCH_FULL") == "1"
_SIZES = {"10k": 10_000, "1m": 1_000_000} | ({"10m": 10_000_000} if _FULL else {})
_LARGEST = list(_SIZES)[-1]
_USERS = 5
_ROUNDS = 40
_LAST_DAY = date(2025, 12, 31)
_FIRST_DAY = _LAST_DAY - timedelta(ledgers.DAYS - 1)
# The year before, which the page compares with, has a tenth as many calls on top.
_BEFORE = 10
_MOST_RATIO = 1.5
_NAME = "usage.year_all_users"


def run(folder: Path) -> Iterator[Figure]:
    year = usage_page.year_of(_FIRST_DAY, _LAST_DAY)
    with ExitStack() as opened:
        units: dict[str, UnitOfWork] = {}
        for size, events in _SIZES.items():
            units[size] = _filled(folder / size, events)
            opened.callback(units[size].close)
        yield from _reports(units)
        took: dict[str, float] = {}
        for figure in usage_page.measure(units, year):
            yield figure
            took[figure.name] = figure.value
        reader = usage_page.reader_of(units[_LARGEST])
        ours = usage_rivals.Ours(
            usage_page.page(reader, year),
            took[f"usage.page_year.{_LARGEST}"],
            usage_page.series(reader, year),
            took[f"usage.series_year.{_LARGEST}"],
        )
        yield from usage_rivals.measure(_file(folder / _LARGEST), ours, _LARGEST, promised=_FULL)


def _reports(units: dict[str, UnitOfWork]) -> Iterator[Figure]:
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
        ledgers.add_calls(session, events // _BEFORE, _FIRST_DAY - timedelta(1), _USERS)
        ledgers.fill(session, ledger, events, _LAST_DAY, _USERS)
        ledgers.add_waiting(session, ledger, _LAST_DAY, _USERS)
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


def _file(data: Path) -> Path:
    database = Settings(data_dir=data).sqlalchemy_url.removeprefix("sqlite:///")
    return Path(database)


def _ledger() -> Ledger:
    return Ledger(ZoneInfo("UTC"))


def _service(unit: UnitOfWork) -> UsageService:
    return UsageService(unit, _ledger())


BENCH = Bench(
    (
        *(f"{_NAME}.{size}" for size in _SIZES),
        f"{_NAME}.ratio_1m_to_10k",
        *usage_page.names(_SIZES),
        *usage_rivals.names(_LARGEST),
    ),
    run,
)
