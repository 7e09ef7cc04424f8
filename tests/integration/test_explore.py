"""Exploring usage: whatever is asked, the roll-ups say what the calls add up to, on both databases."""

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import AppError, ErrorKind
from core.pricing.currency import ExchangeRates
from core.pricing.types import UNPRICED, CallCost, Money
from core.store.engine import open_engine
from core.store.migrate import MIGRATIONS_DIR
from core.store.unit_of_work import UnitOfWork
from core.usage import ledger as ledger_module
from core.usage.explore.part_types import Part, Spread
from core.usage.explore.series import COST, SAVED, without_zeros
from core.usage.explore.service import ExploreService
from core.usage.explore.types import Compare, Dimension, Interval, Measures, Period, Selection, Timing
from core.usage.imports import undoing
from core.usage.ledger import VERSION, Ledger
from core.usage.tables import LedgerState
from core.usage.types import Call, CallStatus, Source
from core.usage.verify import verify
from tests.support.databases import postgres_database
from tests.support.ledger_work import CALLS, FIRST, LAST, SELECTIONS, LedgerWork, emptied
from tests.support.people import ADMIN
from tests.support.store import NOON, call, migrated

UTC_LEDGER = Ledger(ZoneInfo("UTC"))


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    yield unit
    unit.close()


def record(unit: UnitOfWork, calls: Sequence[Call], ledger: Ledger = UTC_LEDGER) -> int:
    with unit.write() as session:
        return ledger.record_many(session, calls)


def answers(reader: ExploreService, selection: Selection, by: Dimension, interval: Interval) -> list[Any]:
    """All that is shown of a selection, but for how it was read."""
    found = reader.explore(selection, by, interval, Compare.PREVIOUS, kinds=True)
    assert sum(found.errors.values()) == found.total.errors
    shown = [getattr(found, name) for name in found.__dataclass_fields__ if name != "slow"]
    patterns = reader.patterns(selection)
    return [
        *shown,
        patterns.heat,
        patterns.latency,
        patterns.first_token,
        patterns.lengths,
        reader.top(selection, by, 2),
    ]


def values_of(reader: ExploreService, scope: int | None, sample: bool) -> dict[Dimension, list[str]]:
    """What can be filtered by, from the calls one by one."""
    found: dict[Dimension, set[str | None]] = {
        each: set() for each in Dimension if each is not Dimension.THREAD
    }
    for row in reader.calls(Selection(scope, FIRST, LAST, sample), limit=500).calls:
        one = {
            Dimension.PROVIDER: row.provider,
            Dimension.MODEL: f"{row.provider}/{row.model}",
            Dimension.SOURCE: row.source,
            Dimension.USER: str(row.user_id),
            Dimension.STATUS: row.status,
            Dimension.ERROR: row.error_kind,
        }
        for dimension, value in (*one.items(), *((Dimension(facet), value) for facet, value in row.tags)):
            found[dimension].add(value)
        # Nearly all are, and it is not kept which.
        found[Dimension.STATUS].add(CallStatus.COMPLETED)
    return {each: sorted(value for value in values if value) for each, values in found.items()}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_roll_ups_say_what_the_calls_add_up_to(unit: UnitOfWork, tmp_path: Path, data: st.DataObject) -> None:
    with patch.object(undoing, "STEP", 2):
        work = LedgerWork(unit, tmp_path, data)
        for step in data.draw(st.lists(st.sampled_from(work.steps), min_size=1, max_size=8)):
            step()
    rolled, raw = work.readers()
    selection = data.draw(SELECTIONS)
    by, interval = data.draw(st.sampled_from(list(Dimension))), data.draw(st.sampled_from(list(Interval)))
    assert answers(rolled, selection, by, interval) == answers(raw, selection, by, interval)
    assert rolled.health().lag == 0
    for scope, sample in ((None, False), (None, True), (1, False), (2, True)):
        assert rolled.values(scope, sample) == values_of(rolled, scope, sample)
        assert rolled.users(scope, sample) == rolled.values(scope, sample)[Dimension.USER]
    for reader in (rolled, raw):
        assert_parts_are_counted(reader, selection)
    work.assert_verified()


