"""Our own arithmetic and tables: golden costs, fallbacks, GigaChat in roubles, what is typed in, the catalogue."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AppError, ErrorKind
from core.pricing.overrides import MOST_UNITS, parse_price
from core.pricing.rates import half_even, price_tokens
from core.pricing.service import PriceBook
from core.pricing.types import NANO, Money, Price
from core.providers.types import ProviderInfo, TokenUsage

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def usd(inp: str, out: str, cached: str | None = None, written: str | None = None) -> Price:
    """A price in dollars per million tokens."""
    parts = [None if part is None else int(Decimal(part) * NANO) for part in (inp, out, cached, written)]
    assert parts[0] is not None
    assert parts[1] is not None
    return Price("USD", parts[0], parts[1], parts[2], parts[3])


@pytest.mark.parametrize(
    ("price", "usage", "dollars"),
    [
        (
            usd("1.25", "10", cached="0.625"),
            TokenUsage(input_tokens=262_960, cached_input_tokens=257_955, output_tokens=1_744),
            "0.184918125",
        ),
        (
            usd("3", "15", written="3.75"),
            TokenUsage(input_tokens=12_307, cache_write_tokens=12_304, output_tokens=550),
            "0.054399",
        ),
        (
            usd("0.80", "4", cached="0.08"),
            TokenUsage(input_tokens=2_459, cached_input_tokens=2_455, output_tokens=23),
            "0.0002916",
        ),
        (usd("1", "10"), TokenUsage(output_tokens=482, reasoning_tokens=448), "0.00482"),
    ],
)
def test_golden_costs(price: Price, usage: TokenUsage, dollars: str) -> None:
    assert Money(price_tokens(price, usage), "USD").decimal == Decimal(dollars)


def test_every_part_has_its_own_price() -> None:
    price = Price("EUR", 1_000_000, 2_000_000, 100_000, 1_250_000, 5_000_000, 8_000_000)
    usage = TokenUsage(
        input_tokens=1_000,
        cached_input_tokens=400,
        cache_write_tokens=200,
        input_audio_tokens=100,
        output_tokens=50,
        reasoning_tokens=45,
        output_audio_tokens=20,
    )
    read = 300 * 1 + 400 * Fraction(1, 10) + 200 * Fraction(5, 4) + 100 * 5
    assert price_tokens(price, usage) == read + 30 * 2 + 20 * 8


def test_what_is_not_charged_apart_costs_what_the_rest_does() -> None:
    usage = TokenUsage(
        input_tokens=1_000,
        cached_input_tokens=400,
        cache_write_tokens=200,
        input_audio_tokens=900,
        output_tokens=50,
        output_audio_tokens=20,
    )
    assert price_tokens(Price("USD", 3_000_000, 7_000_000), usage) == 1_000 * 3 + 50 * 7


def test_parts_that_overlap_are_never_guessed() -> None:
    usage = TokenUsage(input_tokens=100, cached_input_tokens=60, input_audio_tokens=60)
    with pytest.raises(ValueError, match="overlap"):
        price_tokens(Price("USD", 1, 1, cached_input_nano=1, input_audio_nano=1), usage)
    assert price_tokens(Price("USD", MILLION, MILLION, cached_input_nano=0), usage) == 40


MILLION = 10**6


@pytest.mark.parametrize(
    ("numerator", "rounded"), [(5, 0), (15, 2), (25, 2), (26, 3), (-5, 0), (-15, -2), (-16, -2)]
)
def test_rounding_is_half_even(numerator: int, rounded: int) -> None:
    assert half_even(numerator, 10) == rounded


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**15))
def test_rounding_agrees_with_decimals(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assert half_even(numerator, denominator) == round(exact)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_cost_is_the_exact_one_rounded_once(plain: int, cached: int, price: int, cached_price: int) -> None:
    usage = TokenUsage(input_tokens=plain + cached, cached_input_tokens=cached)
    context = Context(prec=80, rounding=ROUND_HALF_EVEN)
    exact = Decimal(plain) * price + Decimal(cached) * cached_price
    expected = int(context.divide(exact, Decimal(MILLION)).quantize(Decimal(1), context=context))
    assert price_tokens(Price("USD", price, 0, cached_input_nano=cached_price), usage) == expected


@pytest.mark.parametrize(
    ("model", "roubles"),
    [
        ("GigaChat", "65"),
        ("GigaChat:latest", "65"),
        ("GigaChat-2", "65"),
        ("GigaChat-2:2.0.28.2", "65"),
        ("GigaChat-Pro", "500"),
        ("GigaChat-2-Pro", "500"),
        ("GigaChat-Max", "650"),
        ("GigaChat-2-Max", "650"),
    ],
)
def test_gigachat_costs_roubles_and_says_that_nobody_verified_them(model: str, roubles: str) -> None:
    found = PriceBook().cost_at(
        "gigachat", model, TokenUsage(input_tokens=600_000, output_tokens=400_000), NOW
    )
    assert found.amount == Money(int(roubles) * NANO, "RUB")
    assert "unverified" in found.source
    assert "developers.sber.ru" in found.source


def test_gigachat_does_not_bill_cached_tokens() -> None:
    usage = TokenUsage(input_tokens=1_000_000, cached_input_tokens=900_000)
    assert PriceBook().cost_at("gigachat", "GigaChat-2", usage, NOW).amount == Money(6_500_000_000, "RUB")


def test_gigachat_prices_are_dated() -> None:
    usage, book = TokenUsage(output_tokens=1_000_000), PriceBook()
    moments = [
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 31, 23, 59, tzinfo=UTC),
        datetime(2026, 2, 1, tzinfo=UTC),
    ]
    amounts = [book.cost_at("gigachat", "GigaChat-2-Max", usage, at).amount for at in moments]
    assert amounts == [None, Money(1_950 * NANO, "RUB"), Money(650 * NANO, "RUB")]


def test_gigachat_usage_that_contradicts_itself_is_unpriced() -> None:
    refused = PriceBook().cost_at(
        "gigachat", "GigaChat", TokenUsage(input_tokens=1, cached_input_tokens=2), NOW
    )
    assert refused.amount is None
    assert "exceed input_tokens" in refused.source


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("1.25", 1_250_000_000),
        ("1,25", 1_250_000_000),
        (" 1 250,5 ", 1_250_500_000_000),
        ("1\u00a0250\u202f000", 1_250_000 * NANO),
        ("0", 0),
        ("0.000000001", 1),
        ("999999999.999999999", MOST_UNITS * NANO - 1),
    ],
)
def test_a_price_is_read_as_people_write_it(text: str, nano: int) -> None:
    assert parse_price(text) == nano


@pytest.mark.parametrize(
    "text",
    ["", " ", "-1", "+1", "1,250.5", "1.2.3", "1 25", "12 50,5", "$5", "1e3", "NaN", "٣", ".5", "5.", "0.0000000001",
     "1000000000", "9" * 400],
)  # fmt: skip
def test_what_is_no_price_is_refused_in_words(text: str) -> None:
    with pytest.raises(AppError) as refused:
        parse_price(text)
    assert refused.value.kind is ErrorKind.VALIDATION
    assert refused.value.text().endswith(".")


def test_a_catalogue_line_tells_price_size_and_source() -> None:
    line = PriceBook().entry("gemini", "models/gemini-2.5-pro", NOW)
    assert line.price == Price("USD", 1_250_000_000, 10_000_000_000, cached_input_nano=125_000_000)
    assert line.tiered
    assert line.source.startswith("genai-prices ")
    assert PriceBook().entry("anthropic", "claude-sonnet-4-5", NOW).context_size == 200_000
    assert (line.is_own, line.verified, line.model) == (False, True, "models/gemini-2.5-pro")


def test_a_catalogue_line_is_dated_where_its_source_is() -> None:
    before, after = (PriceBook().entry("openai", "o3", at) for at in (datetime(2025, 6, 1, tzinfo=UTC), NOW))
    assert before.price is not None
    assert after.price is not None
    assert (before.price.input_nano, after.price.input_nano) == (10 * NANO, 2 * NANO)
    assert before.valid_from is None
    assert after.valid_from == datetime(2025, 6, 10, tzinfo=UTC)


def test_a_line_of_gigachat_is_marked_unverified() -> None:
    line = PriceBook().entry("gigachat", "GigaChat-2-Max", NOW)
    assert line.price == Price("RUB", 650 * NANO, 650 * NANO, cached_input_nano=0)
    assert not line.verified
    assert line.source_date is not None


def test_a_free_provider_costs_nothing_and_an_unknown_model_has_no_price() -> None:
    free = ProviderInfo("demo", "Demo", frozenset(), free_reason="offline demo")
    assert PriceBook().entry(free, "any").price == Price("USD", 0, 0)
    unknown = PriceBook().entry("local", "qwen3")
    assert unknown.price is None
    assert unknown.source.startswith("unpriced: ")


def test_the_catalogue_lists_every_model_once_by_name() -> None:
    book = PriceBook()
    for provider, some in [("gemini", "gemini-2.5-pro"), ("openai", "gpt-5"), ("gigachat", "GigaChat-2-Max")]:
        names = [entry.model.lower() for entry in book.entries(provider)]
        assert names == sorted(set(names))
        assert some.lower() in names
        assert all(entry.price is not None and entry.provider == provider for entry in book.entries(provider))
    assert book.entries("local") == ()
