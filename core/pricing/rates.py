"""The arithmetic of a price: our usage in genai-prices' words, rounded once to the nano-unit."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import TYPE_CHECKING

from core.pricing.types import NANO
from core.providers.types import TokenUsage

if TYPE_CHECKING:
    from genai_prices import Usage
    from genai_prices.types import ModelPrice

MOST_TOKENS = 10**12
"""More tokens than any one call can have; a count beyond it is a fault in what was reported."""

# 13 digits of tokens times a price per million of at most some 15 digits: nothing is rounded on the way.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


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
    with localcontext(_EXACT):
        dollars = model_price.calc_price(_in_their_words(usage))["total_price"]
        return int((dollars * NANO).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


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
