"""A check of the ledger looks at every roll-up: whatever figure of them is wrong is found and named."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from core.providers.types import TokenUsage
from core.store.unit_of_work import UnitOfWork
from core.usage import verify_finer
from core.usage.columns import FACETS, MONTHS, SHAPES
from core.usage.ledger import Ledger
from core.usage.types import CallStatus
from core.usage.verify import Findings, verify
from tests.support.databases import on_both_databases, sqlite_unless_both
from tests.support.store import NOON, call, migrated

LEDGER = Ledger(ZoneInfo("Europe/Moscow"))
FIRST, LAST = date(2026, 11, 1), date(2026, 12, 31)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLite, but for tests of what is stored."""
    yield from sqlite_unless_both(request, tmp_path)


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    with unit.write() as session:
        LEDGER.open(session)
        LEDGER.record_many(
            session,
            [
                call(
                    request_id=f"call-{number}",
                    user_id=1 + number % 2,
                    occurred_at=NOON + timedelta(hours=7 * number),
                    model=f"model-{number % 3}",
                    status=CallStatus.FAILED if number % 5 == 0 else CallStatus.COMPLETED,
                    usage=TokenUsage(input_tokens=number, output_tokens=3 * number),
                    latency_ms=100 * number,
                    first_token_ms=number,
                    thread_id=number % 4 or None,
                    tags=(("label", "a=1"), ("label", "b=2"))[: number % 3],
                )
                for number in range(90)
            ],
        )
        LEDGER.fold_all(session)
        # Some wait to be folded, which is no fault.
        LEDGER.record_many(session, [call(request_id=f"waits-{number}", thread_id=9) for number in range(3)])
    yield unit
    unit.close()


def checked(unit: UnitOfWork, first: date = FIRST, last: date = LAST) -> tuple[Findings, list[int]]:
    told: list[int] = []
    with unit.snapshot() as session:
        return verify(session, LEDGER.zone, first, last, told.append), told


@on_both_databases
@pytest.mark.parametrize("chunk", [1, 7, 20_000])
def test_all_is_well_however_few_calls_are_read_at_a_time(
    unit: UnitOfWork, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(verify_finer, "CHUNK", chunk)
    monkeypatch.setattr(verify_finer, "_KEYS", chunk)
    findings, told = checked(unit)
    assert (findings.found, findings.differences) == (0, ())
    # Days of the range, each told once.
    assert told == [1] * 61
    assert findings.figures > 5_000


def _one(session: Session, table: Any, *where: Any) -> Any:
    """The key of a row, as a condition."""
    keys = list(table.primary_key.columns)
    row = session.execute(select(*keys).where(*where).order_by(*keys)).first()
    assert row is not None
    return [column == value for column, value in zip(keys, row, strict=True)]


def _hours(session: Session) -> None:
    where = _one(session, SHAPES, SHAPES.c.span == "day")
    session.execute(update(SHAPES).where(*where).values(hours=bytes([200]) + bytes(range(24))))


def _month(session: Session) -> None:
    where = _one(session, SHAPES, SHAPES.c.span == "month", SHAPES.c.latency != b"")
    session.execute(update(SHAPES).where(*where).values(latency=b""))


def _lengths_gone(session: Session) -> None:
    where = _one(session, SHAPES, SHAPES.c.span == "day", SHAPES.c.lengths != b"")
    session.execute(delete(SHAPES).where(*where))


def _packed(session: Session) -> None:
    where = _one(session, MONTHS)
    days = session.execute(select(MONTHS.c.days).where(*where)).scalar_one()
    one_more = days[:1] + bytes([days[1] ^ 1]) + days[2:]
    session.execute(update(MONTHS).where(*where).values(days=one_more))


def _month_of_nobody(session: Session) -> None:
    where = _one(session, SHAPES, SHAPES.c.span == "month")
    row = dict(session.execute(select(SHAPES).where(*where)).mappings().one())
    session.execute(insert(SHAPES).values({**row, "model": "never"}))


def _packed_of_nobody(session: Session) -> None:
    row = dict(session.execute(select(MONTHS).where(*_one(session, MONTHS))).mappings().one())
    session.execute(insert(MONTHS).values({**row, "model": "never"}))


def _facet_cost(session: Session) -> None:
    where = _one(session, FACETS, FACETS.c.facet == "thread")
    session.execute(update(FACETS).where(*where).values(cost_nano=FACETS.c.cost_nano + 1))


def _facet_gone(session: Session) -> None:
    session.execute(delete(FACETS).where(*_one(session, FACETS, FACETS.c.facet == "label")))


def _facet_of_nobody(session: Session) -> None:
    where = _one(session, FACETS, FACETS.c.facet == "status")
    row = dict(session.execute(select(FACETS).where(*where)).mappings().one())
    session.execute(insert(FACETS).values({**row, "value": "never"}))


@pytest.mark.parametrize(
    ("damage", "figure"),
    [
        (_hours, "day: hours"),
        (_month, "month: latency"),
        (_lengths_gone, "day: lengths"),
        (_packed, "month: days"),
        (_packed_of_nobody, "usage_months: rows"),
        (_month_of_nobody, "usage_shapes: rows"),
        (_facet_cost, "thread 1: cost_nano"),
        (_facet_gone, "label : requests"),
        (_facet_of_nobody, "usage_facets: rows"),
    ],
)
def test_a_wrong_figure_is_named_and_a_rebuild_mends_it(
    unit: UnitOfWork, damage: Callable[[Session], None], figure: str
) -> None:
    with unit.write() as session:
        damage(session)
    findings, _ = checked(unit)
    assert findings.found >= 1
    assert any(each.figure.startswith(figure) for each in findings.differences), findings.differences
    assert all(each.rolled_up != each.counted for each in findings.differences)
    with unit.write() as session:
        LEDGER.rebuild(session)
    assert checked(unit)[0].all_well


def test_a_part_of_a_month_says_nothing_of_the_month(unit: UnitOfWork) -> None:
    with unit.write() as session:
        _month(session)
    assert checked(unit, FIRST + timedelta(1))[0].all_well
    assert not checked(unit)[0].all_well
