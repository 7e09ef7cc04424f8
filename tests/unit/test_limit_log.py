"""The sliding-window log in memory, by a clock that the test moves."""

import asyncio
import random

import pytest

from core.generation.limit_log import MemoryLimits, Refused, Wish
from core.generation.limits import Limits
from core.generation.types import WaitReason

WINDOW = 60.6  # a minute and the margin


class Log:
    """MemoryLimits with a clock, spoken to without awaiting."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._names = iter(range(10**6))
        self._log = MemoryLimits(60.0, lambda: self.now)

    def wish(self, limits: Limits, tokens: int = 0, key: str = "k") -> Wish:
        return Wish(key, str(next(self._names)), limits, tokens)

    def acquire(self, wish: Wish) -> Refused | None:
        return asyncio.run(self._log.acquire(wish))

    def release(self, wish: Wish, used: int | None = None) -> None:
        asyncio.run(self._log.release(wish, used))


@pytest.fixture
def log() -> Log:
    return Log()


def test_requests_are_let_through_until_the_limit_and_again_when_the_oldest_has_left(log: Log) -> None:
    limits = Limits(requests_per_minute=2)
    for _ in range(2):
        assert log.acquire(log.wish(limits)) is None
        log.now += 10
    refused = log.acquire(log.wish(limits))
    assert refused is not None
    assert refused.reason is WaitReason.RATE_LIMIT
    assert refused.seconds == pytest.approx(WINDOW - 20)
    log.now += WINDOW - 20
    assert log.acquire(log.wish(limits)) is None
    assert log.acquire(log.wish(limits)) is not None


def test_reserved_tokens_are_given_back_when_fewer_were_used(log: Log) -> None:
    limits = Limits(tokens_per_minute=1_000)
    first = log.wish(limits, 900)
    assert log.acquire(first) is None
    second = log.wish(limits, 200)
    refused = log.acquire(second)
    assert refused is not None
    assert refused.seconds == pytest.approx(WINDOW)
    log.release(first, 800)
    assert log.acquire(second) is None
    log.release(second)  # nobody knows what it used: what was reserved stands
    assert log.acquire(log.wish(limits, 1)) is not None


def test_the_wait_is_for_enough_tokens_not_for_the_first_ones(log: Log) -> None:
    limits = Limits(tokens_per_minute=100)
    for tokens in (10, 80, 10):
        assert log.acquire(log.wish(limits, tokens)) is None
        log.now += 5
    refused = log.acquire(log.wish(limits, 50))
    assert refused is not None
    assert refused.seconds == pytest.approx(WINDOW - 10)


def test_streams_are_free_again_when_they_end_and_not_before(log: Log) -> None:
    limits = Limits(concurrent_streams=1)
    first, second = log.wish(limits), log.wish(limits)
    assert log.acquire(first) is None
    log.now += 600
    assert log.acquire(second) == Refused(WaitReason.CONCURRENCY)
    log.release(first)
    assert log.acquire(second) is None


def test_keys_do_not_share_a_limit(log: Log) -> None:
    limits = Limits(requests_per_minute=1)
    assert log.acquire(log.wish(limits, key="a")) is None
    assert log.acquire(log.wish(limits, key="b")) is None
    assert log.acquire(log.wish(limits, key="a")) is not None


def test_a_refusal_charges_nothing(log: Log) -> None:
    both = Limits(requests_per_minute=10, tokens_per_minute=10)
    assert log.acquire(log.wish(both, 8)) is None
    for _ in range(20):
        assert log.acquire(log.wish(both, 8)) is not None
    assert log.acquire(log.wish(both, 2)) is None


@pytest.mark.parametrize("seed", range(5))
def test_no_minute_ever_has_more_than_the_limits(log: Log, seed: int) -> None:
    rng = random.Random(seed)
    limits = Limits(requests_per_minute=30, tokens_per_minute=2_000)
    through: list[tuple[float, int]] = []
    for _ in range(2_000):
        log.now += rng.expovariate(1.0)
        reserved = rng.randrange(1, 200)
        wish = log.wish(limits, reserved)
        if log.acquire(wish) is None:
            used = rng.randrange(0, reserved + 1)
            log.release(wish, used)
            through.append((log.now, used))
    assert len(through) > 500
    for at, _ in through:
        minute = [used for moment, used in through if at <= moment < at + 60]
        assert len(minute) <= 30
        assert sum(minute) <= 2_000
