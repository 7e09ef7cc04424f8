"""Usage as the REST document has it: defaults of its days, one currency, breakdowns that add up."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from core.errors import AppError, ErrorKind
from core.pricing.types import CallCost, Money
from core.services import Services
from core.usage.types import Source
from tests.support.hub import me, opened
from tests.support.people import stranger
from tests.support.store import NOON, call

DAY = NOON.date()


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Services]:
    with opened(database_url, tmp_path) as services:
        yield services


def record(services: Services, **changes: object) -> None:
    recorded = call(**{"user_id": me(services), **changes})
    with services.unit.write() as session:
        services.ledger.record(session, recorded)


def test_breakdowns_add_up_and_say_what_is_not_in_the_cost(hub: Services) -> None:
    record(hub)
    record(hub, model="other", occurred_at=NOON - timedelta(3))
    record(hub, provider="openai", model="gpt", cost=CallCost(Money(7, "USD"), "test"), source=Source.API)
    record(hub, provider="gigachat", model="lite", cost=CallCost(Money(9_000, "RUB"), "test"))
    record(hub, provider="openai", model="gpt", cost=CallCost(None, "unpriced"))
    record(hub, source=Source.SAMPLE)
    record(hub, user_id=stranger(hub))
    found = hub.statistics.usage(me(hub), DAY - timedelta(5), DAY)
    assert (found.currency, found.total.requests, found.total.tokens) == ("USD", 5, 75)
    assert (found.total.cost, found.total.unconverted, found.total.unpriced) == (
        Money(3_007, "USD"),
        {"RUB": 9_000},
        1,
    )
    assert [(each.day, each.figures.requests) for each in found.daily] == [(DAY - timedelta(3), 1), (DAY, 4)]
    assert {each.provider: each.models for each in found.by_provider} == {
        "gemini": 2,
        "openai": 1,
        "gigachat": 1,
    }
    for parts in (found.daily, found.by_model, found.by_provider):
        assert sum(each.figures.requests for each in parts) == 5
        assert sum(each.figures.cost.nano for each in parts) == 3_007


def test_days_that_are_not_given(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'aihub.db'}", tmp_path) as hub:
        today, month = hub.usage.today(), timedelta(29)
        for given, wanted in (
            ((None, None), (today - month, today)),
            ((DAY, None), (DAY, max(DAY, today))),
            ((None, DAY), (DAY - month, DAY)),
            ((today + month, None), (today + month, today + month)),
        ):
            found = hub.statistics.usage(me(hub), *given)
            assert (found.start, found.end) == wanted
        for given in ((DAY, DAY - timedelta(1)), (date(1900, 1, 1), DAY), (None, date.min)):
            with pytest.raises(AppError) as refused:
                hub.statistics.usage(me(hub), *given)
            assert refused.value.kind is ErrorKind.VALIDATION
