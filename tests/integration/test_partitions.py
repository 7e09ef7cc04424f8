"""The calls by month on PostgreSQL: a request id is one over all months, and no call is ever refused or lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.dialects import postgresql

from core.store.engine import open_engine
from core.store.migrate import MIGRATIONS_DIR
from core.store.partitions import MonthPartitions
from core.store.unit_of_work import UnitOfWork
from core.usage import folding
from core.usage.columns import DAILY, EVENTS
from core.usage.days import in_days
from core.usage.ledger import Ledger
from core.usage.types import Call
from tests.support.databases import postgres_database
from tests.support.store import NOON, call

pytestmark = pytest.mark.postgres

LEDGER = Ledger(ZoneInfo("UTC"))
LONG_AGO = datetime(2019, 3, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def engine() -> Iterator[Engine]:
    with postgres_database() as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def unit(engine: Engine) -> UnitOfWork:
    return UnitOfWork(engine)


def partitions(unit: UnitOfWork, now: datetime = NOON) -> MonthPartitions:
    return MonthPartitions(unit, "usage_events", "occurred_at", folding.lock, now=lambda: now)


def record(unit: UnitOfWork, *calls: Call, ledger: Ledger = LEDGER) -> int:
    with unit.write() as session:
        return ledger.record_many(session, calls)


def rows_by_table(unit: UnitOfWork) -> dict[str, int]:
    statement = "SELECT tableoid::regclass::text, count(*) FROM usage_events GROUP BY 1"
    return dict(run(unit, statement))


def run(unit: UnitOfWork, statement: str) -> list[Any]:
    with unit.write() as session:
        return [tuple(row) for row in session.execute(text(statement))]


def tables(unit: UnitOfWork) -> set[str]:
    return {name for (name,) in run(unit, "SELECT inhrelid::regclass::text FROM pg_inherits")} & {
        name for (name,) in run(unit, "SELECT tablename FROM pg_tables")
    }


def facts(unit: UnitOfWork) -> tuple[Any, ...]:
    """All events and roll-ups, and the request ids that are kept from coming twice."""
    with unit.read() as session:
        return (
            session.execute(select(EVENTS).order_by(EVENTS.c.id)).all(),
            session.execute(select(DAILY).order_by(*DAILY.primary_key.columns)).all(),
            session.execute(text("SELECT count(*) FROM usage_requests")).scalar_one(),
        )


def test_a_call_lies_in_its_month_and_one_without_is_kept_all_the_same(unit: UnitOfWork) -> None:
    partitions(unit).tend()
    assert record(unit, call(), call(occurred_at=LONG_AGO)) == 2
    assert rows_by_table(unit) == {"usage_events_2026_11": 1, "usage_events_default": 1}


def test_a_replay_in_another_month_changes_nothing(unit: UnitOfWork) -> None:
    partitions(unit).tend()
    first = call(request_id="once")
    assert record(unit, first) == 1
    before = facts(unit)
    for moment in (NOON + timedelta(days=31), LONG_AGO, NOON + timedelta(seconds=1), NOON):
        assert record(unit, call(request_id="once", occurred_at=moment)) == 0
        assert record(unit, *[call(request_id="once", occurred_at=moment)] * 3) == 0
    assert facts(unit) == before


def test_one_request_in_two_months_from_many_threads_is_one_call(unit: UnitOfWork) -> None:
    partitions(unit).tend()
    calls = [
        call(request_id=f"r{n % 10}", occurred_at=NOON + timedelta(days=30 * (n % 3))) for n in range(120)
    ]
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda one: record(unit, one), calls)) == 10
    with unit.read() as session:
        assert session.execute(select(func.count()).select_from(EVENTS)).scalar_one() == 10
        assert (
            session.execute(select(func.sum(DAILY.c.requests)).where(DAILY.c.user_id == 0)).scalar_one() == 20
        )


def test_what_is_taken_out_can_be_brought_in_again(unit: UnitOfWork) -> None:
    partitions(unit).tend()
    batch = [call(batch="b", occurred_at=NOON - timedelta(days=days)) for days in (0, 40, 2_000)]
    other = call(request_id="stays")
    record(unit, other, *batch)
    for _ in range(2):
        with unit.write() as session:
            assert LEDGER.remove_batch(session, "b") == 3
        assert record(unit, other) == 0
        assert record(unit, *batch) == 3
        assert record(unit, *batch) == 0
    assert facts(unit)[2] == 4


def test_the_default_partition_is_emptied_into_the_months(unit: UnitOfWork) -> None:
    calls = [call(occurred_at=LONG_AGO + timedelta(seconds=second)) for second in range(3)]
    record(unit, *calls)
    assert rows_by_table(unit) == {"usage_events_default": 3}
    before = facts(unit)
    partitions(unit).tend()
    assert rows_by_table(unit) == {"usage_events_2019_03": 1, "usage_events_2019_04": 2}
    assert facts(unit) == before
    assert record(unit, *calls) == 0
    assert facts(unit) == before


def test_this_month_and_the_next_two_are_there_before_they_are_needed(unit: UnitOfWork) -> None:
    partitions(unit, datetime(2031, 11, 30, 23, tzinfo=UTC)).tend()
    made = tables(unit)
    assert {"usage_events_2031_11", "usage_events_2031_12", "usage_events_2032_01"} <= made
    assert "usage_events_2032_02" not in made
    partitions(unit, datetime(2031, 12, 1, tzinfo=UTC)).tend()
    assert "usage_events_2032_02" in tables(unit)


def test_a_wrong_clock_makes_no_tables(unit: UnitOfWork) -> None:
    before = tables(unit)
    record(
        unit, *(call(occurred_at=datetime(year, 1, 1, tzinfo=UTC)) for year in (1, 1970, 2014, 2099, 9999))
    )
    partitions(unit).tend()
    partitions(unit).prepare(datetime(1, 1, 1, tzinfo=UTC), datetime(2015, 1, 31, tzinfo=UTC))
    assert tables(unit) - before == {"usage_events_2015_01"}
    assert rows_by_table(unit) == {"usage_events_default": 5}


def test_an_import_prepares_its_months(unit: UnitOfWork) -> None:
    partitions(unit).prepare(LONG_AGO, LONG_AGO + timedelta(days=32))
    record(unit, call(occurred_at=LONG_AGO), call(occurred_at=LONG_AGO + timedelta(days=31)))
    assert rows_by_table(unit) == {"usage_events_2019_03": 1, "usage_events_2019_05": 1} or rows_by_table(
        unit
    ) == {"usage_events_2019_03": 1, "usage_events_2019_04": 1}
    assert {"usage_events_2019_03", "usage_events_2019_04", "usage_events_2019_05"} <= tables(unit)


def test_the_first_calls_of_a_month_from_many_threads_make_it_once(unit: UnitOfWork) -> None:
    made = partitions(unit, LONG_AGO)
    ledger = Ledger(ZoneInfo("UTC"))
    ledger.tell(made.note)
    calls = [call(occurred_at=LONG_AGO + timedelta(seconds=second)) for second in range(80)]
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda one: record(unit, one, ledger=ledger), calls)) == 80
    made.wait()
    made.tend()
    assert rows_by_table(unit) == {"usage_events_2019_03": 1, "usage_events_2019_04": 79}


def test_months_made_by_several_processes_at_once(unit: UnitOfWork) -> None:
    record(unit, *(call(occurred_at=LONG_AGO + timedelta(days=day)) for day in range(90)))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: partitions(unit).tend(), range(4)))
    partitions(unit).tend()
    assert "usage_events_default" not in rows_by_table(unit)
    assert sum(rows_by_table(unit).values()) == 90


def test_a_month_in_use_is_left_for_later_and_its_calls_are_kept(unit: UnitOfWork) -> None:
    with unit.write() as session:
        LEDGER.record(session, call(occurred_at=LONG_AGO))
        # The open transaction holds the default partition.
        partitions(unit).prepare(LONG_AGO, LONG_AGO)
    assert rows_by_table(unit) == {"usage_events_default": 1}
    partitions(unit).tend()
    assert rows_by_table(unit) == {"usage_events_2019_03": 1}


def plan(unit: UnitOfWork, statement: Any) -> str:
    with unit.read() as session:
        lines = session.execute(text(f"EXPLAIN {statement}")).scalars().all()
    return "\n".join(lines)


def test_a_range_of_days_reads_its_own_months_only(unit: UnitOfWork) -> None:
    partitions(unit).prepare(datetime(2026, 1, 1, tzinfo=UTC), NOON)
    asked = select(func.count()).where(in_days(date(2026, 5, 10), date(2026, 6, 9)))
    compiled = asked.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    read = plan(unit, compiled)
    assert "usage_events_2026_05" in read
    assert "usage_events_2026_06" in read
    assert not any(f"usage_events_2026_{month:02}" in read for month in (1, 2, 3, 4, 7, 8, 9, 10, 11))
    assert "usage_events_default" not in read


def test_a_price_is_changed_in_its_month_only(unit: UnitOfWork) -> None:
    partitions(unit).prepare(datetime(2026, 1, 1, tzinfo=UTC), NOON)
    named = f"id = 1 AND occurred_at = '{NOON.isoformat()}'"
    read = plan(unit, f"UPDATE usage_events SET cost_nano = 1 WHERE {named}")
    assert "usage_events_2026_11" in read
    assert "usage_events_2026_10" not in read
    assert "usage_events_default" not in read


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    day=st.dates(date(2024, 1, 1), date(2026, 12, 31)),
    days=st.integers(0, 70),
    zone=st.sampled_from(["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu", "America/New_York"]),
    seconds=st.lists(st.integers(-5 * 86_400, 75 * 86_400), min_size=1, max_size=15),
)
def test_the_bound_in_utc_leaves_out_no_call_of_the_days(
    unit: UnitOfWork, day: date, days: int, zone: str, seconds: list[int]
) -> None:
    ledger = Ledger(ZoneInfo(zone))
    start = datetime.combine(day, datetime.min.time(), UTC)
    calls = [call(occurred_at=start + timedelta(seconds=each)) for each in seconds]
    end = day + timedelta(days)
    with unit.write() as session:
        ledger.record_many(session, calls)
        found = session.execute(select(func.count()).where(in_days(day, end))).scalar_one()
        session.rollback()
    assert found == sum(day <= ledger.day_of(each.occurred_at) <= end for each in calls)


def alembic(engine: Engine, go: Any, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        go(config, revision)


def test_the_migration_keeps_every_call_there_and_back(engine: Engine, unit: UnitOfWork) -> None:
    calls = [call(occurred_at=LONG_AGO + timedelta(days=17 * n), user_id=1 + n % 3) for n in range(30)]
    record(unit, *calls)
    before = facts(unit)
    alembic(engine, command.downgrade, "0003")
    assert run(unit, "SELECT relkind FROM pg_class WHERE relname = 'usage_events'") == [("r",)]
    alembic(engine, command.upgrade, "head")
    assert facts(unit) == before
    assert rows_by_table(unit)["usage_events_2019_03"] == 1
    assert "usage_events_default" not in rows_by_table(unit)
    # New calls go on where the ids were, under the same indexes.
    assert record(unit, *calls) == 0
    assert record(unit, call()) == 1
    with unit.read() as session:
        newest = session.execute(select(func.max(EVENTS.c.id))).scalar_one()
        assert newest > max(row.id for row in before[0])
    names = {
        name for (name,) in run(unit, "SELECT indexname FROM pg_indexes WHERE tablename = 'usage_events'")
    }
    assert names == {"pk_usage_events", *(index.name for index in EVENTS.indexes)}


def test_recording_asks_the_database_no_more_than_before(engine: Engine, unit: UnitOfWork) -> None:
    record(unit, call())
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    record(unit, call())
    assert sum("usage_events" in each for each in statements) == 1
    assert not any("usage_requests" in each or "FOR UPDATE" in each for each in statements)