def assert_parts_are_counted(reader: ExploreService, selection: Selection) -> None:
    """Each bar and each cell opens as many calls as it counts."""
    found = reader.patterns(selection)
    hours = [cell.requests for row in found.heat for cell in row]
    bars = [
        *(Part(Spread.LATENCY, int(each.low), int(each.high)) for each in found.latency),
        *(Part(Spread.FIRST, int(each.low), int(each.high)) for each in found.first_token),
        *(Part(Spread.LENGTH, each.low, each.high + 1) for each in found.lengths),
        *(Part(Spread.HOUR, hour, hour + 1) for hour, calls in enumerate(hours) if calls),
        Part(Spread.HOUR, 0, len(hours)),
    ]
    counted = [
        *(each.calls for each in (*found.latency, *found.first_token, *found.lengths)),
        *filter(None, hours),
        sum(hours),
    ]
    assert [len(reader.calls(selection, limit=1_000, part=bar).calls) for bar in bars] == counted


def test_completed_calls_are_explored_by_any_other_facet_without_reading_all_calls(unit: UnitOfWork) -> None:
    statuses, errors = list(CallStatus), [None, ErrorKind.TIMEOUT, ErrorKind.RATE_LIMIT]
    made = [
        call(
            occurred_at=NOON + timedelta(days=number % 50),
            user_id=1 + number % 2,
            status=statuses[number % len(statuses)],
            error_kind=errors[number % 2 and number % 3],
            latency_ms=number,
            first_token_ms=number % 7,
            thread_id=number % 4 or None,
            tags=(("label", "a=1"), ("label", "b=2"), ("category", "c"), ("prompt", "p"))[number % 5 :],
        )
        for number in range(90)
    ]
    record(unit, made[:80])
    with unit.write() as session:
        UTC_LEDGER.fold_all(session)
    record(unit, made[80:])
    rolled, raw = ExploreService(unit, UTC_LEDGER), ExploreService(unit, UTC_LEDGER, only_calls=True)
    facets = [Dimension.ERROR, Dimension.CATEGORY, Dimension.PROMPT, Dimension.LABEL, Dimension.THREAD]
    for by in (*facets, Dimension.MODEL):
        for asked in (("completed",), ("completed", "failed"), tuple(status.value for status in CallStatus)):
            where = ((Dimension.STATUS, asked), *(((Dimension.CATEGORY, ("",)),) if by not in facets else ()))
            selection = Selection(None, FIRST, LAST, where=where)
            assert answers(rolled, selection, by, Interval.WEEK) == answers(raw, selection, by, Interval.WEEK)
            assert not rolled.explore(selection, by).slow


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=CALLS,
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca"]),
    by=st.sampled_from([each for each in Dimension if each is not Dimension.LABEL]),
)
def test_days_add_up_to_ranges_and_groups_to_totals(
    unit: UnitOfWork, calls: list[Call], zone: str, by: Dimension
) -> None:
    emptied(unit)
    ledger = Ledger(ZoneInfo(zone))
    reader = ExploreService(unit, ledger)
    record(unit, calls, ledger)
    assert record(unit, calls, ledger) == 0
    real = [
        one for one in {c.request_id: c for c in reversed(calls)}.values() if one.source is not Source.SAMPLE
    ]
    for interval in Interval:
        found = reader.explore(Selection(None, FIRST, LAST), by, interval)
        assert found.total.requests == sum(one.requests for one in real)
        assert found.total.output_tokens == sum(one.usage.output_tokens for one in real)
        assert sum(found.total.costs.values()) == sum(one.cost.amount.nano for one in real if one.cost.amount)
        assert added(found.points) == found.total == added([group.total for group in found.groups])
        assert all(added(group.points) == group.total for group in found.groups)
    for day in {ledger.day_of(one.occurred_at) for one in real}:
        alone = reader.explore(Selection(None, day, day), by).total
        assert alone.requests == sum(one.requests for one in real if ledger.day_of(one.occurred_at) == day)


