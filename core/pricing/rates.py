"""The arithmetic of a price, exact and rounded once to the nano-unit: of our own prices and of genai-prices'."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import TYPE_CHECKING, Any

from core.pricing.types import NANO, Price
from core.providers.types import TokenUsage

if TYPE_CHECKING:
    from genai_prices import Usage
    from genai_prices.types import ModelPrice

MOST_TOKENS = 10**12
"""More tokens than any one call can have; a count beyond it is a fault in what was reported."""

MILLION = 10**6

# 13 digits of tokens times a price per million of at most some 15 digits: nothing is rounded on the way.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


# What genai-prices calls the parts of a price that can be worked out here, and the parts that no usage of ours has.
_PLAIN = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")
_PLAIN_ONLY = frozenset(
    {*_PLAIN, "cache_write_1h_mtok", "web_searches_kcount", "storage_searches_kcount"}
) | {
    f"{part}_mtok"
    for part in (
        "input_audio",
        "output_audio",
        "cache_audio_read",
        "input_image",
        "output_image",
        "input_video",
    )
}


def contradiction(usage: TokenUsage) -> str | None:
    """What is wrong with `usage`, in English, or None when its figures fit together."""
    counts = {
        "input_tokens": usage.input_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "input_audio_tokens": usage.input_audio_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "output_audio_tokens": usage.output_audio_tokens,
    }
    for name, count in counts.items():
        if count < 0:
            return f"{name} is negative"
        if count > MOST_TOKENS:
            return f"{name} is absurdly large"
    if usage.cached_input_tokens + usage.cache_write_tokens > usage.input_tokens:
        return "cached and cache-write tokens exceed input_tokens"
    if usage.input_audio_tokens > usage.input_tokens:
        return "input_audio_tokens exceed input_tokens"
    if max(usage.reasoning_tokens, usage.output_audio_tokens) > usage.output_tokens:
        return "reasoning or audio tokens exceed output_tokens"
    return None


def price_usage(model_price: "ModelPrice", usage: TokenUsage) -> int:
    """Cost of `usage` in nano-US-dollars, rounded half-even once, at the end.

    ValueError when `model_price` cannot say what these tokens cost.
    """
    plain = _plain_price(model_price, usage)
    if plain is not None:
        return price_tokens(plain, usage)
    with localcontext(_EXACT):
        dollars = model_price.calc_price(_in_their_words(usage))["total_price"]
        return int((dollars * NANO).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def price_tokens(price: Price, usage: TokenUsage) -> int:
    """Cost of `usage` in nano-units of `price.currency`, rounded half-even once, at the end.

    ValueError when tokens with prices of their own overlap, because then nobody can tell what is what.
    """
    return half_even(token_millionths(price, usage), MILLION)


def token_millionths(price: Price, usage: TokenUsage) -> int:
    """The same, not rounded: in millionths of a nano-unit."""
    millionths = _one_side(
        usage.input_tokens,
        price.input_nano,
        (usage.cached_input_tokens, price.cached_input_nano),
        (usage.cache_write_tokens, price.cache_write_nano),
        (usage.input_audio_tokens, price.input_audio_nano),
    )
    return millionths + _one_side(
        usage.output_tokens, price.output_nano, (usage.output_audio_tokens, price.output_audio_nano)
    )


def _plain_price(model_price: "ModelPrice", usage: TokenUsage) -> Price | None:
    """`model_price` as one of ours, at the tier of `usage`; None where genai-prices has to decide.

    The same figures at a tenth of its time, which a re-costing of millions of calls is made of.
    """
    prices: dict[str, Any] = model_price.__dict__
    if usage.input_audio_tokens or usage.output_audio_tokens or not _PLAIN_ONLY.issuperset(prices):
        return None
    nano = [_plain_nano(prices.get(name), usage.input_tokens) for name in _PLAIN]
    if nano[0] is None or nano[1] is None or -1 in nano:
        return None
    return Price("USD", nano[0], nano[1], nano[2], nano[3])


def _plain_nano(price: Any, input_tokens: int) -> int | None:
    """Nano-dollars per million tokens; -1 for a price that is finer than that."""
    if price is None:
        return None
    if not isinstance(price, Decimal):
        # Beyond a tier's start all tokens cost what the tier does.
        price = next((tier.price for tier in reversed(price.tiers) if input_tokens > tier.start), price.base)
    nano = _EXACT.multiply(price, Decimal(NANO))
    return int(nano) if nano == int(nano) else -1


def half_even(numerator: int, denominator: int) -> int:
    """The quotient as a whole number, rounded half-even; `denominator` is positive."""
    quotient, rest = divmod(numerator, denominator)
    double = 2 * rest
    return quotient + (double > denominator or (double == denominator and quotient % 2 == 1))


def _one_side(tokens: int, price: int, *parts: tuple[int, int | None]) -> int:
    """Input or output in millionths of a nano-unit. `parts`: tokens and what they cost, None like the rest."""
    cost = 0
    for count, part_price in parts:
        if part_price is not None:
            cost += count * part_price
            tokens -= count
    if tokens < 0:
        raise ValueError("cached and audio tokens overlap")
    return cost + tokens * price


def _in_their_words(usage: TokenUsage) -> "Usage":
    """`usage` as genai-prices counts: its input and output, too, include their own parts.

    Reasoning is a part of `output_tokens` with no price of its own, so it is not handed over: no model
    of genai-prices 0.2.3 prices it apart, and to charge it twice is the classic mistake.
    """
    from genai_prices import Usage

    return Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cached_input_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
        input_audio_tokens=usage.input_audio_tokens,
        output_audio_tokens=usage.output_audio_tokens,
    )
