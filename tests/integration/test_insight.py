"""Insight from what stands in the ledger, on both databases."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.config import Settings
from core.errors import AppError, ErrorKind
from core.pricing.currency import ExchangeRates
from core.pricing.overrides import PriceOverrides
from core.pricing.service import PriceBook
from core.pricing.types import UNPRICED, CallCost, Money, Price
from core.providers.types import TokenUsage
from core.store.unit_of_work import UnitOfWork
from core.usage.anomaly_types import AnomalyKind, DrillDown
from core.usage.budget_types import BudgetScope, BudgetWindow
from core.usage.budgets import BudgetService
from core.usage.explore.types import Dimension, Selection, Where
from core.usage.forecast_types import Estimate, ForecastState
from core.usage.insight import InsightService
from core.usage.ledger import Ledger
from core.usage.outlook import OutlookState
from core.usage.service import UsageService
from core.usage.types import Call, CallStatus, Source
from core.usage.what_if_types import RowKind, Subscription, Target
from tests.support.hub import me, opened
from tests.support.people import ADMIN
from tests.support.store import call, migrated

LEDGER = Ledger(ZoneInfo("UTC"))
DOLLAR = 10**9
NOW = datetime(2024, 3, 16, 12, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    yield unit
    unit.close()


def insight(unit: UnitOfWork, now: datetime = NOW, **settings: Any) -> InsightService:
    rates = ExchangeRates(unit)
    prices = PriceBook(unit, PriceOverrides(unit))
    usage = UsageService(unit, LEDGER, rates)
    return InsightService(unit, LEDGER, usage, prices, rates, Settings(**settings), now=lambda: now)


def selected(start: date, end: date, scope: int | None = 1, where: Where = ()) -> Selection:
    return Selection(scope, start, end, where=where)


def record(unit: UnitOfWork, calls: Sequence[Call]) -> None:
    with unit.write() as session:
        LEDGER.record_many(session, list(calls))


def on(day: date, nano: int | None, currency: str = "USD", tokens: int = 100, **more: Any) -> Call:
    cost = UNPRICED if nano is None else CallCost(Money(nano, currency), "test")
    moment = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return call(occurred_at=moment, cost=cost, usage=TokenUsage(input_tokens=tokens), **more)


def several(day: date, requests: int, tokens: int, cents: int) -> list[Call]:
    """So many calls of a day that come to exactly these sums."""
    rest = on(day, cents * 10**7, tokens=tokens)
    return [rest, *(on(day, 0, tokens=0) for _ in range(requests - 1))]


def test_the_summary_has_the_documented_figures(unit: UnitOfWork) -> None:
    record(unit, several(date(2024, 3, 1), 90, 51_000, 187))
    record(unit, several(TODAY, 5, 247, 0))
    # 16 February is the first of the last 30 days; 15 February is not among them.
    record(unit, several(date(2024, 2, 16), 120, 64_095, 155))
    record(unit, several(date(2024, 2, 15), 290, 172_000, 500))
    record(unit, several(date(2001, 1, 1), 7, 310, 21))
    record(unit, [on(TODAY, DOLLAR, source=Source.SAMPLE), on(TODAY, DOLLAR, user_id=2)])
    found = insight(unit).summary(1)
    month, last, ever = found.current_month, found.last_30_days, found.all_time
    assert (month.start, month.end) == (date(2024, 3, 1), TODAY)
    assert (month.requests, month.tokens, month.cost.decimal) == (95, 51_247, Decimal("1.87"))
    assert (last.start, last.end) == (date(2024, 2, 16), TODAY)
    assert (last.requests, last.tokens, last.cost.decimal) == (215, 115_342, Decimal("3.42"))
    assert (ever.requests, ever.tokens, ever.cost.decimal) == (512, 287_652, Decimal("8.63"))
    assert found.savings.subscription_cost.decimal == Decimal("20.00")
    assert found.savings.vs_subscription.decimal == Decimal("18.13")
    assert insight(unit).summary(None).all_time.requests == 513
    assert insight(unit).summary(1, sample=True).all_time.requests == 1


def test_savings_below_nothing_are_shown_so(unit: UnitOfWork) -> None:
    record(unit, [on(TODAY, 3 * DOLLAR)])
    savings = insight(unit, subscription_cost="1.5").summary(1).savings
    assert savings.vs_subscription == Money(-DOLLAR * 3 // 2, "USD")


def test_the_subscription_can_be_set_and_set_back(unit: UnitOfWork) -> None:
    record(unit, [on(TODAY, 3 * DOLLAR)])
    service = insight(unit)
    assert service.subscription.set(ADMIN, " 1 990,50 ") == Money(1_990_500_000_000, "USD")
    assert insight(unit).summary(1).savings.subscription_cost.decimal == Decimal("1990.50")
    assert insight(unit).summary(1).savings.vs_subscription.decimal == Decimal("1987.50")
    # It was entered in dollars: of roubles it says nothing.
    assert insight(unit, currency="RUB").summary(1).savings.subscription_cost == Money(20 * DOLLAR, "RUB")
    for wrong in ("twenty", "-1", "1000000", "1e3", "0,0000000001"):
        with pytest.raises(AppError) as refused:
            service.subscription.set(ADMIN, wrong)
        assert refused.value.kind is ErrorKind.VALIDATION
    assert service.summary(1).savings.subscription_cost.decimal == Decimal("1990.50")
    assert service.subscription.set(ADMIN, "") == Money(20 * DOLLAR, "USD")
    assert service.summary(1).savings.subscription_cost == Money(20 * DOLLAR, "USD")


def test_a_summary_converts_by_the_rate_of_the_day_and_says_what_it_could_not(unit: UnitOfWork) -> None:
    rates = ExchangeRates(unit)
    rates.add(ADMIN, "USD", "RUB", Decimal(80), date(2024, 1, 1))
    rates.add(ADMIN, "USD", "RUB", Decimal(90), date(2024, 3, 10))
    record(unit, [on(date(2024, 3, 2), DOLLAR), on(date(2024, 3, 12), DOLLAR), on(TODAY, 5 * DOLLAR, "RUB")])
    record(unit, [on(TODAY, 7, "KZT"), on(TODAY, None)])
    month = insight(unit, currency="RUB").summary(1).current_month
    assert month.cost == Money(175 * DOLLAR, "RUB")
    assert (month.unconverted, month.unpriced, month.requests) == ({"KZT": 7}, 1, 5)


def test_an_empty_ledger_has_a_summary_and_no_forecast(unit: UnitOfWork) -> None:
    found = insight(unit).summary(1)
    assert (found.all_time.requests, found.all_time.cost) == (0, Money(0, "USD"))
    forecast = insight(unit).forecast(1)
    assert (forecast.cost.state, forecast.cost.actual) == (ForecastState.TOO_SHORT, 0)
    assert insight(unit).backtest(1) is None
    assert insight(unit).anomalies(selected(TODAY - timedelta(29), TODAY)).too_short


def test_a_month_is_forecast_from_the_ledger(unit: UnitOfWork) -> None:
    record(unit, [on(TODAY - timedelta(ago), DOLLAR) for ago in range(1, 61)])
    record(unit, [on(TODAY, DOLLAR // 4), on(TODAY, None)])
    found = insight(unit).forecast(1)
    # Fifteen days, a quarter of a dollar, half of what today usually costs, and fifteen days more.
    assert found.cost.actual == 15 * DOLLAR + DOLLAR // 4
    assert found.cost.total == Estimate(*[30 * DOLLAR + DOLLAR * 3 // 4] * 3)
    assert (found.cost.currency, found.tokens.currency, found.unpriced) == ("USD", None, 1)
    assert found.requests.actual == 17
    assert found.tokens.actual == 1_700
    tested = insight(unit).backtest(1)
    assert tested is not None
    assert tested.coverage == 1.0


def test_budgets_are_seen_by_what_they_cover(unit: UnitOfWork) -> None:
    calls = [on(TODAY - timedelta(ago), DOLLAR) for ago in range(60)]
    record(unit, calls)
    record(unit, [on(TODAY - timedelta(ago), DOLLAR, provider="openai", user_id=2) for ago in range(60)])
    budgets = BudgetService(unit, LEDGER, ExchangeRates(unit), now=lambda: NOW)
    everyone = budgets.add(ADMIN, BudgetScope.WORKSPACE, Money(40 * DOLLAR, "USD"))
    mine = budgets.add(ADMIN, BudgetScope.USER, Money(40 * DOLLAR, "USD"), for_user=1)
    openai = budgets.add(ADMIN, BudgetScope.PROVIDER, Money(20 * DOLLAR, "USD"), provider="openai")
    rolling = budgets.add(
        ADMIN, BudgetScope.WORKSPACE, Money(21 * DOLLAR, "USD"), window=BudgetWindow.ROLLING, window_days=10
    )
    found = insight(unit).budget_outlooks([everyone, mine, openai, rolling])
    assert [each.state for each in found] == [
        OutlookState.USED_UP,
        OutlookState.ENOUGH,
        OutlookState.USED_UP,
        OutlookState.USED_UP,
    ]
    # 32 dollars are gone, one more comes today and two each day: the forty are reached in four days.
    assert found[0].expected_on == date(2024, 3, 20)
    # 16 are gone and half a dollar of today is to come: the twentieth is reached in four days.
    assert found[2].expected_on == date(2024, 3, 20)


def test_a_planted_day_is_found_in_the_ledger(unit: UnitOfWork) -> None:
    record(unit, [on(TODAY - timedelta(ago), DOLLAR) for ago in range(1, 61)])
    record(unit, [on(date(2024, 3, 14), 9 * DOLLAR, model="gemini-3.8-pro")])
    report = insight(unit).anomalies(selected(TODAY - timedelta(29), TODAY))
    days = [each for each in report.findings if each.kind is AnomalyKind.DAY_COST]
    assert [each.where for each in days] == [
        DrillDown(date(2024, 3, 14), date(2024, 3, 14), "gemini", "gemini-3.8-pro")
    ]
    assert days[0].reason.params["times"] == Decimal("10.0")


@pytest.mark.parametrize("end", [TODAY - timedelta(40), TODAY + timedelta(3_700), date(1, 2, 1)])
def test_an_impossible_range_is_refused_in_words(unit: UnitOfWork, end: date) -> None:
    start = date(1, 1, 1) if end.year == 1 else TODAY - timedelta(29)
    with pytest.raises(AppError) as refused:
        insight(unit).anomalies(selected(start, end))
    assert refused.value.kind is ErrorKind.VALIDATION
    with pytest.raises(AppError) as refused:
        insight(unit).what_if(selected(start, end), [])
    assert refused.value.kind is ErrorKind.VALIDATION


def test_a_what_if_leaves_out_exactly_the_calls_without_a_price(unit: UnitOfWork) -> None:
    used = TokenUsage(input_tokens=1_000_000, cached_input_tokens=400_000, output_tokens=100_000)
    kinds = {"occurred_at": NOW, "provider": "openai", "model": "own-model"}
    price = Price("USD", 2 * DOLLAR, 8 * DOLLAR, cached_input_nano=DOLLAR // 2)
    # 600,000 at 2, 400,000 at a half and 100,000 at 8 dollars the million.
    paid = CallCost(Money(2_200_000_000, "USD"), "test")
    record(
        unit,
        [
            call(**kinds, usage=used, cost=paid),
            call(**kinds, usage=TokenUsage(input_tokens=70), cost=UNPRICED),
            call(**kinds, usage=TokenUsage(), cost=UNPRICED, status=CallStatus.FAILED, user_id=2),
            call(**kinds, usage=TokenUsage(input_tokens=5), cost=UNPRICED, source=Source.SAMPLE),
            call(**{**kinds, "model": "nobody-knows"}, usage=TokenUsage(output_tokens=30), cost=UNPRICED),
        ],
    )
    overrides = PriceOverrides(unit)
    overrides.add(ADMIN, "openai", "own-model", price, datetime(2024, 1, 1, tzinfo=UTC))
    overrides.add(ADMIN, "anthropic", "other", price, datetime(2024, 1, 1, tzinfo=UTC))
    targets = [Target("openai", "own-model"), Target("anthropic", "other"), Target("openai", "nobody-knows")]
    team = Subscription("Team", Money(31 * DOLLAR, "USD"))
    for scope, left_out in ((1, 2), (None, 3)):
        found = insight(unit).what_if(selected(TODAY, TODAY, scope=scope), targets, [team])
        assert (found.calls, found.tokens) == (1, 1_100_000)
        assert (found.left_out_calls, found.left_out_tokens) == (left_out, 100)
        amounts = [
            (row.kind, row.model, row.low and row.low.nano, row.high and row.high.nano) for row in found.rows
        ]
        assert amounts == [
            (RowKind.SUBSCRIPTION, "", DOLLAR, DOLLAR),
            (RowKind.ACTUAL, "", 2_200_000_000, 2_200_000_000),
            (RowKind.MODEL, "own-model", 2_200_000_000, 2_200_000_000),
            # Nine tenths with its cache; eleven tenths of 2.80 dollars without one.
            (RowKind.MODEL, "other", 1_980_000_000, 3_080_000_000),
            (RowKind.MODEL, "nobody-knows", None, None),
        ]


FILTERS: list[tuple[int | None, Where, int, int]] = [
    # Whose, filters, calls with a price, calls without.
    (1, (), 4, 2),
    (None, (), 5, 3),
    (1, ((Dimension.PROVIDER, ("openai",)),), 2, 1),
    (1, ((Dimension.PROVIDER, ("openai", "gemini")),), 4, 2),
    (1, ((Dimension.MODEL, ("openai/gpt-4o", "nobody/gpt-4o")),), 2, 1),
    (1, ((Dimension.SOURCE, ("api",)),), 2, 1),
    (1, ((Dimension.SOURCE, ("api", "chat")),), 4, 2),
    (1, ((Dimension.SOURCE, ("api",)), (Dimension.PROVIDER, ("gemini",))), 0, 1),
    (1, ((Dimension.SOURCE, ("sample",)),), 0, 0),
    (None, ((Dimension.USER, ("2",)),), 1, 1),
    (None, ((Dimension.USER, ("1", "2", "not a user")),), 5, 3),
    (None, ((Dimension.USER, ("not a user",)),), 0, 0),
    (1, ((Dimension.USER, ("2",)),), 0, 0),
    # What a roll-up by day does not know is not applied.
    (1, ((Dimension.STATUS, ("failed",)),), 4, 2),
]


@pytest.mark.parametrize(("scope", "where", "priced", "unpriced"), FILTERS)
def test_filters_leave_exactly_their_calls(
    ledger_of_two: UnitOfWork, scope: int | None, where: Where, priced: int, unpriced: int
) -> None:
    asked = selected(TODAY, TODAY, scope, where)
    found = insight(ledger_of_two).what_if(asked, [])
    assert (found.calls, found.left_out_calls) == (priced, unpriced)
    assert (found.tokens, found.left_out_tokens) == (100 * priced, 7 * unpriced)
    assert found.rows[0].low == Money(priced * DOLLAR, "USD")
    usage = UsageService(ledger_of_two, LEDGER)
    report = usage.report(scope, TODAY, TODAY, where=where)
    assert (report.total.requests, report.total.unpriced) == (priced + unpriced, unpriced)
    assert sum(each.totals.requests for each in report.daily) == priced + unpriced
    assert len({(each.day, each.provider, each.model) for each in report.daily}) == len(report.daily)


@pytest.fixture
def ledger_of_two(unit: UnitOfWork) -> UnitOfWork:
    """Priced calls of a dollar and 100 tokens; unpriced ones of 7 tokens; and sample data."""
    openai: dict[str, Any] = {"provider": "openai", "model": "gpt-4o"}
    gemini: dict[str, Any] = {"provider": "gemini", "model": "pro"}
    api: dict[str, Any] = {"source": Source.API}
    theirs: dict[str, Any] = {"user_id": 2}
    of_mine = [{**openai, **api}, {**openai, **api}, gemini, gemini]
    record(unit, [on(TODAY, DOLLAR, **each) for each in (*of_mine, {**openai, **theirs})])
    without = [{**openai}, {**gemini, **api}, {**openai, **theirs}]
    record(unit, [on(TODAY, None, tokens=7, **each) for each in without])
    record(unit, [on(TODAY, DOLLAR, **openai, source=Source.SAMPLE)])
    return unit


def test_what_is_out_of_line_can_be_sought_in_one_provider(unit: UnitOfWork) -> None:
    record(unit, [on(TODAY - timedelta(ago), DOLLAR) for ago in range(1, 61)])
    record(unit, [on(TODAY - timedelta(ago), DOLLAR, provider="openai") for ago in range(1, 61)])
    record(unit, [on(date(2024, 3, 14), 20 * DOLLAR, provider="openai")])
    start = TODAY - timedelta(29)

    def spikes(provider: str) -> list[AnomalyKind]:
        asked = selected(start, TODAY, where=((Dimension.PROVIDER, (provider,)),))
        return [each.kind for each in insight(unit).anomalies(asked).findings]

    assert AnomalyKind.DAY_COST in spikes("openai")
    assert spikes("gemini") == []


def test_a_ledger_in_another_currency_is_forecast_in_that(unit: UnitOfWork) -> None:
    record(unit, [on(TODAY - timedelta(ago), DOLLAR, "RUB") for ago in range(1, 61)])
    service = insight(unit)
    assert service.main_currency(1) == "RUB"
    assert service.forecast(1, currency="RUB").cost.actual == 15 * DOLLAR
    assert service.forecast(1).unconverted == {"RUB"}
    assert service.main_currency(2) == "USD"
    ExchangeRates(unit).add(ADMIN, "USD", "RUB", Decimal(80), date(2023, 1, 1))
    assert insight(unit).main_currency(1) == "USD"


def test_sample_data_can_be_seen_through(database_url: str, tmp_path: Path) -> None:
    with opened(database_url, tmp_path) as services:
        loaded = services.usage.load_sample(me(services))
        insight = services.insight
        assert insight.summary(me(services), sample=True).all_time.requests == loaded
        assert insight.summary(me(services)).all_time.requests == 0
        month = insight.forecast(me(services), sample=True)
        assert month.cost.total is not None
        assert month.cost.actual <= month.cost.total.low < month.cost.total.high
        today = services.usage.today()
        found = insight.what_if(
            Selection(me(services), today - timedelta(29), today, sample=True),
            [Target("demo", "any"), Target("local", "any")],
        )
        # The demo is free for a stated reason; a server of one's own has no price.
        assert [(row.kind, row.provider, row.low) for row in found.rows[::2]] == [
            (RowKind.MODEL, "demo", Money(0, "USD")),
            (RowKind.MODEL, "local", None),
        ]
        assert found.left_out_calls > 0