def added(parts: Sequence[Measures]) -> Measures:
    total = Measures()
    for part in parts:
        for name in part.__dataclass_fields__:
            if name in ("costs", "saved"):
                amounts: dict[str, int] = getattr(total, name)
                for currency, nano in getattr(part, name).items():
                    amounts[currency] = amounts.get(currency, 0) + nano
            else:
                setattr(total, name, getattr(total, name) + getattr(part, name))
    return total


def test_amounts_are_converted_at_the_rate_of_their_day_however_they_are_read(unit: UnitOfWork) -> None:
    rates = ExchangeRates(unit)
    rates.add(ADMIN, "RUB", "USD", Decimal("0.0123"), FIRST)
    rubles = [
        call(model=f"m{n}", cost=CallCost(Money(333 + n, "RUB"), "test"), thread_id=n % 2) for n in range(9)
    ]
    record(unit, [*rubles, call()])
    rolled, raw = (ExploreService(unit, UTC_LEDGER, rates, only_calls=each) for each in (False, True))
    for by in (Dimension.MODEL, Dimension.USER, Dimension.THREAD):
        asked = (Selection(None, FIRST, LAST), by, Interval.DAY, Compare.LAST_MONTH, "USD")
        found, expected = rolled.explore(*asked), raw.explore(*asked)
        assert found.converted
        assert found.total.costs == expected.total.costs
        assert [group.total for group in found.groups] == [group.total for group in expected.groups]
    with unit.write() as session:
        UTC_LEDGER.fold_all(session)
    assert rolled.explore(*asked).groups == found.groups


def test_writers_side_by_side_with_folds_between_lose_and_double_nothing(
    unit: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.usage.ledger.FOLD_EVERY", 16)
    calls = [call(user_id=1 + n % 3, model=f"model-{n % 4}", thread_id=n % 5) for n in range(120)]

    def write(one: Call) -> None:
        unit.write_together(lambda session: UTC_LEDGER.record_soon(session, one))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, calls + calls[:40]))
    assert_all_stand(unit, len(calls))


def assert_all_stand(unit: UnitOfWork, calls: int) -> None:
    rolled, raw = ExploreService(unit, UTC_LEDGER), ExploreService(unit, UTC_LEDGER, only_calls=True)
    selection = Selection(None, FIRST, LAST)
    for by in (Dimension.MODEL, Dimension.THREAD):
        found = answers(rolled, selection, by, Interval.DAY)
        assert found == answers(raw, selection, by, Interval.DAY)
    assert rolled.explore(selection).total.requests == calls
    health = rolled.health()
    assert (health.events, health.lag) == (calls, 0)


def test_one_bad_call_does_not_take_others_with_it(unit: UnitOfWork) -> None:
    def write(number: int) -> bool:
        bad = number % 8 == 0
        one = call(user_id=0 if bad else 1, request_id=f"request-{number}")
        try:
            unit.write_together(lambda session: UTC_LEDGER.record_soon(session, one))
        except ValueError:
            return bad
        return not bad

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(write, range(64)))
    assert_all_stand(unit, 56)


@pytest.mark.postgres
def test_two_processes_fold_and_record_at_once() -> None:
    with postgres_database() as url:
        unit = migrated(url)
        try:
            spawn = multiprocessing.get_context("spawn")
            others = [spawn.Process(target=record_from_threads, args=(url, name)) for name in ("a", "b")]
            for each in others:
                each.start()
            for each in others:
                each.join(60)
            assert [each.exitcode for each in others] == [0, 0]
            # Both recorded the 20 calls that have the same names.
            assert_all_stand(unit, 2 * 60 + 20)
        finally:
            unit.close()


def record_from_threads(url: str, name: str) -> None:
    ledger_module.FOLD_EVERY = 16
    unit = migrated(url)
    shared = [call(request_id=f"both-{number}", model="m") for number in range(20)]
    own = [
        call(request_id=f"{name}-{number}", model=f"m-{number % 3}", thread_id=number % 4)
        for number in range(60)
    ]
    with ThreadPoolExecutor(4) as threads:
        for _ in threads.map(
            lambda one: unit.write_together(lambda session: UTC_LEDGER.record_soon(session, one)),
            own + shared,
        ):
            pass
    unit.close()


