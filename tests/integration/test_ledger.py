"""The ledger's invariants, on both databases."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from core.pricing.types import UNPRICED, CallCost, Money
from core.providers.types import TokenUsage
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import DAILY, EVENTS, KEY, SUMS
from core.usage.ledger import Ledger
from core.usage.tables import ALL_SOURCES, ALL_USERS, LedgerState
from core.usage.types import Call, CallStatus, Source
from tests.support.store import LEDGER_TABLES, NOON, call, migrated

UTC_LEDGER = Ledger(ZoneInfo("UTC"))


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    yield unit
    unit.close()


def roll_ups(unit: UnitOfWork) -> dict[tuple[Any, ...], tuple[int, ...]]:
    columns = [DAILY.c[name] for name in (*KEY, *SUMS)]
    with unit.read() as session:
        return {tuple(row[: len(KEY)]): tuple(row[len(KEY) :]) for row in session.execute(select(*columns))}


def expected(calls: Sequence[Call], ledger: Ledger) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """The roll-ups by the plainest means: one pass over calls, each request id once."""
    sums: dict[tuple[Any, ...], list[int]] = {}
    for one in {c.request_id: c for c in reversed(calls)}.values():
        amount, usage = one.cost.amount, one.usage
        figures = (
            1,
            int(one.status is CallStatus.FAILED),
            int(amount is None),
            int(usage.estimated),
            usage.input_tokens,
            usage.cached_input_tokens,
            usage.cache_write_tokens,
            usage.input_audio_tokens,
            usage.output_tokens,
            usage.reasoning_tokens,
            usage.output_audio_tokens,
            amount.nano if amount else 0,
            int(one.from_cache),
            one.saved_nano or 0,
            int(one.flag is not None),
            *timed(one),
        )
        day = ledger.day_of(one.occurred_at)
        currency = amount.currency if amount else "USD"
        sources = {one.source.value} if one.source is Source.SAMPLE else {one.source.value, ALL_SOURCES}
        for user, source in product((ALL_USERS, one.user_id), sources):
            key = (user, source, day, one.provider, one.model, currency)
            total = sums.setdefault(key, [0] * len(SUMS))
            for position, figure in enumerate(figures):
                total[position] += figure
    return {key: tuple(total) for key, total in sums.items()}


def timed(one: Call) -> tuple[int, int]:
    if one.from_cache or one.latency_ms is None or one.first_token_ms is None or not one.usage.output_tokens:
        return 0, 0
    took = one.latency_ms - one.first_token_ms
    return (one.usage.output_tokens, took) if took > 0 else (0, 0)


def record(unit: UnitOfWork, calls: Sequence[Call], ledger: Ledger = UTC_LEDGER) -> int:
    with unit.write() as session:
        return ledger.record_many(session, calls)


def test_a_replayed_request_changes_nothing(unit: UnitOfWork) -> None:
    first = call()
    assert record(unit, [first]) == 1
    before = roll_ups(unit)
    assert record(unit, [first]) == 0
    assert record(unit, [first, first]) == 0
    assert roll_ups(unit) == before


def test_unpriced_is_counted_and_never_zero(unit: UnitOfWork) -> None:
    record(unit, [call(cost=UNPRICED), call(cost=CallCost(Money(0, "USD"), "free: test"))])
    with unit.read() as session:
        costs = sorted(session.execute(select(EVENTS.c.cost_nano)).scalars(), key=str)
    assert costs == [0, None]
    everyone = next(v for k, v in roll_ups(unit).items() if k[0] == ALL_USERS)
    assert everyone[SUMS.index("unpriced")] == 1


def test_more_than_a_hundred_keys_in_one_flush_all_land(unit: UnitOfWork) -> None:
    calls = [call(user_id=1 + n % 7, model=f"model-{n}") for n in range(1_203)]
    assert record(unit, calls) == 1_203
    assert roll_ups(unit) == expected(calls, UTC_LEDGER)


def test_writers_side_by_side_lose_and_double_nothing(unit: UnitOfWork) -> None:
    calls = [call(user_id=1 + n % 3, model=f"model-{n % 4}") for n in range(160)]
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda one: record(unit, [one]), calls + calls[:40]))
    assert sum(added) == 160
    assert roll_ups(unit) == expected(calls, UTC_LEDGER)


def test_a_failed_transaction_leaves_no_half(unit: UnitOfWork) -> None:
    def fail() -> None:
        with unit.write() as session:
            UTC_LEDGER.record(session, call())
            raise RuntimeError("the message could not be written")

    with pytest.raises(RuntimeError, match="could not be written"):
        fail()
    assert roll_ups(unit) == {}


def test_one_batch_is_taken_out_exactly(unit: UnitOfWork) -> None:
    kept = [call(model=f"model-{n % 3}") for n in range(20)]
    record(unit, kept)
    before = roll_ups(unit)
    extras = {"from_cache": True, "saved_nano": 7, "flag": "output_tokens is negative", "reported": {"a": -1}}
    record(
        unit,
        [call(batch="sample:1", model=f"model-{n % 5}", user_id=1 + n % 2, **extras) for n in range(30)],
    )
    with unit.write() as session:
        assert UTC_LEDGER.remove_batch(session, "sample:1") == 30
    assert roll_ups(unit) == before


def test_a_new_report_zone_moves_days_and_keeps_totals(unit: UnitOfWork) -> None:
    late = NOON.replace(hour=23, minute=30)
    calls = [call(occurred_at=late), call(occurred_at=NOON)]
    with unit.write() as session:
        UTC_LEDGER.open(session)
    record(unit, calls)
    moscow = Ledger(ZoneInfo("Europe/Moscow"))
    with unit.write() as session:
        moscow.open(session)
    assert roll_ups(unit) == expected(calls, moscow)
    assert {key[2] for key in roll_ups(unit)} == {date(2026, 11, 20), date(2026, 11, 21)}
    with unit.read() as session:
        assert session.get_one(LedgerState, 1).timezone == "Europe/Moscow"


def test_a_call_without_a_user_is_refused(unit: UnitOfWork) -> None:
    with pytest.raises(ValueError, match="belongs to a user"):
        record(unit, [call(user_id=ALL_USERS)])


def test_what_was_special_about_a_call_is_kept(unit: UnitOfWork) -> None:
    special: dict[str, Any] = {
        "attempts": 3,
        "from_cache": True,
        "saved_nano": 12_345,
        "flag": "output_tokens is absurdly large",
        "reported": {"output_tokens": 10**15},
        "fallback_from": "gemini/gemini-3.8-flash",
        "key_ref": "0123456789abcdef",
    }
    plain: dict[str, Any] = {**dict.fromkeys(special), "attempts": 1, "from_cache": False}
    record(unit, [call(**special), call()])
    with unit.read() as session:
        columns = [EVENTS.c[name] for name in special]
        rows = session.execute(select(*columns).order_by(EVENTS.c.attempts)).mappings().all()
        nulls = session.execute(text("SELECT count(*) FROM usage_events WHERE reported IS NULL")).scalar_one()
    assert [dict(row) for row in rows] == [plain, special]
    assert nulls == 1


tokens = st.integers(0, 5_000)
calls_strategy = st.lists(
    st.builds(
        call,
        request_id=st.integers(0, 60).map("request-{}".format),
        user_id=st.integers(1, 3),
        occurred_at=st.integers(0, 60 * 24 * 4).map(lambda minutes: NOON + timedelta(minutes=minutes)),
        provider=st.sampled_from(["gemini", "openai"]),
        model=st.sampled_from(["a", "b", "модель"]),
        source=st.sampled_from(list(Source)),
        status=st.sampled_from(list(CallStatus)),
        usage=st.builds(TokenUsage, input_tokens=tokens, output_tokens=tokens, estimated=st.booleans()),
        cost=st.one_of(
            st.just(UNPRICED),
            st.builds(Money, st.integers(0, 10**15), st.sampled_from(["USD", "RUB"])).map(
                lambda money: CallCost(money, "test")
            ),
        ),
        from_cache=st.booleans(),
        saved_nano=st.none() | st.integers(0, 10**15),
        flag=st.none() | st.just("output_tokens is negative"),
        latency_ms=st.none() | st.integers(0, 5_000),
        first_token_ms=st.none() | st.integers(0, 2_000),
    ),
    max_size=60,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=calls_strategy, zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
)
def test_roll_ups_are_the_sums_of_their_events(unit: UnitOfWork, calls: list[Call], zone: str) -> None:
    ledger = Ledger(ZoneInfo(zone))
    with unit.write() as session:
        for table in LEDGER_TABLES:
            session.execute(text(f"DELETE FROM {table}"))
    for one in calls[: len(calls) // 2]:
        record(unit, [one], ledger)
    record(unit, calls, ledger)
    assert roll_ups(unit) == expected(calls, ledger)
    with unit.write() as session:
        ledger.rebuild(session)
    assert roll_ups(unit) == expected(calls, ledger)
