"""The past priced anew: shown first, then changed with its roll-ups, on record; on both databases."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from core.errors import AppError, ErrorKind
from core.pricing.overrides import PriceOverrides
from core.pricing.service import PriceBook
from core.pricing.types import GIVEN, UNPRICED, CallCost, Money, Price
from core.providers.types import TokenUsage
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import DAILY, EVENTS
from core.usage.ledger import Ledger
from core.usage.recost import RecostLine, RecostService
from core.usage.tables import RecostChange
from core.usage.types import Call, CallStatus, Source
from tests.support.hub import opened
from tests.support.people import ADMIN, admin
from tests.support.store import LEDGER_TABLES, NOON, call, migrated

LEDGER = Ledger(ZoneInfo("UTC"))
TODAY = NOON.date()
START = TODAY - timedelta(30)
USAGE = TokenUsage(input_tokens=1_000, output_tokens=100)


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    yield unit
    unit.close()


@pytest.fixture
def overrides(unit: UnitOfWork) -> PriceOverrides:
    return PriceOverrides(unit)


@pytest.fixture
def recost(unit: UnitOfWork, overrides: PriceOverrides) -> RecostService:
    return RecostService(unit, LEDGER, PriceBook(unit, overrides).cost_at)


def price(nano: int, currency: str = "USD") -> Price:
    """`nano` nano-units a token."""
    return Price(currency, nano * 10**6, nano * 10**6)


def cost(nano: int, currency: str = "USD") -> CallCost:
    return CallCost(Money(nano, currency), "test")


def record(unit: UnitOfWork, *calls: Call) -> None:
    with unit.write() as session:
        LEDGER.record_many(session, calls)


def call_of_x(**changes: Any) -> Call:
    return call(**{"provider": "x", "model": "m", "usage": USAGE, **changes})


def events(unit: UnitOfWork) -> list[tuple[Any, ...]]:
    columns = (EVENTS.c.request_id, EVENTS.c.cost_nano, EVENTS.c.currency, EVENTS.c.price_source)
    with unit.read() as session:
        return [
            tuple(row)
            for row in session.execute(select(*columns).order_by(EVENTS.c.occurred_at, EVENTS.c.id))
        ]


def roll_ups(unit: UnitOfWork) -> list[tuple[Any, ...]]:
    with unit.read() as session:
        return [tuple(row) for row in session.execute(select(DAILY).order_by(*DAILY.primary_key.columns))]


def rebuilt(unit: UnitOfWork) -> list[tuple[Any, ...]]:
    """The roll-ups as the events alone make them."""
    with unit.write() as session:
        LEDGER.rebuild(session)
    return roll_ups(unit)


def test_the_difference_is_shown_before_anything_changes(
    unit: UnitOfWork, overrides: PriceOverrides, recost: RecostService
) -> None:
    record(
        unit,
        call_of_x(cost=cost(10)),
        call_of_x(cost=UNPRICED),
        call_of_x(cost=cost(3_300, "EUR")),
        call_of_x(model="other", cost=UNPRICED),
        call_of_x(occurred_at=NOON - timedelta(31)),
    )
    overrides.add(ADMIN, "x", "m", price(3, "EUR"), NOON - timedelta(100))
    before = events(unit), roll_ups(unit)
    looked_at: list[int] = []
    plan = recost.plan(ADMIN, START, TODAY, progress=looked_at.append)
    assert (plan.calls, plan.changed, sum(looked_at)) == (4, 2, 4)
    assert plan.lines == (
        RecostLine("x", "m", 3, {"USD": 10, "EUR": 3_300}, {"EUR": 9_900}, 1, 0, changed=2),
        RecostLine("x", "other", 1, {}, {}, 1, 1),
    )
    assert (events(unit), roll_ups(unit)) == before


def test_applying_changes_calls_roll_ups_and_the_record(
    unit: UnitOfWork, overrides: PriceOverrides, recost: RecostService
) -> None:
    first, second = call_of_x(cost=cost(10)), call_of_x(cost=UNPRICED, user_id=2)
    record(unit, first)
    record(unit, second)
    added = overrides.add(ADMIN, "x", "m", price(3, "EUR"), NOON - timedelta(100), "contract")
    made = recost.apply(admin(7), recost.plan(ADMIN, START, TODAY), " the contract came late ")

    source = f"own price {added.override_id} from 2026-08-12 · contract"
    assert events(unit) == [
        (first.request_id, 3_300, "EUR", source), (second.request_id, 3_300, "EUR", source),
    ]  # fmt: skip
    assert {row[5] for row in roll_ups(unit)} == {"EUR"}
    assert roll_ups(unit) == rebuilt(unit)
    assert (made.calls, made.before, made.after) == (2, {"USD": 10}, {"EUR": 6_600})
    assert (made.created_by, made.reason, made.start, made.end) == (7, "the contract came late", START, TODAY)
    assert recost.history(ADMIN) == (made,)
    with unit.read() as session:
        kept = session.scalars(select(RecostChange).order_by(RecostChange.id)).all()
    assert [(row.recost_id, row.old_nano, row.old_currency, row.old_source) for row in kept] == [
        (made.id, 10, "USD", "test"),
        (made.id, None, "USD", UNPRICED.source),
    ]
    assert [(row.new_nano, row.new_currency, row.new_source) for row in kept] == [(3_300, "EUR", source)] * 2


def test_a_second_time_there_is_nothing_to_change(
    unit: UnitOfWork, overrides: PriceOverrides, recost: RecostService
) -> None:
    record(unit, call_of_x(), call_of_x(cost=UNPRICED))
    overrides.add(ADMIN, "x", "m", price(3), NOON - timedelta(100))
    recost.apply(ADMIN, recost.plan(ADMIN, START, TODAY), "")
    again = recost.plan(ADMIN, START, TODAY)
    assert (again.calls, again.changed) == (2, 0)
    with pytest.raises(AppError) as refused:
        recost.apply(ADMIN, again, "")
    assert refused.value.kind is ErrorKind.VALIDATION
    assert len(recost.history(ADMIN)) == 1


def test_each_call_is_priced_at_its_own_moment(
    unit: UnitOfWork, overrides: PriceOverrides, recost: RecostService
) -> None:
    record(unit, *(call_of_x(occurred_at=NOON - timedelta(days), cost=UNPRICED) for days in (9, 5, 1)))
    overrides.add(ADMIN, "x", "m", price(1), NOON - timedelta(6))
    overrides.add(ADMIN, "x", "m", price(2), NOON - timedelta(2))
    recost.apply(ADMIN, recost.plan(ADMIN, START, TODAY), "")
    assert [row[1] for row in events(unit)] == [None, 1_100, 2_200]


def test_what_was_never_priced_by_us_is_left_alone(
    unit: UnitOfWork, overrides: PriceOverrides, recost: RecostService
) -> None:
    record(
        unit,
        call_of_x(source=Source.SAMPLE),
        call_of_x(from_cache=True, cost=cost(0), saved_nano=5),
        call_of_x(status=CallStatus.FAILED, usage=TokenUsage(), cost=cost(0)),
        call_of_x(status=CallStatus.STOPPED, usage=TokenUsage(), cost=cost(0)),
        call_of_x(flag="output_tokens is negative", cost=UNPRICED),
        call_of_x(source=Source.IMPORT, cost=CallCost(Money(9, "USD"), f"{GIVEN}invoice.xlsx")),
    )
    overrides.add(ADMIN, "x", "m", price(3), NOON - timedelta(100))
    assert recost.plan(ADMIN, START, TODAY).calls == 0
    record(unit, call_of_x(source=Source.IMPORT, cost=UNPRICED), call_of_x(status=CallStatus.FAILED))
    assert recost.plan(ADMIN, START, TODAY).changed == 2


def test_one_provider_or_model_can_be_chosen(
    unit: UnitOfWork, overrides: PriceOverrides, recost: RecostService
) -> None:
    record(unit, call_of_x(), call_of_x(model="n"), call_of_x(provider="y"))
    for provider, model in [("x", "m"), ("x", "n"), ("y", "m")]:
        overrides.add(ADMIN, provider, model, price(3), NOON - timedelta(100))
    assert [recost.plan(ADMIN, START, TODAY, *chosen).changed for chosen in [(), ("x",), ("x", "n")]] == [
        3,
        2,
        1,
    ]
    made = recost.apply(ADMIN, recost.plan(ADMIN, START, TODAY, "x", "n"), "")
    assert (made.provider, made.model) == ("x", "n")
    assert [row[1] for row in events(unit)] == [1_500, 3_300, 1_500]


def test_a_price_that_moved_since_the_plan_stops_the_change(
    unit: UnitOfWork, overrides: PriceOverrides, recost: RecostService
) -> None:
    record(unit, call_of_x(), call_of_x())
    overrides.add(ADMIN, "x", "m", price(3), NOON - timedelta(100))
    plan = recost.plan(ADMIN, START, TODAY)
    overrides.add(ADMIN, "x", "m", price(4), NOON - timedelta(50))
    before = events(unit), roll_ups(unit)
    with pytest.raises(AppError, match="Show it again"):
        recost.apply(ADMIN, plan, "")
    assert (events(unit), roll_ups(unit), recost.history(ADMIN)) == (*before, ())


def test_a_call_that_came_after_the_plan_does_not_stop_it(
    unit: UnitOfWork, overrides: PriceOverrides, recost: RecostService
) -> None:
    record(unit, call_of_x())
    overrides.add(ADMIN, "x", "m", price(3), NOON - timedelta(100))
    plan = recost.plan(ADMIN, START, TODAY)
    record(unit, call_of_x(cost=cost(3_300)))
    assert recost.apply(ADMIN, plan, "").calls == 1
    assert roll_ups(unit) == rebuilt(unit)


def test_a_retired_price_leaves_calls_unpriced_and_free_ones_free(
    unit: UnitOfWork, overrides: PriceOverrides, recost: RecostService
) -> None:
    added = overrides.add(ADMIN, "x", "m", price(3, "EUR"), NOON - timedelta(100))
    assert added.override_id is not None
    record(unit, call_of_x())
    recost.apply(ADMIN, recost.plan(ADMIN, START, TODAY), "")
    overrides.retire(ADMIN, added.override_id)
    record(unit, call_of_x(cost=CallCost(Money(0, "USD"), "free: a server that is gone")))
    recost.apply(ADMIN, recost.plan(ADMIN, START, TODAY), "")
    assert [row[1:3] for row in events(unit)] == [(None, "USD"), (0, "USD")]
    assert roll_ups(unit) == rebuilt(unit)


def test_what_the_engine_said_of_earlier_attempts_stays(
    unit: UnitOfWork, overrides: PriceOverrides, recost: RecostService
) -> None:
    remark = " · 2 earlier attempts may be charged too"
    record(unit, call_of_x(cost=CallCost(Money(1, "USD"), f"old price{remark}")))
    overrides.add(ADMIN, "x", "m", price(3), NOON - timedelta(100), "n" * 200)
    recost.apply(ADMIN, recost.plan(ADMIN, START, TODAY), "")
    source = events(unit)[0][3]
    assert source.startswith("own price")
    assert source.endswith(remark)
    assert len(source) <= 200


def test_more_calls_than_fit_a_chunk_all_change(
    unit: UnitOfWork, overrides: PriceOverrides, recost: RecostService
) -> None:
    record(unit, *(call_of_x(user_id=1 + number % 3) for number in range(5_003)))
    overrides.add(ADMIN, "x", "m", price(3, "RUB"), NOON - timedelta(100))
    plan = recost.plan(ADMIN, START, TODAY)
    assert recost.apply(ADMIN, plan, "").after == {"RUB": 5_003 * 3_300}
    assert roll_ups(unit) == rebuilt(unit)
    assert recost.plan(ADMIN, START, TODAY).changed == 0


@pytest.mark.parametrize(
    "refused",
    [
        lambda recost: recost.plan(ADMIN, TODAY, START),
        lambda recost: recost.apply(ADMIN, replace(recost.plan(ADMIN, START, TODAY), changed=1), "r" * 201),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    recost: RecostService, refused: Callable[[RecostService], object]
) -> None:
    with pytest.raises(AppError) as error:
        refused(recost)
    assert error.value.kind is ErrorKind.VALIDATION
    assert error.value.text().endswith(".")


TOKENS = st.integers(0, 5_000)
CALLS = st.lists(
    st.builds(
        call,
        user_id=st.integers(1, 3),
        occurred_at=st.integers(0, 40).map(lambda days: NOON - timedelta(days=days)),
        provider=st.sampled_from(["x", "gigachat", "openai"]),
        model=st.sampled_from(["m", "GigaChat-2", "gpt-5"]),
        source=st.sampled_from(list(Source)),
        status=st.sampled_from(list(CallStatus)),
        usage=st.builds(TokenUsage, input_tokens=TOKENS, output_tokens=TOKENS, estimated=st.booleans()),
        cost=st.just(UNPRICED) | st.builds(cost, st.integers(0, 10**15), st.sampled_from(["USD", "RUB"])),
        from_cache=st.booleans(),
        saved_nano=st.none() | st.integers(0, 10**15),
        flag=st.none() | st.just("output_tokens is negative"),
    ),
    max_size=40,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=CALLS, currencies=st.lists(st.sampled_from(["USD", "RUB", "EUR"]), min_size=1, max_size=3))
def test_roll_ups_stay_the_sums_of_their_calls(
    unit: UnitOfWork, calls: Sequence[Call], currencies: list[str]
) -> None:
    with unit.write() as session:
        for table in (
            *LEDGER_TABLES,
            "recost_changes",
            "recosts",
            "price_overrides",
        ):
            session.execute(text(f"DELETE FROM {table}"))
    overrides = PriceOverrides(unit)
    recost = RecostService(unit, LEDGER, PriceBook(unit, overrides).cost_at)
    record(unit, *calls)
    for number, currency in enumerate(currencies, start=1):
        overrides.add(ADMIN, "x", "m", price(number, currency), NOON - timedelta(50 - 10 * number))
        plan = recost.plan(ADMIN, START, TODAY)
        assert roll_ups(unit) == rebuilt(unit)
        if plan.changed:
            made = recost.apply(ADMIN, plan, "")
            assert made.calls == plan.changed
        assert roll_ups(unit) == rebuilt(unit)
        again = recost.plan(ADMIN, START, TODAY)
        assert again.changed == 0
        assert [(line.calls, line.before) for line in again.lines] == [
            (line.calls, line.after) for line in plan.lines
        ]


def test_the_services_price_the_past_by_what_their_providers_are(database_url: str, tmp_path: Path) -> None:
    with opened(database_url, tmp_path) as hub:
        moment: datetime = NOON
        with hub.unit.write() as session:
            hub.ledger.record_many(
                session,
                [
                    call(provider="demo", model="demo", cost=UNPRICED, occurred_at=moment),
                    call(model="gemini-2.5-pro", usage=USAGE, cost=UNPRICED, occurred_at=moment),
                    call_of_x(cost=UNPRICED, occurred_at=moment),
                ],
            )
        hub.price_overrides.add(ADMIN, "x", "m", price(2), NOON - timedelta(1))
        made = hub.recost.apply(ADMIN, hub.recost.plan(ADMIN, START, TODAY), "")
        assert made.after == {"USD": 0 + 1_000 * 1_250 + 100 * 10_000 + 2_200}
        assert hub.usage.report(1, TODAY, TODAY).total.costs == made.after
        assert hub.recost.history(ADMIN) == (made,)
