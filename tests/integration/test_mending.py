"""A rebuild: whatever was wrong is right afterwards, and whoever records meanwhile waits for no more than a day."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from core.providers.types import TokenUsage
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import DAILY, EVENTS, FACETS, MONTHS, SHAPES
from core.usage.days import ADDING_UP, DATING
from core.usage.explore.service import ExploreService
from core.usage.explore.types import Selection
from core.usage.ledger import Ledger
from core.usage.mending import Mending
from core.usage.tables import LedgerState
from core.usage.types import Call, CallStatus, Source
from core.usage.verify import verify
from tests.support.databases import on_both_databases, sqlite_unless_both
from tests.support.store import NOON, call, migrated

FIRST, LAST = date(2026, 11, 1), date(2026, 12, 31)
MIDDLE = NOON.date() + timedelta(8)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLite, but for tests of what is stored."""
    yield from sqlite_unless_both(request, tmp_path)


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    yield unit
    unit.close()


@pytest.fixture
def ledger(unit: UnitOfWork) -> Ledger:
    ledger = Ledger(ZoneInfo("UTC"))
    with unit.write() as session:
        ledger.open(session)
        ledger.record_many(session, [_call(number) for number in range(90)])
        ledger.fold_all(session)
        ledger.record_many(session, [_call(number) for number in range(90, 100)])
    return ledger


def _call(number: int) -> Call:
    return call(
        request_id=f"call-{number}",
        user_id=1 + number % 3,
        occurred_at=NOON + timedelta(hours=4 * number),
        model=f"model-{number % 3}",
        source=Source.API if number % 2 else Source.CHAT,
        status=CallStatus.FAILED if number % 5 == 0 else CallStatus.COMPLETED,
        usage=TokenUsage(input_tokens=number, output_tokens=3 * number),
        latency_ms=100 * number,
        thread_id=number % 4 or None,
        tags=(("label", "a=1"), ("label", "b=2"))[: number % 3],
    )


def wrong(unit: UnitOfWork, ledger: Ledger) -> int:
    with unit.snapshot() as session:
        findings = verify(session, ledger.zone, FIRST, LAST)
    return findings.found + findings.misplaced


def _cost(session: Session) -> None:
    session.execute(update(DAILY).where(DAILY.c.day == MIDDLE, DAILY.c.user_id == 0).values(cost_nano=7))


def _rows_gone(session: Session) -> None:
    for table in (DAILY, SHAPES, FACETS, MONTHS):
        session.execute(delete(table).where(table.c.user_id == 2))


def _rows_of_nobody(session: Session) -> None:
    row = dict(session.execute(select(DAILY).where(DAILY.c.day == MIDDLE).limit(1)).mappings().one())
    session.execute(insert(DAILY).values({**row, "model": "never", "day": date(2026, 12, 29)}))


def _misplaced(session: Session) -> None:
    session.execute(update(EVENTS).where(EVENTS.c.model == "model-1").values(day=MIDDLE))


def _months(session: Session) -> None:
    session.execute(update(MONTHS).values(days=b""))
    session.execute(delete(SHAPES).where(SHAPES.c.span == "month"))


def _spread(session: Session) -> None:
    session.execute(update(SHAPES).where(SHAPES.c.span == "day").values(latency=b"", hours=b""))


def _facets(session: Session) -> None:
    session.execute(update(FACETS).values(requests=FACETS.c.requests + 1))


@pytest.mark.parametrize(
    "damage", [_cost, _rows_gone, _rows_of_nobody, _misplaced, _months, _spread, _facets]
)
def test_whatever_is_wrong_is_right_afterwards(
    unit: UnitOfWork, ledger: Ledger, damage: Callable[[Session], None]
) -> None:
    with unit.write() as session:
        damage(session)
    assert wrong(unit, ledger)
    looked = list[int]()
    Mending(unit, ledger, looked.append).run()
    assert wrong(unit, ledger) == 0
    # Each call for its day, and for its figures; those that waited may be in the latter or not.
    whole = DATING + ADDING_UP
    assert 90 * whole <= sum(looked) <= 100 * whole
    with unit.read() as session:
        assert session.get_one(LedgerState, 1).rebuilt_at is not None


@on_both_databases
def test_others_record_while_it_goes_on(unit: UnitOfWork, ledger: Ledger) -> None:
    """Into days that were looked at, and into days that are still to come."""
    with unit.write() as session:
        for damage in (_cost, _rows_gone, _spread, _facets):
            damage(session)
    numbers = iter(range(200, 10_000))

    def record_another(_looked: int) -> None:
        with unit.write() as session:
            number = next(numbers)
            assert ledger.record(session, _more(number))

    Mending(unit, ledger, record_another).run()
    added = next(numbers) - 200
    assert added > 30
    assert wrong(unit, ledger) == 0
    total = ExploreService(unit, ledger).explore(Selection(None, FIRST, LAST)).total
    assert total.requests == 100 + added


def _more(number: int) -> Call:
    return call(
        request_id=f"more-{number}", user_id=2, occurred_at=NOON + timedelta(hours=5 * (number % 150))
    )


@on_both_databases
def test_one_that_is_stopped_leaves_right_what_it_made_and_can_begin_again(
    unit: UnitOfWork, ledger: Ledger
) -> None:
    with unit.write() as session:
        _rows_gone(session)
    before, looks = wrong(unit, ledger), 0

    def stop(_looked: int) -> None:
        nonlocal looks
        looks += 1
        if looks == 45:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Mending(unit, ledger, stop).run()
    assert 0 < wrong(unit, ledger) < before
    Mending(unit, ledger, lambda _looked: None).run()
    assert wrong(unit, ledger) == 0


def test_nothing_is_mended_in_a_zone_that_is_no_more(unit: UnitOfWork, ledger: Ledger) -> None:
    """Somebody changed it since: every figure is of the new one, and right."""
    late = Mending(unit, ledger, lambda _looked: None)
    tokyo = Ledger(ZoneInfo("Asia/Tokyo"))
    with unit.write() as session:
        tokyo.rebuild(session)
    late.run()
    assert wrong(unit, tokyo) == 0


def test_a_ledger_without_calls_is_right(unit: UnitOfWork) -> None:
    ledger = Ledger(ZoneInfo("UTC"))
    with unit.write() as session:
        ledger.open(session)
    Mending(unit, ledger, lambda _looked: None).run()
    assert wrong(unit, ledger) == 0
