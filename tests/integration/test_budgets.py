"""Budgets count what calls cost in their window, and refuse what would pass them; on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core.errors import AppError, ErrorKind
from core.pricing.currency import ExchangeRates
from core.pricing.fresh import REFRESH_SECONDS
from core.pricing.types import NANO, UNPRICED, CallCost, Money
from core.store.engine import open_engine
from core.store.unit_of_work import UnitOfWork
from core.usage.budgets import BudgetInfo, BudgetScope, BudgetService, BudgetState, BudgetWindow
from core.usage.ledger import Ledger
from core.usage.types import Call, Source
from tests.support.hub import answered, ask, me, opened_with_gemini
from tests.support.people import ADMIN, admin
from tests.support.store import LEDGER_TABLES, NOON, call, migrated

LEDGER = Ledger(ZoneInfo("UTC"))
TODAY = NOON.date()


class Calendar:
    """The moment it is, which the test moves."""

    def __init__(self) -> None:
        self.now = NOON
        self.seconds = 0.0

    def __call__(self) -> datetime:
        return self.now

    def clock(self) -> float:
        return self.seconds


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    yield unit
    unit.close()


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def rates(unit: UnitOfWork) -> ExchangeRates:
    return ExchangeRates(unit)


@pytest.fixture
def budgets(unit: UnitOfWork, rates: ExchangeRates, calendar: Calendar) -> BudgetService:
    return BudgetService(unit, LEDGER, rates, calendar.clock, calendar)


def cost(nano: int, currency: str = "USD") -> CallCost:
    return CallCost(Money(nano, currency), "test")


def usd(nano: int) -> Money:
    return Money(nano, "USD")


def record(unit: UnitOfWork, *calls: Call, ledger: Ledger = LEDGER) -> None:
    with unit.write() as session:
        ledger.record_many(session, calls)


def spent(budgets: BudgetService, budget: BudgetInfo) -> int:
    return next(each.spent.nano for each in budgets.list(None) if each.id == budget.id)


def refused(budgets: BudgetService, worst: int, user: int = 1, provider: str = "gemini") -> str | None:
    """The sentence a call is refused with, None when it may be made."""
    try:
        budgets.check(user, provider, cost(worst))
    except AppError as error:
        return error.text() if error.kind is ErrorKind.BUDGET else f"another error: {error}"
    return None


def test_each_scope_counts_its_own_calls(unit: UnitOfWork, budgets: BudgetService) -> None:
    workspace = budgets.add(admin(9), BudgetScope.WORKSPACE, usd(1_000))
    user = budgets.add(admin(9), BudgetScope.USER, usd(1_000), for_user=1)
    provider = budgets.add(admin(9), BudgetScope.PROVIDER, usd(1_000), provider="openai")
    record(
        unit,
        call(user_id=1, provider="gemini", cost=cost(1)),
        call(user_id=1, provider="openai", cost=cost(10)),
        call(user_id=2, provider="openai", cost=cost(100)),
        call(user_id=1, source=Source.SAMPLE, cost=cost(5_000)),
        call(user_id=1, cost=UNPRICED),
    )
    assert [spent(budgets, each) for each in (workspace, user, provider)] == [111, 11, 110]


def test_a_month_is_the_calendar_month_and_days_are_the_last_ones(
    unit: UnitOfWork, budgets: BudgetService, calendar: Calendar
) -> None:
    month = budgets.add(admin(9), BudgetScope.WORKSPACE, usd(1_000))
    week = budgets.add(
        admin(9), BudgetScope.WORKSPACE, usd(1_000), window=BudgetWindow.ROLLING, window_days=7
    )
    first = NOON.replace(day=1)
    for moment, nano in [
        (first - timedelta(1), 1),
        (first, 10),
        (NOON - timedelta(7), 100),
        (NOON - timedelta(6), 1_000),
        (NOON, 10_000),
    ]:
        record(unit, call(occurred_at=moment, cost=cost(nano)))
    assert (spent(budgets, month), spent(budgets, week)) == (11_110, 11_000)
    calendar.now = NOON + timedelta(6)
    assert (spent(budgets, month), spent(budgets, week)) == (11_110, 10_000)
    calendar.now = NOON + timedelta(11)
    assert (spent(budgets, month), spent(budgets, week)) == (0, 0)


def test_days_are_those_of_the_report_zone(unit: UnitOfWork, rates: ExchangeRates) -> None:
    moscow, calendar = Ledger(ZoneInfo("Europe/Moscow")), Calendar()
    calendar.now = datetime(2026, 11, 30, 22, tzinfo=NOON.tzinfo)
    budgets = BudgetService(unit, moscow, rates, calendar.clock, calendar)
    budget = budgets.add(admin(9), BudgetScope.WORKSPACE, usd(1_000))
    record(unit, call(occurred_at=calendar.now, cost=cost(5)), ledger=moscow)
    record(unit, call(occurred_at=calendar.now - timedelta(hours=2), cost=cost(7)), ledger=moscow)
    assert spent(budgets, budget) == 5


def test_a_call_that_would_pass_a_budget_is_refused_in_words(
    unit: UnitOfWork, budgets: BudgetService
) -> None:
    budgets.add(admin(9), BudgetScope.WORKSPACE, Money(50 * NANO, "USD"))
    record(unit, call(cost=cost(48_750_000_000)))
    assert refused(budgets, 1_250_000_000) is None
    sentence = refused(budgets, 1_250_000_001)
    assert sentence == (
        "The workspace has 1.25 USD left of its budget of 50 USD, and this call may cost up to 1.25 USD. "
        "More comes free on 2026-12-01. Ask for less, or change the budget under Models, Budgets."
    )


def test_the_sentence_names_whose_budget_it_is_and_when_more_comes_free(
    unit: UnitOfWork, budgets: BudgetService
) -> None:
    days: dict[str, Any] = {"window": BudgetWindow.ROLLING, "window_days": 10}
    budgets.add(admin(9), BudgetScope.USER, usd(NANO), for_user=1, **days)
    budgets.add(admin(9), BudgetScope.PROVIDER, usd(NANO), provider="openai", **days)
    record(
        unit,
        call(occurred_at=NOON - timedelta(4), cost=cost(NANO // 2), provider="openai", user_id=2),
        call(occurred_at=NOON - timedelta(9), cost=cost(NANO // 5)),
    )
    mine, theirs = refused(budgets, NANO), refused(budgets, NANO, user=2, provider="openai")
    assert mine is not None
    assert theirs is not None
    assert mine.startswith("You have 0.8 USD left of your budget of 1 USD")
    assert "2026-11-21" in mine
    assert theirs.startswith("openai has 0.5 USD left of its budget of 1 USD")
    assert "2026-11-26" in theirs
    assert refused(budgets, NANO, user=2, provider="gemini") is None


def test_a_call_dearer_than_the_whole_budget_is_not_told_to_wait(budgets: BudgetService) -> None:
    budgets.add(admin(9), BudgetScope.USER, usd(NANO), for_user=1)
    assert refused(budgets, 2_345 * NANO // 1_000) == (
        "This call may cost up to 2.34 USD, and your whole budget is 1 USD. "
        "Ask for less, or change the budget under Models, Budgets."
    )


def test_what_is_free_or_cannot_be_priced_or_converted_may_be_made(
    unit: UnitOfWork, budgets: BudgetService
) -> None:
    budgets.add(admin(9), BudgetScope.WORKSPACE, usd(1))
    record(unit, call(cost=cost(5)))
    for harmless in (cost(0), UNPRICED, cost(10**12, "RUB")):
        assert budgets.check(1, "gemini", harmless).warnings == ()
    assert refused(budgets, 1) is not None


def test_a_budget_that_does_not_block_warns(unit: UnitOfWork, budgets: BudgetService) -> None:
    budget = budgets.add(admin(9), BudgetScope.WORKSPACE, usd(100), warn_percent=50, blocks=False)
    assert budgets.check(1, "gemini", cost(49)).warnings == ()
    assert [each.id for each in budgets.check(1, "gemini", cost(50)).warnings] == [budget.id]
    record(unit, call(cost=cost(150)))
    (warning,) = budgets.check(1, "gemini", cost(1)).warnings
    assert (warning.state, warning.spent, warning.share) == (BudgetState.OVER, usd(150), 1.5)


def test_a_budget_knows_how_it_stands(unit: UnitOfWork, budgets: BudgetService) -> None:
    budget = budgets.add(admin(9), BudgetScope.WORKSPACE, usd(100), warn_percent=80)
    states: list[BudgetState] = []
    for nano in (79, 1, 19, 1):
        record(unit, call(cost=cost(nano)))
        states.extend(each.state for each in budgets.list(None))
    assert states == [BudgetState.OK, BudgetState.WARN, BudgetState.WARN, BudgetState.OVER]
    assert spent(budgets, budget) == 100


def test_another_currency_counts_at_the_rate_of_its_day(
    unit: UnitOfWork, budgets: BudgetService, rates: ExchangeRates
) -> None:
    rates.add(ADMIN, "USD", "RUB", Decimal(80), TODAY - timedelta(2))
    rates.add(ADMIN, "USD", "RUB", Decimal(100), TODAY)
    budget = budgets.add(admin(9), BudgetScope.WORKSPACE, Money(10_000, "RUB"))
    record(
        unit,
        call(occurred_at=NOON - timedelta(3), cost=cost(7)),
        call(occurred_at=NOON - timedelta(1), cost=cost(10)),
        call(cost=cost(10)),
        call(cost=cost(5, "RUB")),
        call(cost=cost(3, "EUR")),
    )
    (info,) = budgets.list(None)
    assert (info.id, info.spent) == (budget.id, Money(800 + 1_000 + 5, "RUB"))
    assert info.unconverted == {"USD": 7, "EUR": 3}
    assert refused(budgets, 81) is None
    assert refused(budgets, 82) is not None


def test_calls_on_their_way_count_with_their_worst_case(unit: UnitOfWork, budgets: BudgetService) -> None:
    budgets.add(admin(9), BudgetScope.WORKSPACE, usd(100))
    budgets.hold("one", 1, "gemini", cost(40))
    budgets.hold("two", 2, "openai", cost(70))
    budgets.hold("two", 2, "openai", cost(30))
    budgets.hold("three", 2, "openai", UNPRICED)
    assert refused(budgets, 31) is not None
    assert refused(budgets, 30) is None
    record(unit, call(request_id="one", cost=cost(5)))
    budgets.release("one")
    assert refused(budgets, 66) is not None
    assert refused(budgets, 65) is None
    budgets.release("two")
    budgets.release("never held")
    assert refused(budgets, 95) is None


def test_two_calls_cannot_pass_a_budget_together(budgets: BudgetService) -> None:
    budgets.add(admin(9), BudgetScope.WORKSPACE, usd(100))

    def admitted(number: int) -> bool:
        try:
            budgets.admit(f"call-{number}", 1, "gemini", cost(30))
        except AppError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        through = list(pool.map(admitted, range(16)))
    assert sum(through) == 3
    # One that is on hold already is not in its own way.
    assert admitted(through.index(True))


def test_a_reset_counts_from_zero_and_stays_so(
    unit: UnitOfWork, budgets: BudgetService, calendar: Calendar
) -> None:
    budget = budgets.add(admin(9), BudgetScope.WORKSPACE, usd(100))
    record(unit, call(occurred_at=NOON - timedelta(3), cost=cost(50)), call(cost=cost(49)))
    budgets.hold("before", 1, "gemini", cost(80))
    calendar.now = NOON + timedelta(minutes=1)
    assert budgets.reset(ADMIN, budget.id).spent == usd(0)
    assert refused(budgets, 100) is None
    # It began before the reset, however late it ends.
    record(unit, call(request_id="before", cost=cost(60)))
    budgets.release("before")
    assert spent(budgets, budget) == 0
    record(unit, call(occurred_at=calendar.now, cost=cost(30), user_id=2))
    assert spent(budgets, budget) == 30
    calendar.now += timedelta(1)
    record(unit, call(occurred_at=calendar.now, cost=cost(60)))
    assert spent(budgets, budget) == 90
    assert refused(budgets, 11) is not None


MOMENTS = st.integers(-40 * 24 * 60, 3 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))
CALLS = st.lists(
    st.builds(
        call,
        user_id=st.integers(1, 3),
        provider=st.sampled_from(["gemini", "openai"]),
        occurred_at=MOMENTS,
        source=st.sampled_from([Source.CHAT, Source.API, Source.SAMPLE]),
        cost=st.just(UNPRICED) | st.integers(0, 10**9).map(cost),
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=CALLS, later=CALLS, reset=st.none() | MOMENTS, days=st.integers(1, 40), data=st.data())
def test_spent_is_the_sum_of_the_calls_that_count(
    unit: UnitOfWork,
    rates: ExchangeRates,
    calls: list[Call],
    later: list[Call],
    reset: datetime | None,
    days: int,
    data: st.DataObject,
) -> None:
    with unit.write() as session:
        for table in (
            *LEDGER_TABLES,
            "budgets",
        ):
            session.execute(text(f"DELETE FROM {table}"))
    calendar = Calendar()
    budgets = BudgetService(unit, LEDGER, rates, calendar.clock, calendar)
    scope = data.draw(st.sampled_from(list(BudgetScope)))
    window = data.draw(st.sampled_from(list(BudgetWindow)))
    calendar.now = reset or NOON
    budget = budgets.add(
        admin(9), scope, usd(1), for_user=2, provider="openai", window=window, window_days=days, blocks=False
    )
    if reset is not None:
        budgets.reset(ADMIN, budget.id)
    calendar.now = NOON + timedelta(3)
    first = calendar.now.date() - timedelta(days - 1) if window is BudgetWindow.ROLLING else date(2026, 11, 1)

    def counts(one: Call) -> bool:
        return (
            first <= one.occurred_at.date() <= calendar.now.date()
            and (reset is None or one.occurred_at >= reset)
            and one.source is not Source.SAMPLE
            and (scope is not BudgetScope.USER or one.user_id == 2)
            and (scope is not BudgetScope.PROVIDER or one.provider == "openai")
        )

    recorded: list[Call] = []
    for batch in (calls, later):
        record(unit, *batch)
        recorded.extend(batch)
        expected = sum(one.cost.amount.nano for one in recorded if one.cost.amount and counts(one))
        assert spent(budgets, budget) == expected


def test_a_budget_is_changed_and_deleted(unit: UnitOfWork, budgets: BudgetService) -> None:
    assert not budgets.active
    budget = budgets.add(
        admin(9), BudgetScope.USER, usd(10), for_user=1, window=BudgetWindow.ROLLING, window_days=3
    )
    assert budgets.active
    changed = budgets.update(ADMIN, budget.id, amount=usd(20), warn_percent=50, blocks=False)
    assert (changed.amount, changed.user_id, changed.window_days) == (usd(20), 1, 3)
    assert (changed.warn_percent, changed.blocks) == (50, False)
    moved = budgets.update(
        ADMIN,
        budget.id,
        scope=BudgetScope.PROVIDER,
        provider="openai",
        window=BudgetWindow.MONTH,
        window_days=None,
    )
    assert (moved.scope, moved.user_id, moved.provider) == (BudgetScope.PROVIDER, None, "openai")
    assert (moved.window, moved.window_days) == (BudgetWindow.MONTH, None)
    assert budgets.list(None) == (moved,)
    budgets.delete(ADMIN, budget.id)
    assert budgets.list(None) == ()
    assert not budgets.active
    for change in (lambda: budgets.delete(ADMIN, budget.id), lambda: budgets.reset(ADMIN, budget.id)):
        with pytest.raises(AppError) as unknown:
            change()
        assert unknown.value.kind is ErrorKind.NOT_FOUND


def test_a_user_sees_the_budgets_that_concern_them(budgets: BudgetService) -> None:
    workspace = budgets.add(admin(9), BudgetScope.WORKSPACE, usd(10))
    one, two = (budgets.add(admin(9), BudgetScope.USER, usd(10), for_user=user) for user in (1, 2))
    provider = budgets.add(admin(9), BudgetScope.PROVIDER, usd(10), provider="openai")
    assert [each.id for each in budgets.list(2)] == [workspace.id, two.id, provider.id]
    assert [each.id for each in budgets.list(None)] == [workspace.id, one.id, two.id, provider.id]


def test_another_process_sees_a_budget_within_seconds(
    database_url: str, budgets: BudgetService, calendar: Calendar
) -> None:
    elsewhere = UnitOfWork(open_engine(database_url))
    try:
        theirs = BudgetService(elsewhere, LEDGER, ExchangeRates(elsewhere), calendar.clock)
        assert not budgets.active
        budget = theirs.add(admin(9), BudgetScope.WORKSPACE, usd(10))
        assert not budgets.active
        calendar.seconds += REFRESH_SECONDS
        assert budgets.active
        theirs.update(ADMIN, budget.id, amount=usd(5))
        calendar.seconds += REFRESH_SECONDS
        assert refused(budgets, 6) is not None
        theirs.delete(ADMIN, budget.id)
        calendar.seconds += REFRESH_SECONDS
        assert not budgets.active
    finally:
        elsewhere.close()


def test_a_change_is_seen_elsewhere_though_the_clock_was_set_back(
    database_url: str, unit: UnitOfWork, budgets: BudgetService, calendar: Calendar
) -> None:
    first = budgets.add(admin(9), BudgetScope.USER, usd(10), for_user=1)
    budgets.add(admin(9), BudgetScope.USER, usd(10), for_user=2)
    assert refused(budgets, 6) is None
    early = BudgetService(unit, LEDGER, ExchangeRates(unit), now=lambda: NOON - timedelta(days=1))
    early.update(ADMIN, first.id, amount=usd(5))
    calendar.seconds += REFRESH_SECONDS
    assert refused(budgets, 6) is not None


@pytest.mark.parametrize(
    ("scope", "changes", "field"),
    [
        (BudgetScope.WORKSPACE, {"amount": usd(0)}, "amount"),
        (BudgetScope.WORKSPACE, {"amount": usd(10**18)}, "amount"),
        (BudgetScope.WORKSPACE, {"amount": Money(1, "us")}, "currency"),
        (BudgetScope.WORKSPACE, {"warn_percent": 0}, "warn_percent"),
        (BudgetScope.WORKSPACE, {"warn_percent": 101}, "warn_percent"),
        (BudgetScope.WORKSPACE, {"window": BudgetWindow.ROLLING}, "window_days"),
        (BudgetScope.WORKSPACE, {"window": BudgetWindow.ROLLING, "window_days": 367}, "window_days"),
        (BudgetScope.USER, {}, "for_user"),
        (BudgetScope.PROVIDER, {}, "provider"),
    ],
)
def test_what_is_no_budget_is_refused_in_words(
    budgets: BudgetService, scope: BudgetScope, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(AppError) as wrong:
        budgets.add(admin(9), scope, **{"amount": usd(1), **changes})
    assert wrong.value.kind is ErrorKind.VALIDATION
    assert wrong.value.params["field"] == field
    assert budgets.list(None) == ()


def test_a_question_that_would_pass_a_budget_never_reaches_the_provider(
    database_url: str, tmp_path: Path
) -> None:
    with opened_with_gemini(database_url, tmp_path) as (services, server):
        budget = services.budgets.add(admin(me(services)), BudgetScope.PROVIDER, usd(1), provider="gemini")
        refused_one = answered(services, ask(services))
        assert refused_one.error is not None
        assert refused_one.error.kind is ErrorKind.BUDGET
        assert server.asked == []

        services.budgets.update(ADMIN, budget.id, amount=usd(NANO))
        for _ in range(2):
            assert answered(services, ask(services)).error is None
        today = services.usage.today()
        costs = services.usage.report(None, today, today).total.costs
        assert costs == {"USD": spent(services.budgets, budget)}
        assert costs["USD"] > 0
