"""The golden costs: calls that other tools priced wrong, priced to the last nano-unit."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from core.pricing.service import PriceBook
from core.providers.types import TokenUsage
from tests.bench.figures import Bench, Figure

_AT = datetime(2026, 11, 1, tzinfo=UTC)

# Provider, model, usage, nano-dollars. Checked one by one in tests/unit/test_pricing*.py.
GOLDEN = (
    # Above Gemini's tier of 200 thousand input tokens, most of them cached.
    (
        "gemini",
        "gemini-2.5-pro",
        TokenUsage(262_960, cached_input_tokens=257_955, output_tokens=1_744),
        103_161_250,
    ),
    # A write to the cache costs more than plain input: 3 × 3 + 12,304 × 3.75 + 550 × 15 millionths.
    (
        "anthropic",
        "claude-3-7-sonnet-latest",
        TokenUsage(12_307, cache_write_tokens=12_304, output_tokens=550),
        54_399_000,
    ),
    (
        "anthropic",
        "claude-3-5-haiku-latest",
        TokenUsage(2_459, cached_input_tokens=2_455, output_tokens=23),
        291_600,
    ),
    # Reasoning is a part of the output and is charged once: 482 tokens, not 448 and not 930.
    ("gemini", "gemini-2.5-flash", TokenUsage(0, output_tokens=482, reasoning_tokens=448), 1_205_000),
    # Audio in costs a dollar a million on gemini-2.5-flash, text 0.30.
    ("gemini", "gemini-2.5-flash", TokenUsage(1_500, input_audio_tokens=500), 800_000),
)


def measure(_folder: Path) -> Iterator[Figure]:
    """How many of the golden costs come out exactly."""
    book = PriceBook()
    exact = 0
    for provider, model, usage, nano in GOLDEN:
        amount = book.cost_at(provider, model, usage, _AT).amount
        exact += amount is not None and (amount.nano, amount.currency) == (nano, "USD")
    yield Figure("pricing.golden_costs_exact", 100 * exact / len(GOLDEN), "%", 100, at_least=True)


BENCH = Bench(("pricing.golden_costs_exact",), measure)