def test_pages_have_each_call_once_while_new_calls_come(unit: UnitOfWork) -> None:
    days = [NOON + timedelta(number % 5) for number in range(47)]
    record(unit, [call(request_id=f"old-{number}", occurred_at=day) for number, day in enumerate(days)])
    reader, seen, older = ExploreService(unit, UTC_LEDGER), list[str](), None
    for page in range(100):
        found = reader.calls(Selection(1, FIRST, LAST), older, limit=10)
        seen += (one.request_id for one in found.calls)
        record(unit, [call(request_id=f"new-{page}", occurred_at=NOON + timedelta(20))])
        if (older := found.older) is None:
            break
    assert sorted(seen) == sorted(f"old-{number}" for number in range(47))


def test_pages_of_a_bar_have_each_of_its_calls_once_the_newest_first(unit: UnitOfWork) -> None:
    """Also of more models than are looked up one by one, and with calls that the roll-ups do not hold yet."""
    made = [
        call(
            request_id=f"{'slow' if number % 3 else 'quick'}-{number}",
            occurred_at=NOON + timedelta(number % 7, minutes=number),
            model=f"m-{number % 5}",
            latency_ms=5_000 if number % 3 else 200,
        )
        for number in range(60)
    ]
    record(unit, made[:45])
    with unit.write() as session:
        for one in made[45:]:
            UTC_LEDGER.record_soon(session, one)
    for reader in (ExploreService(unit, UTC_LEDGER), ExploreService(unit, UTC_LEDGER, only_calls=True)):
        seen, older = list[Any](), None
        while older is not None or not seen:
            page = reader.calls(Selection(1, FIRST, LAST), older, 7, Part(Spread.LATENCY, 4_000, 6_000))
            seen += page.calls
            older = page.older
        assert sorted(one.request_id for one in seen) == sorted(
            one.request_id for one in made if one.request_id.startswith("slow")
        )
        assert [one.day for one in seen] == sorted((one.day for one in seen), reverse=True)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]
)
def test_cells_are_hours_of_the_report_zone_also_when_clocks_change(unit: UnitOfWork, zone: str) -> None:
    ledger = Ledger(ZoneInfo(zone))
    # Three days around each change of a year, a call every half hour.
    for month, day in ((3, 28), (4, 4), (10, 3), (10, 24), (11, 7), (12, 29)):
        start = datetime(2026 if month < 12 else 2011, month, day, tzinfo=UTC)
        moments = [start + timedelta(minutes=30 * number) for number in range(3 * 24 * 2)]
        record(unit, [call(request_id=str(moment), occurred_at=moment) for moment in moments], ledger)
    reader = ExploreService(unit, ledger)
    for year in (2011, 2026):
        assert_parts_are_counted(reader, Selection(1, date(year, 1, 1), date(year, 12, 31)))


def test_a_cell_is_of_one_weekday_also_of_calls_that_wait(unit: UnitOfWork) -> None:
    moments = [NOON + timedelta(day) for day in (0, 1, 7, 8)]
    with unit.write() as session:
        for moment in moments:
            UTC_LEDGER.record_soon(session, call(occurred_at=moment))
    hour = NOON.weekday() * 24 + NOON.hour
    found = ExploreService(unit, UTC_LEDGER).calls(
        Selection(1, FIRST, LAST), part=Part(Spread.HOUR, hour, hour + 1)
    )
    assert [one.occurred_at for one in found.calls] == [moments[2], moments[0]]


@pytest.mark.parametrize("of", [Spread.LATENCY, Spread.FIRST, Spread.LENGTH])
def test_a_bar_may_reach_as_far_as_an_address_says(unit: UnitOfWork, of: Spread) -> None:
    record(unit, [call(latency_ms=2_000_000_000, first_token_ms=5)])
    found = ExploreService(unit, UTC_LEDGER).calls(Selection(1, FIRST, LAST), part=Part(of, 0, 10**12))
    assert len(found.calls) == 1


