"""A period on other models: each bound exact, and the actual cost among them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.rates import price_tokens
from core.pricing.service import PriceBook
from core.pricing.types import Money, Price
from core.providers.types import TokenUsage
from core.usage.repricing import Range, reprice, tolerance
from core.usage.what_if import prorated, what_if
from core.usage.what_if_types import (
    Assumption,
    DayUse,
    PeriodUse,
    PricedTarget,
    RowKind,
    Subscription,
    Target,
    WhatIf,
)

DAY = date(2026, 11, 10)
M = 10**6
# $2 and $8 a million tokens, a quarter for cached input.
PLAIN = Price("USD", 2_000 * M, 8_000 * M, cached_input_nano=500 * M)


def day(
    usage: TokenUsage, provider: str = "openai", model: str = "gpt-4o", cost: int = 0, **more: Any
) -> DayUse:
    return DayUse(more.get("day", DAY), provider, model, 10, usage, Money(cost, more.get("currency", "USD")))


def target(
    model: str, *prices: Price, provider: str = "anthropic", reasons: bool | None = None
) -> PricedTarget:
    tiers = tuple((200_000 * number, price) for number, price in enumerate(prices))
    return PricedTarget(Target(provider, model, reasons), tiers, "test", True)


def priced(usage: TokenUsage, on: PricedTarget) -> Range:
    found = reprice([day(usage)], on)
    assert found is not None
    return found


def test_another_provider_s_tokenizer_is_ten_percent_either_way() -> None:
    found = priced(TokenUsage(input_tokens=100_000, output_tokens=10_000), target("opus", PLAIN))
    # 200,000,000 + 80,000,000 nano-dollars.
    assert found == Range(252_000_000, 308_000_000, frozenset({Assumption.TOKENIZER}))


@pytest.mark.parametrize(
    ("source", "other", "percent"),
    [
        (("openai", "gpt-4o"), ("openai", "models/GPT-4o"), 0),
        (("openai", "gpt-4o"), ("openai", "gpt-4.1-mini"), 0),
        (("openai", "gpt-4-turbo"), ("openai", "gpt-4o"), 10),
        (("openai", "gpt-9"), ("openai", "gpt-8"), 10),
        (("gemini", "gemini-2.5-pro"), ("gemini", "gemini-2.5-flash"), 10),
        (("openai", "gpt-4o"), ("local", "gpt-4o"), 10),
    ],
)
def test_only_tokenizers_known_to_be_one_agree(
    source: tuple[str, str], other: tuple[str, str], percent: int
) -> None:
    assert tolerance(source, Target(*other)) == percent


def test_the_cache_may_have_worked_or_not() -> None:
    usage = TokenUsage(input_tokens=100_000, cached_input_tokens=60_000)
    found = priced(usage, target("gpt-4.1", PLAIN, provider="openai"))
    # 40,000 at 2,000 and 60,000 at 500; without a cache 100,000 at 2,000.
    assert found == Range(110_000_000, 200_000_000, frozenset({Assumption.CACHE}))
    without = Price("USD", 2_000 * M, 8_000 * M)
    assert priced(usage, target("gpt-4.1", without, provider="openai")) == Range(
        200_000_000, 200_000_000, frozenset()
    )


def test_a_cache_that_is_dear_to_write_may_be_the_dearer_case() -> None:
    usage = TokenUsage(input_tokens=100_000, cache_write_tokens=100_000)
    dear = Price("USD", 2_000 * M, 8_000 * M, cached_input_nano=500 * M, cache_write_nano=2_500 * M)
    found = priced(usage, target("gpt-4.1", dear, provider="openai"))
    assert (found.low, found.high) == (200_000_000, 250_000_000)


def test_a_model_that_does_not_think_may_write_only_the_answer() -> None:
    usage = TokenUsage(output_tokens=10_000, reasoning_tokens=7_000)
    on = target("gpt-4.1", PLAIN, provider="openai")
    assert priced(usage, on) == Range(24_000_000, 80_000_000, frozenset({Assumption.REASONING}))
    thinks = target("o3", PLAIN, provider="openai", reasons=True)
    assert priced(usage, thinks) == Range(80_000_000, 80_000_000, frozenset())


def test_a_tier_counts_only_where_a_prompt_can_have_reached_it() -> None:
    double = Price("USD", 4_000 * M, 16_000 * M, cached_input_nano=1_000 * M)
    on = target("gpt-4.1", PLAIN, double, provider="openai")
    small, large = TokenUsage(input_tokens=200_000), TokenUsage(input_tokens=300_000)
    assert priced(small, on) == Range(400_000_000, 400_000_000, frozenset())
    assert priced(large, on) == Range(600_000_000, 1_200_000_000, frozenset({Assumption.TIERS}))
    # Two small days are two, however many tokens they have together.
    assert reprice([day(small), day(small)], on) == Range(800_000_000, 800_000_000, frozenset())


def test_published_tiers_are_those_of_the_price_list() -> None:
    tiers = PriceBook().tiers("gemini", "gemini-2.5-pro", datetime(2026, 11, 1, tzinfo=UTC))
    assert [(start, price.input_nano, price.output_nano) for start, price in tiers] == [
        (0, 1_250 * M, 10_000 * M),
        (200_000, 2_500 * M, 15_000 * M),
    ]
    assert PriceBook().tiers("gemini", "no-such-model") == ()


TOKENS = st.integers(0, 10**9)
PRICES = st.builds(
    Price,
    st.just("USD"),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    *(st.one_of(st.none(), st.integers(0, 10**12)) for _ in range(4)),
)


@st.composite
def usages(draw: st.DrawFn, audio: bool = True) -> TokenUsage:
    read, written = draw(TOKENS), draw(TOKENS)
    cached = draw(st.integers(0, read))
    return TokenUsage(
        input_tokens=read,
        cached_input_tokens=cached,
        cache_write_tokens=draw(st.integers(0, read - cached)),
        input_audio_tokens=draw(st.integers(0, read)) if audio else 0,
        output_tokens=written,
        reasoning_tokens=draw(st.integers(0, written)),
        output_audio_tokens=draw(st.integers(0, written)) if audio else 0,
    )


@given(usage=usages(), first=PRICES, second=PRICES, provider=st.sampled_from(["openai", "anthropic"]))
def test_the_low_end_is_never_above_the_high_one(
    usage: TokenUsage, first: Price, second: Price, provider: str
) -> None:
    found = priced(usage, target("some-model", first, second, provider=provider))
    assert 0 <= found.low <= found.high
    assert found.assumptions or found.low == found.high


@given(usage=usages(audio=False), price=PRICES)
def test_the_same_model_at_its_own_price_costs_what_it_did(usage: TokenUsage, price: Price) -> None:
    actual = price_tokens(price, usage)
    assert priced(usage, target("gpt-4o", price, provider="openai")) == Range(actual, actual, frozenset())


def table(
    rows: Sequence[DayUse], targets: Sequence[PricedTarget], *subscriptions: Subscription, left_out: int = 0
) -> WhatIf:
    use = PeriodUse(date(2026, 11, 1), date(2026, 11, 15), tuple(rows), left_out, left_out * 100)

    def convert(money: Money, on: date) -> Money | None:
        if money.currency == "EUR":
            return Money(money.nano * 2, "USD")
        return money if money.currency == "USD" else None

    return what_if(use, targets, subscriptions, "USD", convert, date(2026, 11, 20))


def test_the_table_is_ranked_with_the_actual_cost_in_it() -> None:
    usage = TokenUsage(input_tokens=1_000_000)
    rouble = Price("RUB", 1 * M, 1 * M)
    euro = Price("EUR", 100 * M, 100 * M)
    found = table(
        # What was paid in tenge cannot be said in dollars: it stands on neither side.
        [day(usage, cost=1_500_000_000), day(usage, cost=7, currency="KZT")],
        [target("none"), target("roubles", rouble), target("dear", PLAIN), target("euros", euro)],
        Subscription("Team", Money(20 * 10**9, "USD")),
        left_out=3,
    )
    assert [(row.kind, row.model or row.label) for row in found.rows] == [
        (RowKind.MODEL, "euros"),
        (RowKind.ACTUAL, ""),
        (RowKind.MODEL, "dear"),
        (RowKind.SUBSCRIPTION, "Team"),
        (RowKind.MODEL, "roubles"),
        (RowKind.MODEL, "none"),
    ]
    euros, actual, dear, team, roubles, none = found.rows
    assert (euros.low, euros.high) == (Money(180_000_000, "USD"), Money(220_000_000, "USD"))
    assert actual.low == Money(1_500_000_000, "USD")
    assert (dear.low, dear.high) == (Money(1_800_000_000, "USD"), Money(2_200_000_000, "USD"))
    assert team.low == team.high == Money(10 * 10**9, "USD")
    assert (roubles.low, roubles.high) == (Money(900_000, "RUB"), Money(1_100_000, "RUB"))
    assert (none.low, none.high) == (None, None)
    assert (found.calls, found.tokens, found.left_out_calls, found.left_out_tokens) == (10, 1_000_000, 3, 300)
    assert (found.unconverted, found.unconverted_calls) == ({"KZT": 7}, 10)


def test_a_model_that_thought_in_the_period_is_known_to_think() -> None:
    thought = day(TokenUsage(output_tokens=100, reasoning_tokens=60), model="o3")
    found = table(
        [thought, day(TokenUsage(output_tokens=100), model="o3")], [target("o3", PLAIN, provider="openai")]
    )
    model = next(row for row in found.rows if row.kind is RowKind.MODEL)
    assert model.low == model.high == Money(1_600_000, "USD")


@pytest.mark.parametrize(
    ("start", "end", "cents"),
    [
        (date(2026, 11, 1), date(2026, 11, 30), 3_000),
        (date(2026, 11, 10), date(2026, 11, 10), 100),
        # 15 of November's 30 days and 31 of December's 31.
        (date(2026, 11, 16), date(2026, 12, 31), 4_500),
    ],
)
def test_a_subscription_is_paid_by_the_day(start: date, end: date, cents: int) -> None:
    assert prorated(Money(30 * 10**9, "USD"), start, end) == Money(cents * 10**7, "USD")


def dollars_only(money: Money, _day: date) -> Money | None:
    return money if money.currency == "USD" else None


def test_the_difference_to_what_was_paid_is_a_range_and_never_a_guess() -> None:
    use = PeriodUse(DAY, DAY, (day(TokenUsage(input_tokens=100_000), cost=10**9),), 0, 0)
    plan = Subscription("Plan", Money(30 * 10**9, "USD"))
    found = what_if(use, [target("opus", PLAIN), target("nobody")], [plan], "USD", dollars_only, DAY)
    by_name = {row.model or row.label or "actual": found.difference(row) for row in found.rows}
    assert by_name["actual"] == (Money(0, "USD"), Money(0, "USD"))
    assert by_name["opus"] == (Money(-820_000_000, "USD"), Money(-780_000_000, "USD"))
    assert by_name["Plan"] == (Money(0, "USD"), Money(0, "USD"))
    assert by_name["nobody"] is None
    in_roubles = day(TokenUsage(input_tokens=1), cost=7, currency="RUB")
    partly = what_if(PeriodUse(DAY, DAY, (in_roubles,), 0, 0), [], [plan], "USD", dollars_only, DAY)
    assert (partly.calls, partly.unconverted) == (0, {"RUB": 7}), "what cannot be said in dollars is left out"
