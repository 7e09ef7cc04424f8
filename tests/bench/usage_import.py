"""A million rows of CSV: read, checked, priced and recorded, in memory that does not grow with them."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
from sqlalchemy import func, select

from core.pricing.service import PriceBook
from core.pricing.types import UNPRICED
from core.providers.types import TokenUsage
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import EVENTS
from core.usage.imports.service import ImportService
from core.usage.ledger import Ledger
from core.usage.types import Call, CallStatus, Source
from tests.bench.figures import Bench, Figure, say
from tests.bench.ledgers import new_unit

_ROWS = 1_000_000
_TARGET = 60
_MODELS = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-20250514"),
    ("gemini", "gemini-2.5-flash"),
    ("local", "qwen3-32b"),
)


def run(folder: Path) -> Iterator[Figure]:
    file, staged = folder / "usage.csv", folder / "calls.parquet"
    _fill(file, _ROWS)
    unit, ledger = new_unit(folder / "data"), Ledger(ZoneInfo("Europe/Moscow"))
    try:
        with unit.write() as session:
            ledger.open(session)
        imports, process = ImportService(unit, ledger, PriceBook(unit)), psutil.Process()
        seen = [process.memory_info().rss]
        begun = time.perf_counter()
        preview = imports.read(
            1, file, staged, progress=lambda _done, _size, _rows: seen.append(process.memory_info().rss)
        )
        read = time.perf_counter()
        info = imports.write(1, preview, staged, lambda _rows: seen.append(process.memory_info().rss))
        ended = time.perf_counter()
        if info.calls != _ROWS:
            raise ValueError(f"{info.calls} of {_ROWS} rows were imported")
        say(f"usage.import_1m: {read - begun:.1f} s to read, {ended - read:.1f} s to record and fold")
        yield Figure("usage.import_1m", ended - begun, "s", _TARGET)
        yield Figure("usage.import_1m_memory", (max(seen) - seen[0]) / 1e6, "MB")
        yield from _undo(unit, ledger, imports, info.id)
    finally:
        unit.close()


def _undo(unit: UnitOfWork, ledger: Ledger, imports: ImportService, import_id: int) -> Iterator[Figure]:
    """Takes the million out again while others record, and says how long the unluckiest of them waited."""
    begun = time.perf_counter()
    imports.undoing.start(1, import_id)
    waits: list[float] = []
    while imports.undoing.progress(import_id) is not None:
        one = Call(
            request_id=f"meanwhile-{len(waits)}",
            user_id=1,
            occurred_at=datetime.now(UTC),
            provider="openai",
            model="gpt-4o",
            source=Source.CHAT,
            status=CallStatus.COMPLETED,
            usage=TokenUsage(input_tokens=10, output_tokens=5),
            cost=UNPRICED,
        )
        asked = time.perf_counter()
        with unit.write() as session:
            ledger.record(session, one)
        waits.append(time.perf_counter() - asked)
        time.sleep(0.01)  # house: sleep-in-tests because it paces the load, nothing waits for it
    ended = time.perf_counter()
    with unit.read() as session:
        if (left := session.execute(select(func.count()).select_from(EVENTS)).scalar_one()) != len(waits):
            raise ValueError(f"{left} calls stand, of {len(waits)} that were recorded meanwhile")
    yield Figure("usage.undo_1m", ended - begun, "s")
    yield Figure("usage.undo_1m_longest_wait", max(waits), "s")


def _fill(file: Path, rows: int) -> None:
    """Three rows in four have a cost of their own."""
    dice, first = random.Random(1), datetime(2025, 10, 1, tzinfo=UTC)
    with file.open("w") as target:
        target.write(
            "time,provider,model,input_tokens,cached_input_tokens,output_tokens,cost,status,latency_ms,first_token_ms\n"
        )
        for number in range(rows):
            provider, model = _MODELS[dice.randrange(len(_MODELS))]
            cost = "" if number % 4 == 0 else f"0.00{dice.randrange(10**6):06}"
            at = first + timedelta(seconds=30 * number)
            target.write(
                f"{at:%Y-%m-%d %H:%M:%S},{provider},{model},{dice.randrange(50, 9_000)},{dice.randrange(50)},"
                f"{dice.randrange(20, 2_000)},{cost},completed,{dice.randrange(500, 9_000)},{dice.randrange(99, 499)}\n"
            )


BENCH = Bench(
    ("usage.import_1m", "usage.import_1m_memory", "usage.undo_1m", "usage.undo_1m_longest_wait"), run
)