@pytest.mark.parametrize(("low", "high"), [(5, 5), (-1, 4), (0, 169), (2**63, 2**64)])
def test_a_bar_that_is_none_is_refused(unit: UnitOfWork, low: int, high: int) -> None:
    with pytest.raises(AppError, match="no such bar") as refused:
        ExploreService(unit, UTC_LEDGER).calls(Selection(1, FIRST, LAST), part=Part(Spread.HOUR, low, high))
    assert refused.value.kind is ErrorKind.VALIDATION


@pytest.mark.parametrize(
    "older", ["", "2026-11-20", "x:1", "2026-11-20:x", f"2026-11-20:{10**30}", "2026-11-20:²"]
)
def test_a_page_that_is_none_is_refused(unit: UnitOfWork, older: str) -> None:
    with pytest.raises(AppError) as refused:
        ExploreService(unit, UTC_LEDGER).calls(Selection(1, FIRST, LAST), older)
    assert refused.value.kind is ErrorKind.VALIDATION


@pytest.mark.parametrize(
    ("dimension", "value"),
    [
        (Dimension.STATUS, "done"),
        (Dimension.SOURCE, "chats"),
        (Dimension.USER, "-1"),
        (Dimension.USER, "9" * 30),
        (Dimension.THREAD, "x"),
        (Dimension.MODEL, "gemini"),
    ],
)
def test_a_value_that_is_none_is_refused(unit: UnitOfWork, dimension: Dimension, value: str) -> None:
    with pytest.raises(AppError) as refused:
        ExploreService(unit, UTC_LEDGER).explore(Selection(1, FIRST, LAST, where=((dimension, (value,)),)))
    assert refused.value.kind is ErrorKind.VALIDATION


def test_months_that_differ_are_compared_day_by_day(unit: UnitOfWork) -> None:
    record(
        unit,
        [call(occurred_at=NOON.replace(month=2, day=28)), call(occurred_at=NOON.replace(month=3, day=30))],
    )
    march = Selection(1, date(2026, 3, 30), date(2026, 3, 31))
    found = ExploreService(unit, UTC_LEDGER).explore(march, compare=Compare.LAST_MONTH)
    assert found.compared == Period(date(2026, 2, 28), date(2026, 2, 28))
    assert found.before is not None
    assert (found.total.requests, found.before.requests, len(found.before_points or ())) == (1, 1, 1)


def test_another_users_calls_are_not_found(unit: UnitOfWork) -> None:
    record(unit, [call(user_id=2, thread_id=9, tags=(("label", "team=red"),))])
    reader = ExploreService(unit, UTC_LEDGER)
    asked = Selection(1, FIRST, LAST, where=((Dimension.USER, ("2",)),))
    assert reader.explore(asked).total == Measures()
    assert reader.calls(asked).calls == ()
    assert not any(reader.values(1).values())


@pytest.mark.parametrize(("revision", "rebuilt"), [("0002", True), ("0009", False)])
def test_calls_of_an_older_schema_are_explored_after_the_start(
    database_url: str, unit: UnitOfWork, revision: str, rebuilt: bool
) -> None:
    """Where only months are not packed yet, nothing else is made anew."""
    record(unit, [call(thread_id=3, latency_ms=900), call(status=CallStatus.FAILED)])
    with unit.write() as session:
        UTC_LEDGER.open(session)
    record(unit, [call(occurred_at=NOON + timedelta(days=40), source=Source.API), call(user_id=2)])
    engine = open_engine(database_url)
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS_DIR))
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        command.upgrade(config, "head")
    engine.dispose()
    with unit.write() as session:
        before = session.get_one(LedgerState, 1).rebuilt_at
        UTC_LEDGER.open(session)
        state = session.get_one(LedgerState, 1)
        assert ((state.rebuilt_at != before), state.version) == (rebuilt, VERSION)
        assert verify(session, UTC_LEDGER.zone, date(2026, 11, 1), date(2027, 1, 31)).all_well
    assert_all_stand(unit, 4)


