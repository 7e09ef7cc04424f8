"""Own prices stand above all others, from their date on, at once here and within seconds elsewhere; on both
databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import AppError, ErrorKind
from core.pricing.fresh import REFRESH_SECONDS
from core.pricing.overrides import MOST_UNITS, PriceOverrides
from core.pricing.service import PriceBook
from core.pricing.types import NANO, CallCost, Money, Price
from core.providers.types import ProviderInfo, TokenUsage
from core.store.engine import open_engine
from core.store.unit_of_work import UnitOfWork
from tests.support.people import ADMIN
from tests.support.store import NOON, migrated

MILLION = TokenUsage(input_tokens=1_000_000)
LOCAL = ProviderInfo("local", "Own server", frozenset(), free_reason="own server")


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    yield unit
    unit.close()


@pytest.fixture
def overrides(unit: UnitOfWork) -> PriceOverrides:
    return PriceOverrides(unit)


@pytest.fixture
def book(unit: UnitOfWork, overrides: PriceOverrides) -> PriceBook:
    return PriceBook(unit, overrides)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def euros(units: int) -> Price:
    return Price("EUR", units * NANO, 2 * units * NANO)


def test_an_own_price_stands_above_a_published_one(book: PriceBook, overrides: PriceOverrides) -> None:
    published = book.cost_at("gemini", "gemini-2.5-pro", MILLION, NOON)
    added = overrides.add(ADMIN, "gemini", " models/Gemini-2.5-Pro ", euros(3), NOON, "contract 7")
    found = book.cost_at("gemini", "gemini-2.5-pro", MILLION, NOON)
    assert found.amount == Money(3 * NANO, "EUR")
    assert found.source == f"own price {added.override_id} from 2026-11-20 · contract 7"
    assert book.cost_at("gemini", "gemini-2.5-pro", MILLION, NOON - timedelta(microseconds=1)) == published


def test_an_own_price_stands_above_free(book: PriceBook, overrides: PriceOverrides) -> None:
    assert book.cost(LOCAL, "qwen3:30b", MILLION, NOON) == CallCost(Money(0, "USD"), "free: own server")
    overrides.add(ADMIN, "local", "qwen3:30b", euros(1), NOON)
    assert book.cost(LOCAL, "qwen3:30b", MILLION, NOON).amount == Money(NANO, "EUR")
    assert book.cost(LOCAL, "qwen3:8b", MILLION, NOON).amount == Money(0, "USD")


def test_the_latest_price_that_holds_applies_and_of_one_moment_the_newest(
    book: PriceBook, overrides: PriceOverrides
) -> None:
    for days, units in [(0, 5), (-10, 1), (10, 9), (0, 6)]:
        overrides.add(ADMIN, "x", "m", euros(units), NOON + timedelta(days=days))
    moments = [NOON + timedelta(days=days) for days in (-11, -10, -1, 0, 9, 10)]
    amounts = [book.cost_at("x", "m", MILLION, at).amount for at in moments]
    assert amounts == [None, *(Money(units * NANO, "EUR") for units in (1, 1, 6, 6, 9))]
    # A moment without a zone is UTC.
    assert book.cost_at("x", "m", MILLION, NOON.replace(tzinfo=None)).amount == Money(6 * NANO, "EUR")


def test_a_retired_price_does_not_hold_until_it_is_restored(
    book: PriceBook, overrides: PriceOverrides
) -> None:
    old = overrides.add(ADMIN, "x", "m", euros(1), NOON - timedelta(days=1))
    new = overrides.add(ADMIN, "x", "m", euros(2), NOON)
    assert old.override_id is not None
    assert new.override_id is not None
    seen = [book.cost_at("x", "m", MILLION, NOON).amount]
    for change, number in [
        (overrides.retire, new.override_id),
        (overrides.retire, old.override_id),
        (overrides.restore, new.override_id),
    ]:
        change(ADMIN, number)
        seen.append(book.cost_at("x", "m", MILLION, NOON).amount)
    assert seen == [Money(2 * NANO, "EUR"), Money(NANO, "EUR"), None, Money(2 * NANO, "EUR")]
    assert overrides.list() == (new,)


def test_an_unknown_price_cannot_be_retired(overrides: PriceOverrides) -> None:
    with pytest.raises(AppError) as refused:
        overrides.retire(ADMIN, 404)
    assert refused.value.kind is ErrorKind.NOT_FOUND


def test_usage_that_contradicts_itself_or_costs_too_much_is_unpriced(
    book: PriceBook, overrides: PriceOverrides
) -> None:
    overrides.add(ADMIN, "x", "m", Price("KRW", MOST_UNITS * NANO - 1, 0), NOON)
    broken = book.cost_at("x", "m", TokenUsage(input_tokens=1, cached_input_tokens=2), NOON)
    assert broken == CallCost(None, "unpriced: cached and cache-write tokens exceed input_tokens")
    dear = book.cost_at("x", "m", TokenUsage(input_tokens=10**12), NOON)
    assert dear.amount is None
    assert "absurdly large" in dear.source


def test_another_process_sees_a_price_within_seconds(unit: UnitOfWork, database_url: str) -> None:
    clock = Clock()
    here = PriceBook(unit, PriceOverrides(unit, clock))
    elsewhere = UnitOfWork(open_engine(database_url))
    try:
        theirs = PriceOverrides(elsewhere)
        assert here.cost_at("x", "m", MILLION, NOON).amount is None
        added = theirs.add(ADMIN, "x", "m", euros(4), NOON)
        assert added.override_id is not None
        assert here.cost_at("x", "m", MILLION, NOON).amount is None
        clock.now += REFRESH_SECONDS
        assert here.cost_at("x", "m", MILLION, NOON).amount == Money(4 * NANO, "EUR")
        theirs.retire(ADMIN, added.override_id)
        clock.now += REFRESH_SECONDS
        assert here.cost_at("x", "m", MILLION, NOON).amount is None
        theirs.restore(ADMIN, added.override_id)
        clock.now += REFRESH_SECONDS
        assert here.cost_at("x", "m", MILLION, NOON).amount == Money(4 * NANO, "EUR")
    finally:
        elsewhere.close()


def test_threads_that_add_and_ask_at_once_see_their_own_prices(
    book: PriceBook, overrides: PriceOverrides
) -> None:
    def add_and_ask(number: int) -> Money | None:
        overrides.add(ADMIN, "x", f"model-{number}", euros(number), NOON)
        return book.cost_at("x", f"model-{number}", MILLION, NOON).amount

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(add_and_ask, range(1, 33)))
    assert found == [Money(number * NANO, "EUR") for number in range(1, 33)]
    assert len(overrides.list()) == 32


def test_own_prices_that_cannot_be_read_leave_a_call_unpriced(tmp_path: Path) -> None:
    # A folder is no database: the published price may not be the one that holds.
    broken = UnitOfWork(open_engine(f"sqlite:///{tmp_path}"))
    try:
        found = PriceBook(broken).cost_at("gemini", "gemini-2.5-pro", MILLION, NOON)
    finally:
        broken.close()
    assert found == CallCost(None, "unpriced: own prices could not be read")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"provider": " "}, "provider"),
        ({"provider": "p" * 65}, "provider"),
        ({"model": ""}, "model"),
        ({"model": "m" * 201}, "model"),
        ({"price": Price("usd", 1, 1)}, "currency"),
        ({"price": Price("РУБ", 1, 1)}, "currency"),
        ({"price": Price("USD", -1, 1)}, "input_nano"),
        ({"price": Price("USD", 1, MOST_UNITS * NANO)}, "output_nano"),
        ({"price": Price("USD", 1, 1, cached_input_nano=-1)}, "cached_input_nano"),
        ({"valid_from": datetime(1999, 12, 31, tzinfo=UTC)}, "valid_from"),
        ({"valid_from": datetime(2100, 1, 1, tzinfo=UTC)}, "valid_from"),
        ({"note": "n" * 201}, "note"),
    ],
)
def test_what_is_no_price_is_refused_in_words(
    overrides: PriceOverrides, changes: dict[str, Any], field: str
) -> None:
    values: dict[str, Any] = {
        "provider": "x",
        "model": "m",
        "price": euros(1),
        "valid_from": NOON,
        "note": "",
    }
    with pytest.raises(AppError) as refused:
        overrides.add(ADMIN, **{**values, **changes})
    assert refused.value.kind is ErrorKind.VALIDATION
    assert refused.value.params["field"] == field
    assert refused.value.text().endswith(".")
    assert overrides.list() == ()


def test_the_catalogue_shows_own_prices_in_place_of_others(
    book: PriceBook, overrides: PriceOverrides
) -> None:
    published = book.entry("anthropic", "claude-sonnet-4-5")
    added = overrides.add(ADMIN, "anthropic", "Claude-Sonnet-4-5", euros(3), NOON, "contract 7")
    later = overrides.add(ADMIN, "anthropic", "my-tuned-model", euros(4), NOON + timedelta(days=1))
    line = book.entry("anthropic", "claude-sonnet-4-5", NOON)
    assert (line.price, line.source, line.is_own) == (euros(3), "own price: contract 7", True)
    assert (line.override_id, line.valid_from) == (added.override_id, NOON)
    assert line.context_size == published.context_size
    assert book.entry("anthropic", "claude-sonnet-4-5", NOON - timedelta(1)).price == published.price
    assert book.entry("anthropic", "my-tuned-model", NOON).price is None
    assert book.entry("anthropic", "my-tuned-model", NOON + timedelta(1)).price == later.price
    assert book.entry(LOCAL, "qwen3").price == Price("USD", 0, 0)


def test_every_listed_model_is_priced_once(book: PriceBook, overrides: PriceOverrides) -> None:
    before = {entry.model for entry in book.entries("openai")}
    since = datetime(2020, 1, 1, tzinfo=UTC)
    overrides.add(ADMIN, "openai", "GPT-5", euros(3), since)
    overrides.add(ADMIN, "openai", "zz-tuned", euros(4), since)
    after = {entry.model: entry for entry in book.entries("openai")}
    assert set(after) == before - {"gpt-5"} | {"GPT-5", "zz-tuned"}
    assert after["GPT-5"].price == euros(3)
    assert [entry.model for entry in overrides.list()] == ["GPT-5", "zz-tuned"]
