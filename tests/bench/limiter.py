"""The rate limiter under load: how near it comes to a limit without ever passing it.

A minute would be a long wait, so the limiter gets windows of 2 seconds; nothing else about it changes. Hundreds of
calls want to go out all the time. What counts is measured outside of the limiter: the most that went out within any
2 seconds, and how much of the limit was used from the first window to the last.
"""

import asyncio
import random
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

from core.generation.limiter import RateLimiter
from core.generation.limits import Limits, LimitSettings
from core.generation.types import Waiting
from core.providers.credentials import Route
from core.providers.demo import DemoProvider
from core.providers.estimate import estimate_prompt_tokens
from core.providers.types import ChatMessage, CompletionRequest, Role
from core.store.unit_of_work import UnitOfWork
from tests.bench.figures import Bench, Figure, say
from tests.bench.ledgers import new_unit
from tests.support.people import ADMIN

_WINDOW = 2.0
_WINDOWS = 6
_CALLERS = 200
_REQUESTS, _TOKENS = 300, 100_000
_LONGEST = 1_000  # tokens of an answer
_MOST_OF_LIMIT, _LEAST_USED = 100, 95

_Sent = list[tuple[float, int]]
"""When a call went out, and what it used of its limit."""


def run(folder: Path) -> Iterator[Figure]:
    unit = new_unit(folder / "data")
    try:
        by_requests = asyncio.run(_load(unit, Limits(requests_per_minute=_REQUESTS), lambda tokens: 1))
        by_tokens = asyncio.run(_load(unit, Limits(tokens_per_minute=_TOKENS), lambda tokens: tokens))
    finally:
        unit.close()
    figures = [_judge(by_requests, _REQUESTS, "requests"), _judge(by_tokens, _TOKENS, "tokens")]
    most, used = max(most for most, _ in figures), min(used for _, used in figures)
    yield Figure("limiter.most_in_60s_of_limit.scaled_to_2s", most, "%", _MOST_OF_LIMIT)
    yield Figure("limiter.used_of_limit.scaled_to_2s", used, "%", _LEAST_USED, at_least=True)


async def _load(unit: UnitOfWork, limits: Limits, cost: Callable[[int], int]) -> _Sent:
    settings = LimitSettings(unit)
    settings.set(ADMIN, "demo", limits)
    limiter = RateLimiter(settings, window_seconds=_WINDOW)
    route = Route(DemoProvider(), "0123456789abcdef")
    completion = CompletionRequest("demo", (ChatMessage(Role.USER, "Hello"),), max_output_tokens=_LONGEST)
    prompt = estimate_prompt_tokens(completion)
    rng, sent = random.Random(1), _Sent()
    until = time.monotonic() + _WINDOWS * _WINDOW

    def ignore(_: Waiting | None) -> None:
        pass

    async def caller() -> None:
        while time.monotonic() < until:
            async with limiter.admitted("demo", route, completion, ignore) as admission:
                tokens = prompt + rng.randrange(1, _LONGEST)
                sent.append((time.monotonic(), cost(tokens)))
                await asyncio.sleep(rng.uniform(0.005, 0.05))
                admission.used = tokens

    await asyncio.gather(*(caller() for _ in range(_CALLERS)))
    await limiter.aclose()
    return [each for each in sent if each[0] < until]


def _judge(sent: _Sent, limit: int, what: str) -> tuple[float, float]:
    """The most in any window and the use of all windows, in percent of the limit."""
    moments = [moment for moment, _ in sent]
    sums = [0, *accumulate(amount for _, amount in sent)]
    # A window that has the most begins with a call.
    most = max(
        sums[bisect_left(moments, moment + _WINDOW)] - sums[number] for number, moment in enumerate(moments)
    )
    say(f"limiter: {len(sent)} calls, {most} {what} in a window of {limit}, {sums[-1]} in {_WINDOWS} windows")
    return 100 * most / limit, 100 * sums[-1] / (limit * _WINDOWS)


BENCH = Bench(
    ("limiter.most_in_60s_of_limit.scaled_to_2s", "limiter.used_of_limit.scaled_to_2s"),
    run,
)