@pytest.mark.parametrize("by", [each for each in Dimension if each is not Dimension.LABEL])
def test_a_series_is_what_the_groups_come_to_over_time(unit: UnitOfWork, by: Dimension) -> None:
    kinds = [Source.CHAT, Source.API]
    calls = [
        call(
            occurred_at=NOON + timedelta(days=number % 9),
            user_id=1 + number % 2,
            model="ab"[number % 3 == 0],
            source=kinds[number % 2],
            cost=CallCost(Money(number, "USD" if number % 4 else "RUB"), "test") if number % 5 else UNPRICED,
            thread_id=number % 3 or None,
            tags=(("category", "Work"),) if number % 2 else (),
        )
        for number in range(40)
    ]
    with unit.write() as session:
        UTC_LEDGER.record_many(session, calls)
    reader = ExploreService(unit, UTC_LEDGER)
    asked = Selection(None, FIRST, LAST)
    for interval in Interval:
        found = reader.explore(asked, by, interval)
        groups = {group.value: group.points for group in found.groups}
        for figure in ("tokens", "requests", "cost", "saved"):
            periods, lines = reader.series(asked, by, interval, figure)
            assert periods == found.periods
            assert lines == without_zeros(_lines_of(groups, figure))


def _lines_of(
    groups: Mapping[str, Sequence[Measures]], figure: str
) -> dict[tuple[str, str], tuple[int, ...]]:
    """A figure of points that were read already."""
    found: dict[tuple[str, str], tuple[int, ...]] = {}
    for group, points in groups.items():
        if figure not in (COST, SAVED):
            found[group, ""] = tuple(getattr(point, figure) for point in points)
            continue
        amounts = [point.costs if figure == COST else point.saved for point in points]
        for currency in sorted({name for each in amounts for name in each}):
            found[group, currency] = tuple(each.get(currency, 0) for each in amounts)
    return found


@pytest.mark.parametrize("by", [Dimension.MODEL, Dimension.STATUS, Dimension.LABEL])
def test_timings_are_the_percentiles_of_each_period_by_itself(unit: UnitOfWork, by: Dimension) -> None:
    calls = [
        call(
            # The last ones, which wait to be folded, lie in days of their own and in others.
            occurred_at=NOON + timedelta(days=number % 9 if number < 35 else number),
            model="ab"[number % 3 == 0],
            status=CallStatus.STOPPED if number % 7 == 0 else CallStatus.COMPLETED,
            latency_ms=100 * number or None,
            first_token_ms=number,
            tags=(("label", "a=1"), ("label", "b=2"))[: number % 3],
        )
        for number in range(40)
    ]
    record(unit, calls[:30])
    with unit.write() as session:
        UTC_LEDGER.fold_all(session)
    record(unit, calls[30:])
    reader = ExploreService(unit, UTC_LEDGER)
    asked = Selection(None, FIRST, LAST)
    for interval in Interval:
        periods, timings = reader.timings(asked, by, interval)
        told = 0
        for place, period in enumerate(periods):
            alone = reader.explore(Selection(None, period.start, period.end), by, interval)
            for group in alone.groups:
                timing = timings[group.value][place] if group.value in timings else Timing()
                assert timing == Timing(group.latency, group.first_token)
                told += timing.latency.calls
        assert told >= sum(one.status is CallStatus.COMPLETED for one in calls) - 1


def test_groups_are_ranked_by_the_currency_that_most_calls_are_priced_in(unit: UnitOfWork) -> None:
    """Not by the one that comes first in the alphabet, though every group has both."""
    prices = {
        "dear": [Money(9, "USD")] * 3 + [Money(1, "EUR")],
        "cheap": [Money(1, "USD")] * 3 + [Money(900, "EUR")],
    }
    record(
        unit,
        [call(model=model, cost=CallCost(each, "test")) for model, all_ in prices.items() for each in all_],
    )
    found = ExploreService(unit, UTC_LEDGER).explore(Selection(None, FIRST, LAST))
    assert [group.value for group in found.groups] == ["gemini/dear", "gemini/cheap"]


def test_a_figure_that_is_none_is_refused(unit: UnitOfWork) -> None:
    with pytest.raises(AppError) as refused:
        ExploreService(unit, UTC_LEDGER).series(
            Selection(None, FIRST, LAST), Dimension.MODEL, Interval.DAY, "id; DROP"
        )
    assert refused.value.kind is ErrorKind.VALIDATION
