"""What it takes to record a call: one after the other, and from many threads at once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core.store.engine import open_engine
from core.store.migrate import upgrade
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import EVENTS
from core.usage.ledger import Ledger
from core.usage.service import UsageService
from core.usage.types import Call
from tests.bench.figures import Bench, Figure, milliseconds, say
from tests.bench.ledgers import new_unit
from tests.support import postgres
from tests.support.store import NOON, call

_WARM_UP = 50
_CALLS = 500
_CALLS_A_THREAD = 300
# Every so many calls come twice, from two threads at the same time.
_REPLAYED = 20
_SQLITE_THREADS, _SQLITE_LEAST = 8, 1_500.0
_POSTGRES_THREADS, _POSTGRES_LEAST = 16, 800.0
_ONE, _SQLITE, _POSTGRES = "usage.record", "usage.record_threads.sqlite", "usage.record_threads.postgresql"


def run(folder: Path) -> Iterator[Figure]:
    unit, ledger = new_unit(folder / "data"), Ledger(ZoneInfo("UTC"))
    try:
        seconds = [_record(unit, ledger, call()) for _ in range(_WARM_UP + _CALLS)][_WARM_UP:]
        yield Figure(_ONE, milliseconds(seconds), "ms")
        say(f"{_ONE}: {_CALLS} calls, one at a time")
        rate = _from_threads(unit, ledger, _SQLITE_THREADS)
        yield Figure(_SQLITE, rate, "calls/s", _SQLITE_LEAST, at_least=True)
    finally:
        unit.close()
    if reason := postgres.unreachable():
        say(f"{_POSTGRES} is left out, no PostgreSQL: {reason}")
        return
    database = postgres.created(lambda url: upgrade(open_engine(url)), durable=True)
    unit = UnitOfWork(open_engine(database.url))
    try:
        rate = _from_threads(unit, ledger, _POSTGRES_THREADS)
        yield Figure(_POSTGRES, rate, "calls/s", _POSTGRES_LEAST, at_least=True)
    finally:
        unit.close()
        postgres.drop(database.name)


def _record(unit: UnitOfWork, ledger: Ledger, each: Call) -> float:
    """Seconds; as the engine records a call."""
    begun = time.perf_counter()
    unit.write_together(lambda session: ledger.record_soon(session, each))
    return time.perf_counter() - begun


def _from_threads(unit: UnitOfWork, ledger: Ledger, threads: int) -> float:
    """Calls recorded a second, each counted once. ValueError when one was lost or doubled."""
    with ThreadPoolExecutor(threads) as pool:
        # Connections and statements are there before the clock starts.
        list(pool.map(lambda each: _record(unit, ledger, each), [call() for _ in range(threads * 4)]))
        stood = _recorded(unit, ledger)
        calls = [call() for _ in range(threads * _CALLS_A_THREAD)]
        offered = [each for at, each in enumerate(calls) for _ in range(1 if at % _REPLAYED else 2)]
        begun = time.perf_counter()
        for _ in pool.map(lambda each: _record(unit, ledger, each), offered):
            pass
        seconds = time.perf_counter() - begun
    if _recorded(unit, ledger) != [count + len(calls) for count in stood]:
        raise ValueError(f"{stood} calls and {len(calls)} more became {_recorded(unit, ledger)}")
    say(
        f"{len(calls):,} calls from {threads} threads, {len(offered) - len(calls)} of them twice: each stands once"
    )
    return len(calls) / seconds


def _recorded(unit: UnitOfWork, ledger: Ledger) -> list[int]:
    """How many calls stand, how many ids they have, and how many the roll-ups know."""
    counts = select(func.count(), func.count(EVENTS.c.request_id.distinct()))
    with unit.read() as session:
        events, ids = session.execute(counts).one()
    day = ledger.day_of(NOON)
    return [events, ids, UsageService(unit, ledger).report(None, day, day).total.requests]


BENCH = Bench((_ONE, _SQLITE, _POSTGRES), run)
