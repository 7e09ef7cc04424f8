"""What tokens of one model would have cost on another: two bounds, each exact.

A bound takes every unknown at its end: how the other tokenizer cuts the text, whether its cache would have
worked, whether it thinks, and which tier of its price the prompts would have reached. All in whole numbers, rounded
once; tokens are counted in hundredths so that ten percent more of them stays whole.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

from core.pricing.overrides import model_key
from core.pricing.rates import MILLION, half_even, token_millionths
from core.pricing.types import Price
from core.providers.types import TokenUsage
from core.usage.what_if_types import Assumption, DayUse, PricedTarget, Target

TOLERANCE_PERCENT = 10
"""By how much two tokenizers may disagree on a text, either way."""

_SCALE = 100
_COUNTS = tuple(field.name for field in fields(TokenUsage) if field.name != "estimated")
# OpenAI names the encoding of each model (tiktoken); of the others nobody publishes which models share one.
_FAMILIES = {
    "openai": {
        "o200k": ("gpt-4o", "chatgpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "o1", "o3", "o4-mini"),
        "cl100k": ("gpt-4", "gpt-3.5-turbo"),
    }
}


@dataclass(frozen=True, slots=True)
class Range:
    """Nano-units of the target's currency."""

    low: int
    high: int
    assumptions: frozenset[Assumption]


@dataclass(frozen=True, slots=True)
class _Case:
    """One way the unknowns may be."""

    percent: int
    cached: bool
    with_reasoning: bool
    tier: int


def reprice(rows: Iterable[DayUse], target: PricedTarget) -> Range | None:
    """What `rows` would have cost on `target`; None when it has no price."""
    if not target.tiers:
        return None
    low = high = 0
    moved: set[Assumption] = set()
    for source, reachable, usage in _grouped(rows, target):
        costs = {case: _cost(usage, case, target) for case in _cases(source, usage, reachable, target.target)}
        low += min(costs.values())
        high += max(costs.values())
        moved |= _moved(costs)
    denominator = MILLION * _SCALE
    return Range(half_even(low, denominator), half_even(high, denominator), frozenset(moved))


def tolerance(source: tuple[str, str], target: Target) -> int:
    """Percent by which the tokens of a model and of `target` may differ; `source`: provider and model."""
    if source[0] != target.provider:
        return TOLERANCE_PERCENT
    if model_key(source[1]) == model_key(target.model):
        return 0
    family = _family(*source)
    return 0 if family and family == _family(target.provider, target.model) else TOLERANCE_PERCENT


def _family(provider: str, model: str) -> str | None:
    key = model_key(model)
    for name, models in _FAMILIES.get(provider, {}).items():
        if any(key == each or key.startswith(f"{each}-") for each in models):
            return name
    return None


def _grouped(
    rows: Iterable[DayUse], target: PricedTarget
) -> Iterator[tuple[tuple[str, str], int, TokenUsage]]:
    """The rows added up by model and by the highest tier that a prompt among them can have reached.

    No prompt of a day was longer than all prompts of that day together.
    """
    sums: dict[tuple[tuple[str, str], int], list[int]] = {}
    for row in rows:
        source = (row.provider, row.model)
        longest = row.usage.input_tokens * (_SCALE + tolerance(source, target.target))
        reachable = sum(longest > start * _SCALE for start, _ in target.tiers[1:])
        counts = [getattr(row.usage, name) for name in _COUNTS]
        known = sums.setdefault((source, reachable), [0] * len(counts))
        known[:] = map(sum, zip(known, counts, strict=True))
    for (source, reachable), counts in sums.items():
        named: dict[str, Any] = dict(zip(_COUNTS, counts, strict=True))
        yield source, reachable, TokenUsage(**named)


def _cases(source: tuple[str, str], usage: TokenUsage, reachable: int, target: Target) -> Iterator[_Case]:
    same = source[0] == target.provider and model_key(source[1]) == model_key(target.model)
    spread = tolerance(source, target)
    percents = (_SCALE - spread, _SCALE + spread) if spread else (_SCALE,)
    # The model itself did cache and think as the ledger says.
    caches = (
        (True, False) if not same and (usage.cached_input_tokens or usage.cache_write_tokens) else (True,)
    )
    thoughts = (
        (True, False) if not same and usage.reasoning_tokens and target.reasons is not True else (True,)
    )
    for case in product(percents, caches, thoughts, range(reachable + 1)):
        yield _Case(*case)


def _cost(usage: TokenUsage, case: _Case, target: PricedTarget) -> int:
    """In hundredths of millionths of a nano-unit."""
    price = target.tiers[case.tier][1]
    if not case.cached:
        usage = replace(usage, cached_input_tokens=0, cache_write_tokens=0)
    if not case.with_reasoning:
        output = usage.output_tokens - usage.reasoning_tokens
        usage = replace(
            usage, output_tokens=output, output_audio_tokens=min(usage.output_audio_tokens, output)
        )
    counts: dict[str, Any] = {name: getattr(usage, name) * case.percent for name in _COUNTS}
    return _millionths(price, TokenUsage(**counts))


def _millionths(price: Price, usage: TokenUsage) -> int:
    try:
        return token_millionths(price, usage)
    except ValueError:
        # Cached audio: which of its two prices holds nobody can tell, so it counts as audio.
        return token_millionths(price, replace(usage, cached_input_tokens=0, cache_write_tokens=0))


def _moved(costs: dict[_Case, int]) -> set[Assumption]:
    """Which unknowns make a difference, all else being equal."""
    names: Sequence[tuple[str, Assumption]] = (
        ("percent", Assumption.TOKENIZER),
        ("cached", Assumption.CACHE),
        ("with_reasoning", Assumption.REASONING),
        ("tier", Assumption.TIERS),
    )
    first = next(iter(costs))
    found: set[Assumption] = set()
    for name, assumption in names:
        alike = {case: replace(case, **{name: getattr(first, name)}) for case in costs}
        if any(costs[case] != costs[other] for case, other in alike.items()):
            found.add(assumption)
    return found
