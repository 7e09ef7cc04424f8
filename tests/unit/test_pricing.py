"""Costs to the nano-unit: golden calls, what is free, what has no price, and what prices may never do."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from threading import Barrier, Thread

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice, Tier, TieredPrices
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pricing.rates import MOST_TOKENS, price_usage
from core.pricing.service import PriceBook
from core.pricing.types import NANO, UNPRICED, CallCost, Money
from core.providers.types import ProviderInfo, TokenUsage

AT = datetime(2026, 11, 1, tzinfo=UTC)
GEMINI_BIG = TokenUsage(input_tokens=262_960, cached_input_tokens=257_955, output_tokens=1_744)


def flat(inp: str, out: str, read: str | None = None, write: str | None = None) -> ModelPrice:
    prices = {"input_mtok": inp, "output_mtok": out, "cache_read_mtok": read, "cache_write_mtok": write}
    return ModelPrice(**{key: Decimal(price) for key, price in prices.items() if price})


def provider(provider_id: str, free: str | None = None) -> ProviderInfo:
    return ProviderInfo(provider_id, provider_id, frozenset(), free_reason=free)


def cost(provider_id: str, model: str, usage: TokenUsage, at: datetime = AT) -> CallCost:
    return PriceBook().cost(provider(provider_id), model, usage, at)


@pytest.mark.parametrize(
    ("prices", "usage", "dollars"),
    [
        (flat("1.25", "10", read="0.625"), GEMINI_BIG, "0.184918125"),
        (
            flat("3", "15", write="3.75"),
            TokenUsage(input_tokens=12_307, cache_write_tokens=12_304, output_tokens=550),
            "0.054399",
        ),
        (
            flat("0.80", "4", read="0.08"),
            TokenUsage(input_tokens=2_459, cached_input_tokens=2_455, output_tokens=23),
            "0.0002916",
        ),
    ],
)
def test_golden_costs(prices: ModelPrice, usage: TokenUsage, dollars: str) -> None:
    assert Money(price_usage(prices, usage), "USD").decimal == Decimal(dollars)


def test_dated_prices_and_their_tier() -> None:
    priced = cost("gemini", "models/gemini-2.5-pro", GEMINI_BIG)
    assert priced.amount == Money(103_161_250, "USD")
    assert priced.source.startswith("genai-prices ")
    assert priced.source.endswith(" · google/gemini-2.5-pro")


def test_the_tier_begins_above_its_threshold() -> None:
    at_it = cost("gemini", "gemini-2.5-pro", TokenUsage(input_tokens=200_000, output_tokens=1_000))
    assert at_it.amount == Money(200_000 * 1_250 + 1_000 * 10_000, "USD")
    above = cost("gemini", "gemini-2.5-pro", TokenUsage(input_tokens=200_001, output_tokens=1_000))
    assert above.amount == Money(200_001 * 2_500 + 1_000 * 15_000, "USD")


def test_a_cache_write_has_its_own_price() -> None:
    usage = TokenUsage(input_tokens=12_307, cache_write_tokens=12_304, output_tokens=550)
    assert cost("anthropic", "claude-3-7-sonnet-latest", usage).amount == Money(54_399_000, "USD")


def test_reasoning_is_part_of_the_output_and_charged_once() -> None:
    usage = TokenUsage(output_tokens=482, reasoning_tokens=448)
    assert price_usage(flat("1", "10"), usage) == 482 * 10_000
    plain = TokenUsage(output_tokens=482)
    assert (
        cost("openai", "gpt-5", usage)
        == cost("openai", "gpt-5", plain)
        != cost("openai", "gpt-5", TokenUsage())
    )


def test_the_price_is_the_one_of_the_day() -> None:
    usage = TokenUsage(input_tokens=1_000_000)
    before = cost("openai", "o3", usage, datetime(2025, 6, 1, tzinfo=UTC)).amount
    assert before == Money(10 * NANO, "USD")
    assert cost("openai", "o3", usage).amount == Money(2 * NANO, "USD")


def test_audio_has_its_own_price_where_there_is_one() -> None:
    usage = TokenUsage(input_tokens=100, input_audio_tokens=20, output_tokens=5)
    assert cost("gemini", "gemini-2.5-flash", usage).amount == Money(56_500, "USD")
    assert cost("gemini", "gemini-2.5-pro", usage).amount == Money(175_000, "USD")


def test_what_the_prices_cannot_split_is_unpriced() -> None:
    usage = TokenUsage(input_tokens=100, cached_input_tokens=10, input_audio_tokens=20)
    refused = cost("gemini", "gemini-2.5-flash", usage)
    assert refused.amount is None
    assert "cache_audio_read_tokens" in refused.source


@pytest.mark.parametrize(
    ("provider_id", "model"),
    [
        ("gemini", "no-such-model"),
        ("local", "gpt-4o"),
        ("gigachat", "GigaChat-3-Ultra"),
        ("", ""),
        ("openai", ""),
    ],
)
def test_no_price_is_not_zero(provider_id: str, model: str) -> None:
    unpriced = cost(provider_id, model, TokenUsage(input_tokens=5, output_tokens=5))
    assert unpriced.amount is None
    assert unpriced.source.startswith("unpriced: ")


def test_free_is_an_exact_zero_whatever_the_usage() -> None:
    free = PriceBook().cost(provider("demo", "offline demo"), "any", TokenUsage(input_tokens=-1), AT)
    assert free == CallCost(Money(0, "USD"), "free: offline demo")


@pytest.mark.parametrize(
    ("usage", "why"),
    [
        (TokenUsage(input_tokens=1, cached_input_tokens=2), "exceed input_tokens"),
        (TokenUsage(input_tokens=3, cached_input_tokens=2, cache_write_tokens=2), "exceed input_tokens"),
        (TokenUsage(input_tokens=1, input_audio_tokens=2), "exceed input_tokens"),
        (TokenUsage(output_tokens=1, reasoning_tokens=2), "exceed output_tokens"),
        (TokenUsage(output_tokens=1, output_audio_tokens=2), "exceed output_tokens"),
        (TokenUsage(output_tokens=-1), "output_tokens is negative"),
        (TokenUsage(input_tokens=MOST_TOKENS + 1), "absurdly large"),
    ],
)
def test_usage_that_contradicts_itself_is_unpriced(usage: TokenUsage, why: str) -> None:
    refused = cost("gemini", "gemini-2.5-pro", usage)
    assert refused.amount is None
    assert why in refused.source


@pytest.mark.parametrize(("price", "nano"), [("0.0005", 0), ("0.0015", 2), ("0.0025", 2), ("0.00051", 1)])
def test_rounding_is_half_even_at_the_nano_unit(price: str, nano: int) -> None:
    assert price_usage(flat(price, "0"), TokenUsage(input_tokens=1)) == nano


def test_rounding_happens_once_at_the_end() -> None:
    usage = TokenUsage(input_tokens=2, cached_input_tokens=1, output_tokens=1)
    assert price_usage(flat("0.0004", "0.0004", read="0.0004"), usage) == 1


def test_the_largest_usage_stays_exact() -> None:
    assert (
        price_usage(flat("1.234567", "0"), TokenUsage(input_tokens=MOST_TOKENS - 1)) == 1_234_566_999_998_765
    )
    tiers = ModelPrice(input_mtok=TieredPrices(base=Decimal(1), tiers=[Tier(start=10, price=Decimal(2))]))
    assert price_usage(tiers, TokenUsage(input_tokens=MOST_TOKENS)) == 2 * 10**6 * NANO


def test_money_adds_within_one_currency() -> None:
    assert Money(1, "USD") + Money(2, "USD") == Money(3, "USD")
    assert Money(10**40 + 1, "USD").decimal == Decimal("10000000000000000000000000000000.000000001")
    with pytest.raises(ValueError, match="USD and RUB"):
        _ = Money(1, "USD") + Money(2, "RUB")
    assert UNPRICED.amount is None


def test_many_threads_may_ask_first_at_once() -> None:
    book, gate, found = PriceBook(), Barrier(8), list[CallCost]()

    def ask() -> None:
        gate.wait()
        found.append(book.cost_at("gemini", "gemini-2.5-pro", GEMINI_BIG, AT))

    together(ask, 8)
    assert {each.amount for each in found} == {Money(103_161_250, "USD")}
    assert len(found) == 8
    book.warm()


def together(work: Callable[[], None], count: int) -> None:
    threads = [Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@st.composite
def usages(draw: st.DrawFn) -> TokenUsage:
    plain, cached, written, out = (draw(st.integers(0, 10**9)) for _ in range(4))
    reasoning = draw(st.integers(0, out))
    return TokenUsage(plain + cached + written, cached, written, 0, out, reasoning, 0)


def published() -> list[ModelPrice]:
    """Every price of the three providers, of all dates."""
    found: list[ModelPrice] = []
    for one in get_snapshot().providers:
        for model in one.models if one.id in {"google", "openai", "anthropic"} else ():
            found.extend(
                [model.prices] if isinstance(model.prices, ModelPrice) else [p.prices for p in model.prices]
            )
    return found


@pytest.mark.parametrize(
    "usage",
    [
        TokenUsage(),
        TokenUsage(input_tokens=1_003, cached_input_tokens=401, cache_write_tokens=307, output_tokens=59),
        TokenUsage(input_tokens=200_001, cached_input_tokens=7, output_tokens=1),
        TokenUsage(input_tokens=272_001, output_tokens=77, reasoning_tokens=70),
        TokenUsage(input_tokens=900_010, cached_input_tokens=3, cache_write_tokens=900_000),
        TokenUsage(input_tokens=11, input_audio_tokens=3, output_tokens=5, output_audio_tokens=2),
    ],
)
def test_every_published_price_says_what_genai_prices_says(usage: TokenUsage) -> None:
    theirs = Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cached_input_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
        input_audio_tokens=usage.input_audio_tokens,
        output_audio_tokens=usage.output_audio_tokens,
    )
    prices = published()
    assert len(prices) > 200

    def asked(price: Callable[[], int]) -> int | str:
        try:
            return price()
        except ValueError as error:
            return str(error)

    def reference(price: ModelPrice) -> int:
        return int((price.calc_price(theirs)["total_price"] * NANO).quantize(Decimal(1), ROUND_HALF_EVEN))

    for price in prices:
        assert asked(lambda p=price: price_usage(p, usage)) == asked(lambda p=price: reference(p)), price


@settings(deadline=None)
@given(usages(), usages())
def test_flat_prices_add_up_and_are_never_negative(one: TokenUsage, two: TokenUsage) -> None:
    prices = flat("3", "15", read="0.3", write="3.75")
    both = TokenUsage(
        one.input_tokens + two.input_tokens,
        one.cached_input_tokens + two.cached_input_tokens,
        one.cache_write_tokens + two.cache_write_tokens,
        0,
        one.output_tokens + two.output_tokens,
    )
    assert price_usage(prices, both) == price_usage(prices, one) + price_usage(prices, two)
    assert price_usage(prices, one) >= 0
    assert price_usage(prices, TokenUsage()) == 0
