"""The report says what the calls say, and sample data comes and goes without a trace; on both databases."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from core.errors import AppError, ErrorKind
from core.pricing.types import UNPRICED, CallCost, Money
from core.providers.types import TokenUsage
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import DAILY, EVENTS
from core.usage.ledger import Ledger
from core.usage.service import UsageService
from core.usage.types import Call, CallStatus, Source, Totals
from tests.support.databases import on_both_databases, sqlite_unless_both
from tests.support.store import LEDGER_TABLES, NOON, call, migrated

LEDGER = Ledger(ZoneInfo("UTC"))
END = NOON.date()
START = END - timedelta(29)


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
def usage(unit: UnitOfWork) -> UsageService:
    return UsageService(unit, LEDGER)


def record(unit: UnitOfWork, calls: Iterable[Call]) -> None:
    with unit.write() as session:
        LEDGER.record_many(session, list(calls))


def stored(unit: UnitOfWork) -> tuple[list[Any], list[Any]]:
    """Both tables, every column but the row id."""
    events = [column for column in EVENTS.c if column.name != "id"]
    with unit.read() as session:
        rows = session.execute(select(*events).order_by(EVENTS.c.request_id)).all()
        days = session.execute(select(DAILY).order_by(*DAILY.primary_key.columns)).all()
    return [tuple(row) for row in rows], [tuple(row) for row in days]


def added(calls: Iterable[Call]) -> Totals:
    """The totals by the plainest means."""
    sums = Totals()
    for one in calls:
        sums.requests += 1
        sums.errors += one.status is CallStatus.FAILED
        sums.estimated += one.usage.estimated
        sums.input_tokens += one.usage.input_tokens
        sums.cached_input_tokens += one.usage.cached_input_tokens
        sums.output_tokens += one.usage.output_tokens
        sums.reasoning_tokens += one.usage.reasoning_tokens
        if one.cost.amount is None:
            sums.unpriced += 1
        else:
            currency = one.cost.amount.currency
            sums.costs[currency] = sums.costs.get(currency, 0) + one.cost.amount.nano
    return sums


COSTS = st.one_of(
    st.just(UNPRICED),
    st.builds(
        lambda nano, currency: CallCost(Money(nano, currency), "test"),
        st.integers(0, 10**12),
        st.sampled_from(["USD", "RUB"]),
    ),
)
TOKENS = st.integers(0, 10**9)
CALLS = st.lists(
    st.builds(
        call,
        user_id=st.integers(1, 2),
        occurred_at=st.integers(0, 75).map(lambda days: NOON - timedelta(days=days)),
        provider=st.sampled_from(["gemini", "openai"]),
        model=st.sampled_from(["flash", "pro"]),
        source=st.sampled_from([Source.CHAT, Source.API, Source.SAMPLE]),
        status=st.sampled_from(list(CallStatus)),
        usage=st.builds(TokenUsage, TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, st.booleans()),
        cost=COSTS,
    ),
    max_size=40,
)


@on_both_databases
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=CALLS, user=st.sampled_from([1, 2, None]), sample=st.booleans())
def test_a_report_is_what_the_calls_add_up_to(
    unit: UnitOfWork, usage: UsageService, calls: list[Call], user: int | None, sample: bool
) -> None:
    with unit.write() as session:
        for table in LEDGER_TABLES:
            session.execute(text(f"DELETE FROM {table}"))
    record(unit, calls)
    report = usage.report(user, START, END, sample=sample)

    mine = [c for c in calls if user in (None, c.user_id) and (c.source is Source.SAMPLE) == sample]
    within = [c for c in mine if START <= c.occurred_at.date() <= END]
    assert report.total == added(within)
    assert report.previous == added(
        c for c in mine if timedelta(0) < START - c.occurred_at.date() <= timedelta(30)
    )
    assert report.days == tuple(
        (day, added(c for c in within if c.occurred_at.date() == day))
        for day in (START + timedelta(offset) for offset in range(30))
    )
    assert {(each.provider, each.model): each.totals for each in report.by_model} == {
        (c.provider, c.model): added(d for d in within if (d.provider, d.model) == (c.provider, c.model))
        for c in within
    }
    assert {each.provider: (each.models, each.totals) for each in report.by_provider} == {
        c.provider: (
            len({d.model for d in within if d.provider == c.provider}),
            added(d for d in within if d.provider == c.provider),
        )
        for c in within
    }
    assert {(each.day, each.provider, each.model): each.totals for each in report.daily} == {
        key: added(d for d in within if (d.occurred_at.date(), d.provider, d.model) == key)
        for key in ((c.occurred_at.date(), c.provider, c.model) for c in within)
    }
    assert len(report.daily) == len({(each.day, each.provider, each.model) for each in report.daily})
    assert [each.day for each in report.daily] == sorted(each.day for each in report.daily)


def test_the_dearest_model_comes_first_then_the_busiest(unit: UnitOfWork, usage: UsageService) -> None:
    dear = call(model="dear", cost=CallCost(Money(9_000, "USD"), "test"))
    busy = [call(model="busy", cost=UNPRICED) for _ in range(3)]
    record(unit, [call(model="idle", cost=UNPRICED), *busy, call(model="cheap"), dear])
    assert [each.model for each in usage.report(1, END, END).by_model] == ["dear", "cheap", "busy", "idle"]


def test_a_free_call_costs_nothing_and_an_unpriced_one_has_no_cost(
    unit: UnitOfWork, usage: UsageService
) -> None:
    record(
        unit,
        [call(model="free", cost=CallCost(Money(0, "USD"), "free")), call(model="unknown", cost=UNPRICED)],
    )
    costs = {each.model: each.totals.costs for each in usage.report(1, END, END).by_model}
    assert costs == {"free": {"USD": 0}, "unknown": {}}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (END, END - timedelta(1)),
        (END - timedelta(3_653), END),
        (date(1, 1, 1), date(1, 1, 1)),
        (date.min, date.max),
    ],
)
def test_an_impossible_range_is_refused_in_words(usage: UsageService, start: date, end: date) -> None:
    with pytest.raises(AppError) as refused:
        usage.report(None, start, end)
    assert refused.value.kind is ErrorKind.VALIDATION
    assert refused.value.text().endswith(".")


@on_both_databases
def test_ten_years_are_not_too_long(usage: UsageService) -> None:
    assert len(usage.report(None, END - timedelta(3_652), END).days) == 3_653


def test_sample_data_leaves_no_trace(unit: UnitOfWork, usage: UsageService) -> None:
    today = usage.today()
    record(unit, [call(occurred_at=NOON, model="gemini-3.8-pro"), call(user_id=2)])
    before = stored(unit)
    usage.load_sample(2)
    theirs = usage.report(2, today - timedelta(89), today, sample=True)

    loaded = usage.load_sample(1)
    assert 1_500 <= loaded <= 2_500
    assert usage.has_sample(1)
    assert usage.remove_sample(1) == loaded
    assert not usage.has_sample(1)
    assert usage.report(2, today - timedelta(89), today, sample=True) == theirs

    usage.remove_sample(2)
    assert stored(unit) == before


def test_loading_sample_data_twice_changes_nothing(unit: UnitOfWork, usage: UsageService) -> None:
    usage.load_sample(1)
    once = stored(unit)
    assert usage.load_sample(1) == 0
    assert stored(unit) == once


@on_both_databases
def test_sample_data_and_real_calls_are_never_added(unit: UnitOfWork, usage: UsageService) -> None:
    today = usage.today()
    usage.load_sample(1)
    assert usage.has_calls(1) is False
    assert usage.report(1, today - timedelta(89), today).total == Totals()
    assert usage.report(None, today - timedelta(89), today).total == Totals()

    one = call()
    record(unit, [one])
    assert usage.has_calls(1) is True
    assert usage.report(1, END, END).total == added([one])
    assert all(each.model != "unknown" for each in usage.report(1, END, END, sample=True).by_model)


def test_one_user_does_not_see_the_calls_of_another(unit: UnitOfWork, usage: UsageService) -> None:
    record(unit, [call(user_id=2)])
    usage.load_sample(2)
    assert usage.has_calls(1) is False
    assert not usage.has_sample(1)
    assert usage.report(1, START, END).total == Totals()
    assert usage.report(None, START, END).total.requests == 1
