"""Amounts in another currency, at the rate of their day and never at a guess; on both databases."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core.errors import AppError, ErrorKind
from core.pricing.currency import ExchangeRates, Rate
from core.pricing.types import UNPRICED, CallCost, Money
from core.store.unit_of_work import UnitOfWork
from core.usage.ledger import Ledger
from core.usage.service import UsageService
from core.usage.types import Call, Totals
from tests.support.people import ADMIN
from tests.support.store import LEDGER_TABLES, NOON, call, migrated

LEDGER = Ledger(ZoneInfo("UTC"))
TODAY = NOON.date()


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    yield unit
    unit.close()


@pytest.fixture
def rates(unit: UnitOfWork) -> ExchangeRates:
    return ExchangeRates(unit)


@pytest.fixture
def usage(unit: UnitOfWork, rates: ExchangeRates) -> UsageService:
    return UsageService(unit, LEDGER, rates)


def add(rates: ExchangeRates, base: str, quote: str, rate: str, days_ago: int = 100) -> Rate:
    return rates.add(ADMIN, base, quote, Decimal(rate), TODAY - timedelta(days_ago))


def cost(nano: int, currency: str) -> CallCost:
    return CallCost(Money(nano, currency), "test")


def record(unit: UnitOfWork, *calls: Call) -> None:
    with unit.write() as session:
        LEDGER.record_many(session, calls)


def test_the_rate_of_the_day_converts(rates: ExchangeRates) -> None:
    for days_ago, rate in [(10, "90"), (5, "92.5"), (0, "95")]:
        add(rates, "USD", "RUB", rate, days_ago)
    found = [rates.convert(Money(2, "USD"), "RUB", TODAY - timedelta(days)) for days in (11, 10, 6, 5, 0, -9)]
    assert found == [None, *(Money(nano, "RUB") for nano in (180, 180, 185, 190, 190))]


def test_the_other_direction_is_the_inverse(rates: ExchangeRates) -> None:
    add(rates, "USD", "RUB", "80")
    assert rates.convert(Money(1_000, "RUB"), "USD", TODAY) == Money(12, "USD")
    # Of two rates the later one holds, and of one day the one that was entered this way round.
    add(rates, "RUB", "USD", "0.02", 50)
    assert rates.convert(Money(1_000, "RUB"), "USD", TODAY) == Money(20, "USD")
    assert rates.convert(Money(1_000, "USD"), "RUB", TODAY) == Money(50_000, "RUB")
    add(rates, "USD", "RUB", "40", 50)
    assert rates.convert(Money(1_000, "RUB"), "USD", TODAY) == Money(20, "USD")
    assert rates.convert(Money(1_000, "USD"), "RUB", TODAY) == Money(40_000, "RUB")


def test_there_is_no_way_round_by_a_third_currency(rates: ExchangeRates) -> None:
    add(rates, "USD", "RUB", "90")
    add(rates, "EUR", "RUB", "100")
    assert rates.convert(Money(1, "USD"), "EUR", TODAY) is None


def test_the_same_currency_and_nothing_at_all_need_no_rate(rates: ExchangeRates) -> None:
    assert rates.convert(Money(7, "USD"), "USD", TODAY) == Money(7, "USD")
    assert rates.convert(Money(0, "USD"), "RUB", TODAY) == Money(0, "RUB")


def test_a_retired_rate_does_not_convert_until_it_is_restored(rates: ExchangeRates) -> None:
    rate = add(rates, "USD", "RUB", "90.10")
    assert rates.list() == (rate,)
    assert rate.rate == Decimal("90.1")
    rates.retire(ADMIN, rate.id)
    assert (rates.list(), rates.convert(Money(1, "USD"), "RUB", TODAY)) == ((), None)
    rates.restore(ADMIN, rate.id)
    assert rates.convert(Money(10, "USD"), "RUB", TODAY) == Money(901, "RUB")
    with pytest.raises(AppError) as refused:
        rates.retire(ADMIN, 404)
    assert refused.value.kind is ErrorKind.NOT_FOUND


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    nano=st.integers(-(10**17), 10**17),
    rate=st.decimals("0.000001", "999999", places=6),
)
def test_an_amount_is_rounded_once_half_even(rates: ExchangeRates, nano: int, rate: Decimal) -> None:
    entered = rates.add(ADMIN, "USD", "RUB", rate, TODAY)
    there, back = (
        rates.convert(Money(nano, one), other, TODAY) for one, other in (("USD", "RUB"), ("RUB", "USD"))
    )
    rates.retire(ADMIN, entered.id)
    assert there == Money(round(nano * Fraction(rate)), "RUB")
    assert back == Money(round(nano / Fraction(rate)), "USD")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"base": "usd"}, "base"),
        ({"quote": "RUBL"}, "quote"),
        ({"quote": "USD"}, "quote"),
        ({"rate": Decimal(0)}, "rate"),
        ({"rate": Decimal(-1)}, "rate"),
        ({"rate": Decimal("NaN")}, "rate"),
        ({"rate": Decimal("Infinity")}, "rate"),
        ({"rate": Decimal("1e9")}, "rate"),
        ({"rate": Decimal("1e-13")}, "rate"),
        ({"valid_from": date(1999, 12, 31)}, "valid_from"),
        ({"note": "n" * 201}, "note"),
    ],
)
def test_what_is_no_rate_is_refused_in_words(
    rates: ExchangeRates, changes: dict[str, Any], field: str
) -> None:
    values: dict[str, Any] = {"base": "USD", "quote": "RUB", "rate": Decimal(90), "valid_from": TODAY}
    with pytest.raises(AppError) as refused:
        rates.add(ADMIN, **{**values, **changes})
    assert refused.value.params["field"] == field
    assert refused.value.text().endswith(".")
    assert rates.list() == ()


def test_a_report_in_one_currency_uses_the_rate_of_each_day(
    unit: UnitOfWork, rates: ExchangeRates, usage: UsageService
) -> None:
    add(rates, "USD", "RUB", "80")
    add(rates, "USD", "RUB", "100", 1)
    record(
        unit,
        call(occurred_at=NOON - timedelta(2), cost=cost(10, "USD")),
        call(cost=cost(10, "USD")),
        call(cost=cost(7, "RUB")),
        call(cost=cost(5, "EUR"), model="other"),
        call(cost=UNPRICED),
        call(cost=cost(3, "USD"), occurred_at=NOON - timedelta(4)),
    )
    report = usage.report(1, TODAY - timedelta(2), TODAY, currency="RUB")
    assert report.total.costs == {"RUB": 800 + 1_000 + 7, "EUR": 5}
    assert (report.converted, report.unconverted) == (True, frozenset({"EUR"}))
    assert report.previous.costs == {"RUB": 240}
    assert [totals.costs for _, totals in report.days] == [{"RUB": 800}, {}, {"RUB": 1_007, "EUR": 5}]
    assert {each.model: each.totals.costs for each in report.by_model} == {
        "gemini-3.8-flash": {"RUB": 1_807},
        "other": {"EUR": 5},
    }
    assert len(report.daily) == 3
    assert report.total.unpriced == 1


def test_a_report_that_needs_no_rate_is_the_plain_one(unit: UnitOfWork, usage: UsageService) -> None:
    record(unit, call(), call(cost=UNPRICED), call(occurred_at=NOON - timedelta(1)))
    assert usage.report(1, TODAY, TODAY, currency="USD") == usage.report(1, TODAY, TODAY)


def test_without_any_rate_every_amount_keeps_its_currency(unit: UnitOfWork, usage: UsageService) -> None:
    record(unit, call(), call(cost=cost(9, "RUB")))
    report = usage.report(1, TODAY, TODAY, currency="RUB")
    assert report.total.costs == {"USD": 1_500, "RUB": 9}
    assert (report.converted, report.unconverted) == (False, frozenset({"USD"}))


def added(parts: list[Totals]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for part in parts:
        for currency, nano in part.costs.items():
            sums[currency] = sums.get(currency, 0) + nano
    return sums


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(
            call,
            occurred_at=st.integers(0, 19).map(lambda days: NOON - timedelta(days=days)),
            provider=st.sampled_from(["gemini", "openai"]),
            model=st.sampled_from(["a", "b"]),
            cost=st.just(UNPRICED)
            | st.builds(cost, st.integers(0, 10**12), st.sampled_from(["USD", "RUB", "EUR", "KZT"])),
        ),
        max_size=30,
    )
)
def test_breakdowns_add_up_to_totals_in_any_currency(
    unit: UnitOfWork, rates: ExchangeRates, usage: UsageService, calls: list[Call]
) -> None:
    if not rates.list():
        for base, quote, rate, days_ago in [
            ("USD", "RUB", "91.2345", 15), ("USD", "RUB", "89.9", 5), ("RUB", "EUR", "0.0097", 8),
        ]:  # fmt: skip
            add(rates, base, quote, rate, days_ago)
    with unit.write() as session:
        for table in LEDGER_TABLES:
            session.execute(text(f"DELETE FROM {table}"))
    record(unit, *calls)
    report = usage.report(1, TODAY - timedelta(9), TODAY, currency="RUB")
    total = report.total.costs
    assert added([totals for _, totals in report.days]) == total
    assert added([each.totals for each in report.daily]) == total
    assert added([each.totals for each in report.by_model]) == total
    assert added([each.totals for each in report.by_provider]) == total
    plain = usage.report(1, TODAY - timedelta(9), TODAY)
    assert report.previous.requests == plain.previous.requests
    assert (
        usage.report(1, TODAY - timedelta(19), TODAY - timedelta(10), currency="RUB").total == report.previous
    )
    assert set(total) - {"RUB"} <= report.unconverted
