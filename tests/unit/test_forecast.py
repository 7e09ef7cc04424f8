"""Forecasts hold what they promise on months that were made up, and say nothing where they know nothing."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pricing.types import Money
from core.usage.backtest import backtest
from core.usage.budget_types import BudgetInfo, BudgetScope, BudgetState, BudgetWindow
from core.usage.forecast import forecast
from core.usage.forecast_model import weekday_factors
from core.usage.forecast_types import BacktestCase, DayEstimate, Estimate, Forecast, ForecastState, Metric
from core.usage.outlook import OutlookState, budget_outlook

TODAY = date(2026, 11, 11)
START, END = date(2026, 11, 1), date(2026, 11, 30)
LAST = date(2026, 10, 31)
DOLLAR = 10**9
WEEK = (1.2, 1.3, 1.25, 1.2, 1.0, 0.35, 0.3)

Shape = Callable[[Random, int, date], float]


def constant(rng: Random, number: int, day: date) -> float:
    return 1.0


def weekly(rng: Random, number: int, day: date) -> float:
    return WEEK[day.weekday()]


def trend(rng: Random, number: int, day: date) -> float:
    return 1.0 + 0.05 * number


def working_trend(rng: Random, number: int, day: date) -> float:
    return (1.0 + 0.02 * number) * WEEK[day.weekday()]


def growth(rng: Random, number: int, day: date) -> float:
    return math.exp(0.02 * number)


def decline(rng: Random, number: int, day: date) -> float:
    return math.exp(-0.01 * number)


def bend(rng: Random, number: int, day: date) -> float:
    return 1.0 + 0.04 * max(0, number - 50)


def bursts(rng: Random, number: int, day: date) -> float:
    return 8.0 if rng.random() < 0.06 else 1.0


def sparse(rng: Random, number: int, day: date) -> float:
    return 0.0 if rng.random() < 0.6 else 1.0


def series(shape: Shape, seed: int, days: int = 100, noise: float = 0.3) -> list[int]:
    rng = Random(seed)
    values: list[int] = []
    for number in range(days):
        day = LAST - timedelta(days - 1 - number)
        values.append(round(DOLLAR * shape(rng, number, day) * rng.lognormvariate(-(noise**2) / 2, noise)))
    return values


@lru_cache
def cases(shape: Shape, count: int = 24) -> list[BacktestCase]:
    """The last month of many made-up series, each forecast on three days."""
    found: list[BacktestCase] = []
    for seed in range(count):
        tested = backtest(series(shape, seed), LAST, months=1)
        assert tested is not None
        found += tested.cases
    return found


@pytest.mark.parametrize(
    "shape", [constant, weekly, trend, working_trend, growth, decline, bend, bursts, sparse]
)
def test_four_in_five_months_end_within_the_interval(shape: Shape) -> None:
    tested = cases(shape)
    coverage = sum(case.covered for case in tested) / len(tested)
    assert 0.75 <= coverage <= 0.95, coverage


@pytest.mark.parametrize(("shape", "most"), [(constant, 0.25), (weekly, 0.25), (trend, 0.3), (growth, 0.35)])
def test_an_interval_is_not_wide_for_safety_s_sake(shape: Shape, most: float) -> None:
    widths = [(case.forecast.high - case.forecast.low) / case.actual for case in cases(shape)]
    assert 0 < median(widths) < most


def test_what_forecasts_were_off_before_is_allowed_for() -> None:
    doubling = [round(DOLLAR * 1.02**number) for number in range(80)]
    days = END.day - TODAY.day + 1
    to_come = sum(DOLLAR * 1.02**number for number in range(80, 80 + days))
    found = forecast(doubling, TODAY, 0, START, END)
    assert found.total is not None
    low, high = found.total.low - found.actual, found.total.high - found.actual
    # No straight line through the past reaches what a steady growth comes to.
    assert low <= to_come <= high
    assert abs(found.total.expected - found.actual - to_come) < 0.05 * to_come


def test_the_week_s_rhythm_makes_it_better_than_the_run_rate() -> None:
    tested = cases(weekly)
    ours = median(abs(case.forecast.expected - case.actual) / case.actual for case in tested)
    theirs = median(abs(case.run_rate - case.actual) / case.actual for case in tested)
    assert ours < theirs


def test_every_day_alike_is_forecast_to_the_nano_unit() -> None:
    found = forecast([DOLLAR] * 70, TODAY, 0, START, END)
    assert found.actual == 10 * DOLLAR
    assert found.total == Estimate(30 * DOLLAR, 30 * DOLLAR, 30 * DOLLAR)


def test_days_on_which_nobody_works_are_forecast_as_such() -> None:
    days = [TODAY - timedelta(70 - number) for number in range(70)]
    found = forecast([DOLLAR * (day.weekday() < 5) for day in days], TODAY, 0, START, END)
    assert found.total is not None
    # November 2026 has 21 working days.
    assert abs(found.total.expected - 21 * DOLLAR) < DOLLAR // 100
    saturday = next(each for each in found.path if each.day == date(2026, 11, 14))
    friday = next(each for each in found.path if each.day == date(2026, 11, 13))
    assert saturday.to_come == friday.to_come


def test_calls_that_cost_nothing_are_forecast_to_cost_nothing() -> None:
    found = forecast([0] * 60, TODAY, 0, START, END, days_with_calls=40)
    assert (found.state, found.total) == (ForecastState.OK, Estimate(0, 0, 0))


@pytest.mark.parametrize("days", [0, 1, 12, 13])
def test_fewer_than_fourteen_days_with_calls_are_too_short(days: int) -> None:
    found = forecast([0] * 60 + [5] * days, TODAY, 0, START, END)
    assert (found.state, found.total, found.path) == (ForecastState.TOO_SHORT, None, ())
    assert found.actual == 5 * min(days, 10)
    assert forecast([0] * 60 + [5] * 14, TODAY, 0, START, END).state is ForecastState.OK


def test_today_counts_as_it_is_and_only_its_rest_is_estimated() -> None:
    history = [DOLLAR] * 70
    found = forecast(history, TODAY, 7, START, END, elapsed=0.75)
    assert found.actual == 10 * DOLLAR + 7
    assert found.path[0] == DayEstimate(TODAY, Estimate(*[DOLLAR // 4] * 3))
    assert found.total == Estimate(*[29 * DOLLAR + DOLLAR // 4 + 7] * 3)
    over = forecast(history, END, 7, START, END, elapsed=1.0)
    assert over.total == Estimate(*[over.actual] * 3)


def test_the_month_stands_day_by_day_as_it_was_and_as_it_may_be() -> None:
    found = forecast([DOLLAR] * 70, TODAY, DOLLAR // 4, START, END, elapsed=0.5)
    standings = found.standings()
    assert [each.day for each in standings] == [START + timedelta(number) for number in range(30)]
    assert standings[0].actual == DOLLAR
    today = standings[10]
    assert (today.actual, today.estimate) == (
        10 * DOLLAR + DOLLAR // 4,
        Estimate(*[10 * DOLLAR + DOLLAR * 3 // 4] * 3),
    )
    assert (standings[-1].actual, standings[-1].estimate) == (None, found.total)
    # 10.25 dollars in ten and a half days, for thirty.
    assert found.run_rate == round(10.25 * DOLLAR * 30 / 10.5)
    short = forecast([DOLLAR] * 3, TODAY, 0, START, END)
    assert [each.day for each in short.standings()] == [TODAY - timedelta(number) for number in (3, 2, 1, 0)]
    assert (short.days_missing, found.days_missing) == (11, 0)
    assert forecast([DOLLAR] * 70, START, 0, START, END).run_rate is None


def test_the_same_figures_give_the_same_forecast() -> None:
    history = series(bursts, 3)
    assert forecast(history, TODAY, 0, START, END) == forecast(history, TODAY, 0, START, END)


@settings(max_examples=60, deadline=None)
@given(
    history=st.lists(st.one_of(st.just(0), st.integers(0, 10**15)), min_size=20, max_size=90),
    so_far=st.integers(0, 10**12),
    elapsed=st.floats(0, 1),
)
def test_a_forecast_is_ordered_and_never_below_what_stands(
    history: list[int], so_far: int, elapsed: float
) -> None:
    found = forecast(history, TODAY, so_far, START, END, elapsed=elapsed)
    if found.total is None:
        assert found.days_with_calls < 14
        return
    assert found.actual <= found.total.low <= found.total.expected <= found.total.high
    to_come = [each.to_come for each in found.path]
    for name in ("low", "expected", "high"):
        values = [getattr(each, name) for each in to_come]
        assert values == sorted(values)


def test_a_thin_history_has_no_rhythm_and_noise_little_of_one() -> None:
    assert weekday_factors([1, 9] * 6, [number % 7 for number in range(12)]) == (1.0,) * 7
    rng = Random(1)
    noise = [round(1_000 * rng.lognormvariate(0, 0.4)) for _ in range(56)]
    drawn = weekday_factors(noise, [number % 7 for number in range(56)])
    assert all(0.75 < factor < 1.25 for factor in drawn)
    strong = weekday_factors([10, 10, 10, 10, 10, 0, 0] * 8, [number % 7 for number in range(56)])
    assert strong == pytest.approx((1.4, 1.4, 1.4, 1.4, 1.4, 0, 0), abs=0.01)


def test_a_backtest_needs_a_whole_month_with_a_past() -> None:
    assert backtest([5] * 20, LAST) is None
    tested = backtest([5] * 92, LAST)
    assert tested is not None
    # August begins without a past: it can be forecast on its 15th day and its 22nd.
    assert [case.origin for case in tested.cases] == [
        date(2026, 8, 15),
        date(2026, 8, 22),
        *(date(2026, month, day) for month in (9, 10) for day in (8, 15, 22)),
    ]
    assert (tested.coverage, tested.error, tested.run_rate_error) == (1.0, 0.0, 0.0)


def budget(amount: int, spent: int, window_days: int | None = None) -> BudgetInfo:
    return BudgetInfo(
        id=7,
        scope=BudgetScope.WORKSPACE,
        user_id=None,
        provider=None,
        amount=Money(amount * DOLLAR, "USD"),
        window=BudgetWindow.ROLLING if window_days else BudgetWindow.MONTH,
        window_days=window_days,
        warn_percent=80,
        blocks=True,
        reset_at=datetime(2026, 11, 1, tzinfo=UTC),
        spent=Money(spent * DOLLAR, "USD"),
        unconverted={},
        share=spent / amount,
        state=BudgetState.OK,
    )


def dollar_a_day(days: int = 70) -> Forecast:
    return forecast([DOLLAR] * days, TODAY, 0, START, END, metric=Metric.COST, currency="USD")


def test_a_budget_is_used_up_on_the_day_that_reaches_it() -> None:
    # Ten dollars are gone; today's is the eleventh.
    found = budget_outlook(budget(15, 10), dollar_a_day())
    assert (found.state, found.expected_on) == (OutlookState.USED_UP, date(2026, 11, 15))
    assert found.earliest_on == found.latest_on == found.expected_on
    assert budget_outlook(budget(31, 10), dollar_a_day()).state is OutlookState.ENOUGH
    assert budget_outlook(budget(10, 10), dollar_a_day()).state is OutlookState.OVER
    assert budget_outlook(budget(15, 1), dollar_a_day(5)).state is OutlookState.TOO_SHORT


def test_an_uneven_past_gives_a_budget_a_first_and_a_last_day() -> None:
    history = series(weekly, 5)
    found = forecast(history, date(2026, 11, 1), 0, START, END, currency="USD")
    outlook = budget_outlook(budget(15, 0), found)
    assert outlook.earliest_on is not None
    assert outlook.expected_on is not None
    assert outlook.earliest_on < outlook.expected_on
    tight = budget_outlook(budget(200, 0), found)
    assert (tight.state, tight.earliest_on) == (OutlookState.ENOUGH, None)


def test_what_leaves_a_rolling_window_makes_room_again() -> None:
    # A dollar a day goes out and one comes in: eight never pass eight and a half, and always pass eight.
    steady = dollar_a_day()
    assert budget_outlook(budget(9, 7, window_days=8), steady).state is OutlookState.ENOUGH
    # After a reset four days ago three dollars are in the window, and nothing leaves it for four days.
    after = budget_outlook(budget(7, 4, window_days=8), steady, reset_day=TODAY - timedelta(4))
    assert after.expected_on == TODAY + timedelta(2)
    assert after.until == TODAY + timedelta(7)


def test_a_budget_in_another_currency_than_the_forecast_is_refused() -> None:
    with pytest.raises(ValueError, match="USD"):
        budget_outlook(budget(9, 1), forecast([1] * 40, TODAY, 0, START, END, currency="RUB"))
