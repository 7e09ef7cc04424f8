"""Undoing an import: some calls at a time, exact at every moment, and finished whatever happens in between."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from core.errors import AppError, ErrorKind
from core.pricing.service import PriceBook
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import DAILY, EVENT_TAGS, EVENTS
from core.usage.explore.service import ExploreService
from core.usage.explore.types import Dimension, Interval, Selection
from core.usage.imports import undoing
from core.usage.imports.service import ImportService
from core.usage.imports.types import ImportInfo
from core.usage.imports.undoing import Undoing
from core.usage.ledger import Ledger
from tests.support.import_files import plain, saved
from tests.support.store import call, migrated

USER, ROWS = 1, 100
LEDGER = Ledger(ZoneInfo("UTC"))
EVERYTHING = Selection(None, date(2026, 9, 1), date(2026, 11, 30))


@pytest.fixture
def unit(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[UnitOfWork]:
    monkeypatch.setattr(undoing, "STEP", 10)
    unit = migrated(database_url)
    with unit.write() as session:
        LEDGER.open(session)
    yield unit
    unit.close()


@pytest.fixture
def imports(unit: UnitOfWork) -> ImportService:
    return ImportService(unit, LEDGER, PriceBook(unit))


def file(folder: Path) -> Path:
    header = "time,provider,model,input_tokens,output_tokens,cost,labels"
    lines = (
        f"2026-{10 + row % 2}-{1 + row % 9:02} 0{row % 10}:00,openai,gpt-4o,{row},5,0.{row + 1:03},team=t{row % 3}"
        for row in range(ROWS)
    )
    return saved(folder, plain(*lines, header=header))


def take(imports: ImportService, folder: Path) -> ImportInfo:
    staged = folder / "staged"
    staged.unlink(missing_ok=True)
    return imports.write(USER, imports.read(USER, file(folder), staged), staged)


def count(unit: UnitOfWork, table: Any = EVENTS) -> int:
    with unit.read() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def assert_exact(unit: UnitOfWork, calls: int) -> None:
    """The figures are what the calls add up to, which are so many."""
    rolled, raw = ExploreService(unit, LEDGER), ExploreService(unit, LEDGER, only_calls=True)
    for by in (Dimension.MODEL, Dimension.LABEL):
        found, counted = (each.explore(EVERYTHING, by, Interval.DAY) for each in (rolled, raw))
        assert (found.total, found.points, found.groups) == (counted.total, counted.points, counted.groups)
        assert (found.latency, found.first_token) == (counted.latency, counted.first_token)
        assert found.total.requests == calls
    assert rolled.patterns(EVERYTHING).heat == raw.patterns(EVERYTHING).heat


def ticking(then: Callable[[], object]) -> Callable[[], float]:
    """A clock that does something each time it is looked at, which is between the steps."""

    def clock() -> float:
        then()
        return 0.0

    return clock


def test_others_record_between_the_steps_and_every_figure_is_exact_throughout(
    unit: UnitOfWork, imports: ImportService, tmp_path: Path
) -> None:
    with unit.write() as session:
        LEDGER.record_many(session, [call(request_id=f"before-{n}", thread_id=n) for n in range(3)])
    info = take(imports, tmp_path)
    seen: list[int] = []

    def look() -> None:
        with unit.write() as session:
            LEDGER.record(session, call(provider="openai", model="gpt-4o"))
        seen.append(count(unit))
        assert_exact(unit, seen[-1])

    assert Undoing(unit, LEDGER, ticking(look)).undo(USER, info.id) == ROWS
    # One look at the beginning, and two for each step.
    assert len(seen) == 1 + 2 * ROWS // undoing.STEP
    assert seen[0] == 3 + ROWS + 1
    assert_exact(unit, 3 + len(seen))
    assert count(unit, EVENT_TAGS) == 0


def test_recording_from_threads_goes_on_while_an_import_is_undone(
    unit: UnitOfWork, imports: ImportService, tmp_path: Path
) -> None:
    info = take(imports, tmp_path)
    imports.undoing.start(USER, info.id)

    def write(number: int) -> None:
        one = call(request_id=f"meanwhile-{number}", provider="openai", model="gpt-4o", thread_id=number % 3)
        unit.write_together(lambda session: LEDGER.record_soon(session, one))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(60)))
    imports.undoing.wait(info.id)
    assert imports.undoing.progress(info.id) is None
    assert_exact(unit, 60)


class _Cut(Exception):
    """The program ends here."""


def cut_off(unit: UnitOfWork, import_id: int, after: int) -> None:
    """Begin an undo, and end in the middle."""
    looks = iter(range(after))

    def look() -> None:
        if next(looks, None) is None:
            raise _Cut

    with pytest.raises(_Cut):
        Undoing(unit, LEDGER, ticking(look)).undo(USER, import_id)


def test_one_that_was_cut_off_says_so_and_goes_on_when_asked_again(
    unit: UnitOfWork, imports: ImportService, tmp_path: Path
) -> None:
    info = take(imports, tmp_path)
    cut_off(unit, info.id, after=6)
    (half,) = imports.imports(USER)
    assert (half.undone_at is not None, half.left) == (True, ROWS - 3 * undoing.STEP)
    assert_exact(unit, half.left)
    # What the rest has in common with a file would go with it.
    with pytest.raises(AppError, match="being undone"):
        take(imports, tmp_path)
    with pytest.raises(AppError):
        imports.undo(2, info.id)
    assert imports.undo(USER, info.id) == half.left
    (whole,) = imports.imports(USER)
    assert (whole.undone_at, whole.left) == (half.undone_at, 0)
    assert (count(unit), count(unit, DAILY), count(unit, EVENT_TAGS)) == (0, 0, 0)
    with pytest.raises(AppError) as gone:
        imports.undo(USER, info.id)
    assert gone.value.kind is ErrorKind.NOT_FOUND
    assert take(imports, tmp_path).calls == ROWS


def test_one_that_was_cut_off_goes_on_at_the_next_start(
    unit: UnitOfWork, imports: ImportService, tmp_path: Path
) -> None:
    info = take(imports, tmp_path)
    cut_off(unit, info.id, after=4)
    again = Undoing(unit, LEDGER)
    again.resume()
    again.wait(info.id)
    assert count(unit) == 0
    assert imports.imports(USER)[0].left == 0
    again.close()


def test_a_process_killed_in_the_middle_leaves_exact_figures(
    database_url: str, unit: UnitOfWork, imports: ImportService, tmp_path: Path
) -> None:
    info = take(imports, tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.undo_child", database_url, str(info.id)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdin is not None
    with child.stdout, child.stdin:
        assert child.stdout.readline() == "undoing\n"
        child.kill()
        child.wait()
    assert_exact(unit, ROWS - 30)
    again = Undoing(unit, LEDGER)
    again.resume()
    again.wait(info.id)
    assert (count(unit), count(unit, DAILY)) == (0, 0)
    again.close()


def test_two_that_undo_the_same_import_take_each_call_out_once(
    unit: UnitOfWork, imports: ImportService, tmp_path: Path
) -> None:
    info = take(imports, tmp_path)
    others = [Undoing(unit, LEDGER) for _ in range(2)]
    for each in others:
        each.start(USER, info.id)
    for each in others:
        each.wait(info.id)
        assert each.progress(info.id) is None
    assert (count(unit), count(unit, DAILY)) == (0, 0)


def test_how_far_it_is_can_be_asked(unit: UnitOfWork, imports: ImportService, tmp_path: Path) -> None:
    info = take(imports, tmp_path)
    seen: list[Any] = []
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 1
        seen.append(under_way.progress(info.id))
        return now

    under_way = Undoing(unit, LEDGER, clock)
    under_way.undo(USER, info.id)
    told = {each.done: each.seconds_left for each in seen if each}
    assert list(told) == list(range(10, 100, 10))
    # Two seconds a step by this clock.
    assert told[50] == pytest.approx(10)
    assert under_way.progress(info.id) is None
