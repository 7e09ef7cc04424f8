"""What the invented calls are tagged with, and what was odd about some of them: so that every chart has something."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from random import Random

from core.pricing.types import CallCost, Money
from core.providers.types import TokenUsage
from core.usage.types import Call, CallStatus

FIRST_THREAD = 10**12
"""Threads of sample data are numbered from here: far above any real one, whose title would be theirs else."""
_THREADS, _IN_THREADS = 60, 0.6
_WORK = (
    # Category, prompts, label, weight.
    ("Support", ("Answer a ticket", "Summarise a conversation"), "team=support", 34),
    ("Research", ("Compare sources", "Read a paper"), "team=analytics", 22),
    ("Marketing", ("Draft a post", "Translate a page"), "team=growth", 18),
    ("Engineering", ("Review a change", "Explain a log"), "team=platform", 20),
)
_WEIGHTS = [weight for *_names, weight in _WORK]
_TAGGED, _PROMPTED, _PROJECT = 0.8, 0.6, 0.35
_FROM_CACHE, _INTERRUPTED, _RETRIED, _FLAGGED = 0.06, 0.008, 0.05, 0.02
_CACHE_MS = 4


def enriched(calls: Iterable[Call]) -> Iterator[Call]:
    """The calls with threads and tags, a few of them from the cache, interrupted, retried or flagged."""
    rng = Random(21)  # of its own: the figures of the calls stay what they are
    for call in calls:
        work = rng.choices(_WORK, _WEIGHTS)[0]
        tags = tuple(_tags(rng, work)) if rng.random() < _TAGGED else ()
        # A few threads are long, most are short.
        thread = FIRST_THREAD + int(_THREADS * rng.random() ** 2) + 1
        yield _odd(rng, replace(call, tags=tags, thread_id=thread if rng.random() < _IN_THREADS else None))


def _tags(rng: Random, work: tuple[str, tuple[str, ...], str, int]) -> Iterator[tuple[str, str]]:
    category, prompts, team, _weight = work
    yield "category", category
    if rng.random() < _PROMPTED:
        yield "prompt", rng.choice(prompts)
    yield "label", team
    if rng.random() < _PROJECT:
        yield "label", f"project={rng.choice(('atlas', 'beacon', 'comet'))}"


def _odd(rng: Random, call: Call) -> Call:
    fate = rng.random()
    if call.status is not CallStatus.COMPLETED:
        return call
    if fate < _FROM_CACHE:
        return _from_cache(call)
    if fate < _FROM_CACHE + _INTERRUPTED:
        return replace(call, status=CallStatus.INTERRUPTED)
    if fate < _FROM_CACHE + _INTERRUPTED + _RETRIED:
        return replace(call, attempts=rng.choice((2, 2, 3)))
    # What is flagged is unpriced.
    if fate > 1 - _FLAGGED and call.cost.amount is None:
        reported = {"input_tokens": -1, "output_tokens": call.usage.output_tokens}
        usage = replace(call.usage, estimated=True)
        return replace(call, usage=usage, flag="negative input tokens", reported=reported)
    return call


def _from_cache(call: Call) -> Call:
    """Answered by AIHub's own cache: nothing was used, and what it would have cost is saved."""
    amount = call.cost.amount
    return replace(
        call,
        usage=TokenUsage(),
        cost=CallCost(Money(0, amount.currency if amount else "USD"), call.cost.source),
        saved_nano=amount.nano if amount else None,
        from_cache=True,
        attempts=0,
        latency_ms=_CACHE_MS,
        first_token_ms=_CACHE_MS,
    )
