"""The report time zone: days as Python has them, changed while calls come in, known to every process, kept over
restarts; and the check that would find it if roll-ups and calls disagreed."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from core.config import Settings
from core.errors import AppError, ErrorKind
from core.services import Services, open_services
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import DAILY, EVENTS
from core.usage.days import assign_days
from core.usage.ledger import Ledger
from core.usage.requests import known_requests
from core.usage.tables import LedgerState
from core.usage.types import Call, Source
from core.usage.upkeep import Upkeep, Work, WorkState
from core.usage.verify import verify
from core.usage.zone import open_ledger, zone_names, zone_of
from tests.support.people import ADMIN
from tests.support.store import NOON, call, migrated

EVENING = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
MOSCOW, TOKYO = "Europe/Moscow", "Asia/Tokyo"


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    yield unit
    unit.close()


def opened(unit: UnitOfWork, setting: str | None = None) -> Ledger:
    """The ledger as a process that starts with AIHUB_TIMEZONE has it."""
    ledger = Ledger(ZoneInfo(setting or "UTC"))
    open_ledger(unit, ledger, setting)
    return ledger


def record(unit: UnitOfWork, ledger: Ledger, *calls: Call) -> int:
    with unit.write() as session:
        return ledger.record_many(session, calls)


def days(unit: UnitOfWork) -> dict[date, int]:
    """Calls by day, of all users and real sources, from the roll-ups."""
    statement = select(DAILY.c.day, func.sum(DAILY.c.requests)).where(
        DAILY.c.user_id == 0, DAILY.c.source == ""
    )
    with unit.read() as session:
        return {day: int(calls) for day, calls in session.execute(statement.group_by(DAILY.c.day))}


def sound(unit: UnitOfWork, ledger: Ledger) -> bool:
    with unit.snapshot() as session:
        return verify(session, ledger.zone, date(2026, 1, 1), date(2026, 12, 31)).all_well


def done(upkeep: Upkeep) -> WorkState:
    upkeep.wait()
    progress = upkeep.progress()
    assert progress is not None
    return progress.state


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    zone=st.sampled_from([*zone_names(), "Etc/GMT+12", "Etc/GMT-14"]),
    moments=st.lists(
        st.integers(9 * 10**8, 19 * 10**8).map(lambda each: datetime.fromtimestamp(each, UTC)),
        min_size=1,
        max_size=20,
    ),
)
def test_a_day_in_sql_is_the_day_that_python_has(
    unit: UnitOfWork, zone: str, moments: list[datetime]
) -> None:
    near = [datetime(2026, 11, 20, 23, 59, 59, 999_999, tzinfo=UTC), *moments]
    # Right around a midnight of the zone itself, where a second decides.
    midnights = [
        each.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0) for each in near
    ]
    near += [each.astimezone(UTC) - timedelta(microseconds=1) for each in midnights] + midnights
    with unit.write() as session:
        Ledger(ZoneInfo("UTC")).record_many(session, [call(occurred_at=each) for each in near])
        assign_days(session, ZoneInfo(zone))
        for moment, day in session.execute(select(EVENTS.c.occurred_at, EVENTS.c.day)):
            assert day == moment.astimezone(ZoneInfo(zone)).date()
        session.rollback()


def test_known_requests_are_found_in_any_month(unit: UnitOfWork) -> None:
    ledger = opened(unit)
    record(unit, ledger, call(request_id="a"), call(request_id="b", occurred_at=NOON - timedelta(days=900)))
    with unit.read() as session:
        assert known_requests(session, ["a", "b", "c"]) == {"a", "b"}


def test_progress_adds_up_to_the_calls_whatever_gaps_their_ids_have(unit: UnitOfWork) -> None:
    ledger = opened(unit)
    record(unit, ledger, call(), call(), call())
    with unit.write() as session:
        first = session.execute(select(func.min(EVENTS.c.id))).scalar_one()
        session.execute(update(EVENTS).where(EVENTS.c.id == first).values(id=first + 70_000))
        seen: list[int] = []
        assign_days(session, ZoneInfo(TOKYO), seen.append)
    assert sum(seen) == 3
    assert len(seen) == 4


def test_another_zone_moves_the_days_and_nothing_else(unit: UnitOfWork) -> None:
    ledger = opened(unit)
    record(unit, ledger, call(), call(occurred_at=EVENING), call(occurred_at=EVENING, source=Source.SAMPLE))
    upkeep = Upkeep(unit, ledger)
    upkeep.change_zone(MOSCOW)
    assert done(upkeep) is WorkState.DONE
    assert days(unit) == {date(2026, 11, 20): 1, date(2026, 11, 21): 1}
    assert ledger.zone.key == MOSCOW
    assert sound(unit, ledger)
    progress = upkeep.progress()
    assert progress is not None
    assert (progress.work, progress.zone, progress.share) == (Work.ZONE, MOSCOW, 1.0) or progress.done
    assert progress.seconds_left is None


def test_no_call_is_written_with_an_old_day(unit: UnitOfWork) -> None:
    ours, others = opened(unit), opened(unit)
    upkeep = Upkeep(unit, ours)
    upkeep.change_zone(TOKYO)
    assert done(upkeep) is WorkState.DONE
    # This one has not looked since, and its zone is the old one.
    assert others._zone.key == "UTC"
    record(unit, others, call(occurred_at=EVENING), call(occurred_at=NOON))
    assert days(unit) == {date(2026, 11, 21): 1, date(2026, 11, 20): 1}
    assert sound(unit, ours)


def test_calls_recorded_while_zones_change_are_neither_lost_nor_doubled(unit: UnitOfWork) -> None:
    ledgers = [opened(unit) for _ in range(3)]
    upkeep = Upkeep(unit, ledgers[0])
    calls = [call(occurred_at=EVENING + timedelta(minutes=n), user_id=1 + n % 3) for n in range(90)]
    begun = threading.Barrier(5)

    def write(number: int) -> int:
        begun.wait()
        return sum(record(unit, ledgers[n % 3], calls[n]) for n in range(number, len(calls), 4))

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, number) for number in range(4)]
        begun.wait()
        states: list[WorkState] = []
        for zone in (MOSCOW, TOKYO, "America/New_York", MOSCOW):
            upkeep.change_zone(zone)
            states.append(done(upkeep))
        assert sum(writer.result() for writer in writers) == len(calls)
    assert states == [WorkState.DONE] * 4
    expected: dict[date, int] = {}
    for each in calls:
        day = each.occurred_at.astimezone(ZoneInfo(MOSCOW)).date()
        expected[day] = expected.get(day, 0) + 1
    assert days(unit) == expected
    assert sound(unit, ledgers[0])


def test_a_reader_sees_the_old_days_until_all_are_new(unit: UnitOfWork) -> None:
    ledger = opened(unit)
    record(unit, ledger, call(), call(occurred_at=EVENING))
    before = days(unit)
    seen: list[dict[date, int]] = []
    with unit.write() as session:
        Ledger(ZoneInfo(TOKYO)).rebuild(session, lambda _: seen.append(days(unit)))
        seen.append(days(unit))
    assert seen
    assert all(each == before for each in seen)
    assert days(unit) != before


def test_what_is_stopped_changes_nothing(unit: UnitOfWork, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = opened(unit)
    record(unit, ledger, call(), call(occurred_at=EVENING))
    before = days(unit)
    upkeep = Upkeep(unit, ledger)
    whole = Ledger.rebuild

    def slowly(self: Ledger, session: Any, progress: Any = None) -> None:
        whole(self, session, progress)
        upkeep.stop()
        progress(1)

    monkeypatch.setattr(Ledger, "rebuild", slowly)
    upkeep.change_zone(TOKYO)
    assert done(upkeep) is WorkState.STOPPED
    assert (days(unit), ledger.zone.key) == (before, "UTC")
    assert sound(unit, ledger)
    # And it can be begun again.
    monkeypatch.setattr(Ledger, "rebuild", whole)
    upkeep.change_zone(TOKYO)
    assert done(upkeep) is WorkState.DONE
    assert ledger.zone.key == TOKYO


def test_one_thing_at_a_time(unit: UnitOfWork, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, going, go_on = opened(unit), threading.Event(), threading.Event()
    upkeep = Upkeep(unit, ledger)

    def wait(*_given: Any) -> None:
        going.set()
        assert go_on.wait(20)

    monkeypatch.setattr(Ledger, "rebuild", wait)
    upkeep.change_zone(TOKYO)
    assert going.wait(20)
    progress = upkeep.progress()
    assert progress is not None
    assert progress.running
    with pytest.raises(AppError, match="worked on already") as refused:
        upkeep.check(date(2026, 1, 1), date(2026, 1, 2))
    assert refused.value.kind is ErrorKind.VALIDATION
    go_on.set()
    assert done(upkeep) is WorkState.DONE


@pytest.mark.parametrize("name", ["", "Moscow", "../etc/passwd", "Europe/Atlantis", "x" * 500, "\x00"])
def test_a_zone_that_is_none_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(AppError, match="Choose one by its city"):
        zone_of(name)


def test_the_zone_it_has_already_is_no_change(unit: UnitOfWork) -> None:
    upkeep = Upkeep(unit, opened(unit))
    with pytest.raises(AppError, match="already"):
        upkeep.change_zone("UTC")
    with pytest.raises(AppError, match="ends before it starts"):
        upkeep.check(date(2026, 2, 1), date(2026, 1, 1))
    assert upkeep.progress() is None


def test_every_zone_offered_is_one(unit: UnitOfWork) -> None:
    names = zone_names()
    assert names[0] == "UTC"
    assert {MOSCOW, TOKYO, "America/Argentina/Buenos_Aires"} <= set(names)
    assert all(zone_of(name).key == name for name in names)


def test_the_setting_begins_a_ledger_and_later_changes_it_only_when_it_changes(unit: UnitOfWork) -> None:
    assert opened(unit, MOSCOW).zone.key == MOSCOW
    upkeep = Upkeep(unit, ledger := opened(unit, MOSCOW))
    upkeep.change_zone(TOKYO)
    assert done(upkeep) is WorkState.DONE
    # A restart, with the setting as it was, without it, and again with it.
    for setting in (MOSCOW, None, MOSCOW):
        assert opened(unit, setting).zone.key == TOKYO
    record(unit, ledger, call(occurred_at=EVENING))
    assert opened(unit, "America/New_York").zone.key == "America/New_York"
    assert days(unit) == {date(2026, 11, 20): 1}
    assert ledger_follows(unit, ledger, "America/New_York")


def ledger_follows(unit: UnitOfWork, ledger: Ledger, zone: str) -> bool:
    """Whether a process that runs records in `zone`, whatever it knew."""
    record(unit, ledger, call(occurred_at=EVENING))
    return sound(unit, Ledger(ZoneInfo(zone)))


def test_a_ledger_from_before_takes_a_setting_that_differs(unit: UnitOfWork) -> None:
    opened(unit)
    with unit.write() as session:
        session.execute(update(LedgerState).values(timezone=MOSCOW, setting=None))
    assert opened(unit).zone.key == MOSCOW
    assert opened(unit, TOKYO).zone.key == TOKYO


def test_services_open_with_the_stored_zone(database_url: str, tmp_path: Path) -> None:
    def start(**given: object) -> Services:
        values: dict[str, object] = {"data_dir": tmp_path, "database_url": database_url, **given}
        return open_services(Settings(**values))  # pyright: ignore[reportArgumentType]

    services = start()
    services.upkeep.change_zone(ADMIN, TOKYO)
    services.upkeep.wait()
    progress = services.upkeep.progress(ADMIN)
    assert progress is not None
    assert progress.state is WorkState.DONE
    assert services.usage.today() == datetime.now(ZoneInfo(TOKYO)).date()
    services.close()
    services = start()
    assert services.explore.health().timezone == TOKYO
    assert services.ledger.zone.key == TOKYO
    services.close()
    services = start(timezone=MOSCOW)
    assert services.ledger.zone.key == MOSCOW
    facts = services.upkeep.database(ADMIN)
    assert (facts.kind == "SQLite") is database_url.startswith("sqlite")
    assert facts.size > 10_000
    services.close()


def test_a_check_finds_nothing_where_all_is_well(unit: UnitOfWork) -> None:
    ledger = opened(unit)
    record(unit, ledger, *(call(occurred_at=NOON - timedelta(days=n), user_id=1 + n % 2) for n in range(70)))
    upkeep = Upkeep(unit, ledger)
    upkeep.check(NOON.date() - timedelta(40), NOON.date())
    assert done(upkeep) is WorkState.DONE
    progress = upkeep.progress()
    assert progress is not None
    assert progress.findings is not None
    assert (progress.findings.all_well, progress.findings.calls, progress.done) == (True, 41, 41)
    assert progress.findings.figures > 41


def test_a_check_names_what_is_wrong_and_a_rebuild_mends_it(unit: UnitOfWork) -> None:
    ledger = opened(unit)
    record(unit, ledger, call(), call(occurred_at=EVENING), call(model="gone"))
    with unit.write() as session:
        session.execute(
            update(DAILY).where(DAILY.c.model != "gone", DAILY.c.user_id == 0).values(cost_nano=7)
        )
        session.execute(DAILY.delete().where(DAILY.c.model == "gone", DAILY.c.user_id == 1))
        session.execute(update(EVENTS).where(EVENTS.c.model == "gone").values(day=NOON.date() + timedelta(1)))
    with unit.snapshot() as session:
        findings = verify(session, ledger.zone, NOON.date(), NOON.date() + timedelta(1))
    assert not findings.all_well
    assert findings.misplaced == 1
    wrong = [each for each in findings.differences if each.figure == "cost_nano" and each.model != "gone"]
    assert {(each.user_id, each.source, each.rolled_up, each.counted) for each in wrong} == {
        (0, "", 7, 3_000),
        (0, "chat", 7, 3_000),
    }
    assert any(each.model == "gone" and each.rolled_up == 0 for each in findings.differences)
    upkeep = Upkeep(unit, ledger)
    upkeep.rebuild()
    assert done(upkeep) is WorkState.DONE
    assert sound(unit, ledger)
