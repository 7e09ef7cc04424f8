"""Sample calls: 90 days that look like use, the same each time."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.usage.ledger import Ledger
from core.usage.sample import DAYS, sample_calls
from core.usage.types import CallStatus, Source

# Late in a day, early in a day, and the day of a change of clocks.
MOMENTS = [
    datetime(2026, 11, 21, 23, 59, tzinfo=UTC),
    datetime(2026, 3, 1, 0, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 12, tzinfo=UTC),
]


@pytest.mark.parametrize("now", MOMENTS)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/New_York"])
def test_calls_fill_ninety_days_that_end_today(now: datetime, zone: str) -> None:
    ledger = Ledger(ZoneInfo(zone))
    calls = sample_calls(7, now, ledger.day_of)
    today = ledger.day_of(now)
    assert 1_500 <= len(calls) <= 2_500
    assert {call.source for call in calls} == {Source.SAMPLE}
    assert {call.batch for call in calls} == {"sample:7"}
    assert len({call.request_id for call in calls}) == len(calls)
    assert max(call.occurred_at for call in calls) <= now
    days = {ledger.day_of(call.occurred_at) for call in calls}
    assert today - timedelta(DAYS) not in days
    assert len(days) >= DAYS - 3


def test_the_same_moment_gives_the_same_calls() -> None:
    day_of = Ledger(ZoneInfo("UTC")).day_of
    assert sample_calls(1, MOMENTS[0], day_of) == sample_calls(1, MOMENTS[0], day_of)


def test_everything_the_page_shows_is_there() -> None:
    calls = sample_calls(1, MOMENTS[0], Ledger(ZoneInfo("UTC")).day_of)
    unpriced = {call.model for call in calls if call.cost.amount is None}
    assert len(unpriced) == 1
    assert 6 <= len({call.model for call in calls}) <= 8
    assert any(call.usage.estimated for call in calls)
    assert any(call.usage.cached_input_tokens for call in calls)
    assert any(call.usage.reasoning_tokens for call in calls)
    assert len({call.error_kind for call in calls if call.status is CallStatus.FAILED}) >= 3
    assert {call.cost.source for call in calls} == {"sample data"}
    assert {call.status for call in calls} == set(CallStatus)
    assert {kind for call in calls for kind, _value in call.tags} == {"category", "prompt", "label"}
    assert {call.flag is None for call in calls} == {True, False}
    assert any(call.saved_nano for call in calls)
    assert any(call.attempts > 1 for call in calls)
    assert len({call.thread_id for call in calls}) > 10


def test_tokens_and_costs_are_possible() -> None:
    for call in sample_calls(1, MOMENTS[0], Ledger(ZoneInfo("UTC")).day_of):
        usage = call.usage
        assert 0 <= usage.cached_input_tokens <= usage.input_tokens
        assert 0 <= usage.reasoning_tokens <= usage.output_tokens
        assert (call.status is CallStatus.FAILED or call.from_cache) == (usage.total_tokens == 0)
        if call.cost.amount is not None:
            assert (call.cost.amount.nano > 0) == (usage.total_tokens > 0)


def test_weekends_are_quiet_and_use_grows() -> None:
    ledger = Ledger(ZoneInfo("UTC"))
    by_day = Counter[date](
        ledger.day_of(call.occurred_at) for call in sample_calls(1, MOMENTS[0], ledger.day_of)
    )
    weekend = [calls for day, calls in by_day.items() if day.weekday() >= 5]
    week = [calls for day, calls in by_day.items() if day.weekday() < 5]
    assert sum(weekend) / len(weekend) < sum(week) / len(week) / 2
    today = MOMENTS[0].date()
    recent = sum(calls for day, calls in by_day.items() if (today - day).days < 15)
    first = sum(calls for day, calls in by_day.items() if (today - day).days >= 75)
    assert recent > 1.5 * first
