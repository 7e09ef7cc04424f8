"""AIHub's own rate limits: through the engine, and shared between processes through Redis."""

import asyncio
import logging
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis as AsyncRedis

from core.errors import AppError, ErrorKind
from core.generation.limit_log import Refused, Wish
from core.generation.limit_redis import SharedLimits
from core.generation.limiter import RateLimiter
from core.generation.limits import NO_LIMITS, Limits, LimitSettings
from core.generation.types import WaitReason
from core.pricing.types import Money
from core.providers.types import TokenUsage
from core.store.unit_of_work import UnitOfWork
from core.usage.types import CallStatus
from tests.fakes.gemini_server import GeminiServer, usage
from tests.fakes.script import Script
from tests.support.lab import Lab, ended, open_lab
from tests.support.people import ADMIN
from tests.support.server import free_port
from tests.support.store import migrated

# --- the settings ---


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    yield unit
    unit.close()


def test_limits_are_kept_changed_and_taken_away(unit: UnitOfWork) -> None:
    settings = LimitSettings(unit)
    assert settings.get("gemini") == NO_LIMITS
    settings.set(ADMIN, "gemini", Limits(requests_per_minute=60))
    settings.set(ADMIN, "local", Limits(concurrent_streams=1))
    settings.set(ADMIN, "gemini", Limits(tokens_per_minute=30_000))
    assert LimitSettings(unit).all() == {
        "gemini": Limits(tokens_per_minute=30_000),
        "local": Limits(concurrent_streams=1),
    }
    settings.set(ADMIN, "gemini", NO_LIMITS)
    assert settings.all().keys() == {"local"}


@pytest.mark.parametrize("value", [0, -1, 2**31])
def test_a_limit_that_cannot_be_is_refused(unit: UnitOfWork, value: int) -> None:
    with pytest.raises(AppError, match="whole number from 1") as refused:
        LimitSettings(unit).set(ADMIN, "gemini", Limits(requests_per_minute=value))
    assert refused.value.kind is ErrorKind.VALIDATION


def test_what_another_process_set_is_known_soon_and_without_waiting(unit: UnitOfWork) -> None:
    now = [0.0]
    here, elsewhere = LimitSettings(unit, lambda: now[0]), LimitSettings(unit)
    elsewhere.set(ADMIN, "gemini", Limits(requests_per_minute=9))

    async def calls() -> list[Limits]:
        seen = [here.known("gemini")]
        now[0] += 2.5
        seen.append(here.known("gemini"))
        reading = here._refreshing
        assert reading is not None
        await reading
        return [*seen, here.known("gemini")]

    assert asyncio.run(calls()) == [NO_LIMITS, NO_LIMITS, Limits(requests_per_minute=9)]


# --- through the engine ---


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer() as server:
        yield server


def in_seconds(window: float) -> Callable[[LimitSettings], RateLimiter]:
    """A limiter whose minute is that short."""
    return lambda settings: RateLimiter(settings, window_seconds=window)


@pytest.fixture
def lab(database_url: str, tmp_path: Path, server: GeminiServer) -> Iterator[Lab]:
    with open_lab(database_url, tmp_path, server.url, limiter=in_seconds(60)) as lab:
        yield lab


def test_a_request_beyond_the_limit_waits_its_time(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    with open_lab(database_url, tmp_path, server.url, limiter=in_seconds(1)) as lab:
        lab.ask()  # loads the SDK
        lab.limits.set(ADMIN, "gemini", Limits(requests_per_minute=2))
        # From before the first one: the window begins when that goes out, and the others may start later.
        began = time.monotonic()
        after: list[float] = []
        for each in [lab.start() for _ in range(5)]:
            assert ended(each).status is CallStatus.COMPLETED
            after.append(time.monotonic() - began)
    assert after[2] >= 1
    assert after[4] >= 2


def test_the_wait_is_shown_is_fair_and_can_be_stopped(lab: Lab, server: GeminiServer) -> None:
    lab.limits.set(ADMIN, "gemini", Limits(concurrent_streams=1))
    server.queue(Script(chunks=["first"], hang_after=1))
    first = lab.start()
    server.wait_for(lambda: server.asked)
    second, third = lab.start("second"), lab.start("third")
    for waiter in (second, third):
        for _ in waiter.follow():
            if waiter.waiting is not None:
                break
        assert waiter.waiting is not None
        assert (waiter.waiting.reason, waiter.waiting.until) == (WaitReason.CONCURRENCY, None)
    assert lab.engine.stop(second.request.request_id)
    assert (ended(second).status, ended(second).attempts) == (CallStatus.STOPPED, 0)
    # It was never sent.
    assert (ended(second).usage, ended(second).cost.amount) == (TokenUsage(), Money(0, "USD"))
    assert len(server.asked) == 1
    server.release()
    assert (ended(first).text, ended(third).text) == ("first", "Hello, world!")
    assert third.waiting is None


def test_a_limit_that_is_raised_lets_those_through_who_wait(lab: Lab, server: GeminiServer) -> None:
    lab.limits.set(ADMIN, "gemini", Limits(concurrent_streams=1))
    server.queue(Script(chunks=["first"], hang_after=1))
    first = lab.start()
    server.wait_for(lambda: server.asked)
    second = lab.start("second")
    for _ in second.follow():
        if second.waiting is not None:
            break
    lab.limits.set(ADMIN, "gemini", Limits(concurrent_streams=2))
    assert ended(second).text == "Hello, world!"
    assert not first.done
    server.release()
    assert ended(first).text == "first"


def test_who_came_first_goes_first(lab: Lab, server: GeminiServer) -> None:
    lab.limits.set(ADMIN, "gemini", Limits(concurrent_streams=1))
    server.queue(Script(hang_after=0))
    running = [lab.start(f"number {n}") for n in range(6)]
    server.wait_for(lambda: server.asked)
    server.release()
    for each in running:
        ended(each)
    said = [request.body["contents"][0]["parts"][0]["text"] for request in server.asked]
    assert said == [f"number {n}" for n in range(6)]


def test_a_wait_ends_at_the_deadline_and_says_whose_limit_it_was(lab: Lab, server: GeminiServer) -> None:
    lab.ask()
    lab.limits.set(ADMIN, "gemini", Limits(requests_per_minute=1))
    lab.ask()
    outcome = lab.ask(deadline_seconds=0.3)
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.attempts) == (ErrorKind.RATE_LIMIT, 0)
    assert "AIHub's own rate limit for Gemini" in str(outcome.error)
    assert "Models page" in str(outcome.error)
    assert len(server.asked) == 2


def test_a_request_that_can_never_fit_fails_at_once(lab: Lab, server: GeminiServer) -> None:
    lab.limits.set(ADMIN, "gemini", Limits(tokens_per_minute=100))
    outcome = lab.ask(max_output_tokens=500)
    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.RATE_LIMIT
    assert "100 tokens a minute" in str(outcome.error)
    assert server.asked == []
    # Without a limit of its own it may take what there is.
    assert lab.ask().status is CallStatus.COMPLETED


def test_tokens_are_charged_as_used_and_not_as_reserved(lab: Lab, server: GeminiServer) -> None:
    lab.limits.set(ADMIN, "gemini", Limits(tokens_per_minute=2_000))
    server.default = Script(usage=usage(prompt=100, output=100))
    for _ in range(10):
        assert lab.ask(max_output_tokens=150, deadline_seconds=20).status is CallStatus.COMPLETED
    refused = lab.ask(max_output_tokens=150, deadline_seconds=0.3)
    assert refused.error is not None
    assert refused.error.kind is ErrorKind.RATE_LIMIT


def test_no_more_streams_at_once_than_the_limit(lab: Lab, server: GeminiServer) -> None:
    lab.limits.set(ADMIN, "gemini", Limits(concurrent_streams=3))
    server.default = Script(hang_after=0)
    running = [lab.start() for _ in range(8)]
    server.wait_for(lambda: len(server.asked) == 3)
    server.default = Script()
    server.release()
    assert [ended(each).status for each in running] == [CallStatus.COMPLETED] * 8
    assert len(server.asked) == 8


# --- Redis ---


class Redis:
    """A Redis server of our own, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen(["redis-server", *options], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert any(b"Ready to accept" in line for line in self._process.stdout), "Redis did not start"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    try:
        server.start()
    except FileNotFoundError:
        pytest.skip("no redis-server on this machine (on Debian: apt-get install redis-server)")
    yield server
    server.stop()


class Shared:
    """Stores as several processes would have them."""

    def __init__(self, redis: Redis, **options: Any) -> None:
        self.now = 0.0
        self.stores = [SharedLimits(redis.url, clock=lambda: self.now, **options) for _ in range(2)]

    def run(self, steps: Callable[[SharedLimits, SharedLimits], Any]) -> Any:
        async def both() -> Any:
            try:
                return await steps(*self.stores)
            finally:
                for store in self.stores:
                    await store.aclose()

        return asyncio.run(both())


def wish(lease: str, limits: Limits, tokens: int = 0) -> Wish:
    return Wish("gemini:key", lease, limits, tokens)


needs_redis = pytest.mark.redis


@needs_redis
def test_two_processes_share_one_limit_of_requests(redis: Redis) -> None:
    limits = Limits(requests_per_minute=3)

    async def steps(one: SharedLimits, other: SharedLimits) -> list[Refused | None]:
        stores = [one, other, one, other, one]
        return [await store.acquire(wish(str(n), limits)) for n, store in enumerate(stores)]

    answers = Shared(redis).run(steps)
    assert answers[:3] == [None, None, None]
    for refused in answers[3:]:
        assert refused.reason is WaitReason.RATE_LIMIT
        assert 55 < refused.seconds <= 60.6


@needs_redis
def test_tokens_are_given_back_across_processes(redis: Redis) -> None:
    limits = Limits(tokens_per_minute=1_000)

    async def steps(one: SharedLimits, other: SharedLimits) -> list[Refused | None]:
        first = wish("a", limits, 900)
        answers = [await one.acquire(first), await other.acquire(wish("b", limits, 200))]
        await one.release(first, 300)
        answers += [await other.acquire(wish("b", limits, 700)), await one.acquire(wish("c", limits, 1))]
        return answers

    got = Shared(redis).run(steps)
    assert [answer is None for answer in got] == [True, False, True, False]


@needs_redis
def test_the_window_in_redis_slides(redis: Redis) -> None:
    limits = Limits(requests_per_minute=1, tokens_per_minute=10)

    async def steps(one: SharedLimits, other: SharedLimits) -> tuple[Refused | None, ...]:
        first, second = await one.acquire(wish("a", limits, 10)), await other.acquire(wish("b", limits, 10))
        async with asyncio.timeout(20):
            while (refused := await other.acquire(wish("b", limits, 10))) is not None:
                # Each time there is less to wait.
                assert refused.seconds is not None
                assert 0 < refused.seconds <= 0.303
                await asyncio.sleep(refused.seconds)
        return first, second

    first, second = Shared(redis, window_seconds=0.3).run(steps)
    assert first is None
    assert second is not None


@needs_redis
def test_a_process_that_died_gives_its_streams_back(redis: Redis) -> None:
    limits = Limits(concurrent_streams=1)

    async def lease_end() -> float:
        async with AsyncRedis.from_url(redis.url) as client:
            return await client.zscore("aihub:{gemini:key}:running", "a") or 0.0

    async def steps(one: SharedLimits, other: SharedLimits) -> None:
        assert await one.acquire(wish("a", limits)) is None
        first = await lease_end()
        async with asyncio.timeout(20):
            # Longer than a lease: the living process renews it.
            while await lease_end() < first + 1_000_000:
                assert await other.acquire(wish("b", limits)) == Refused(WaitReason.CONCURRENCY, 0.25)
            await one.aclose()  # it renews no more, as if it had been killed
            while await other.acquire(wish("b", limits)) is not None:
                pass
        await other.release(wish("b", limits), None)
        assert await other.acquire(wish("c", limits)) is None

    Shared(redis, lease_seconds=0.5).run(steps)


@needs_redis
def test_without_redis_each_process_counts_for_itself_and_says_so_once(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    limits = Limits(requests_per_minute=2)
    shared = Shared(redis)
    caplog.set_level(logging.WARNING, "core.generation")

    async def steps(one: SharedLimits, other: SharedLimits) -> None:
        assert await one.acquire(wish("a", limits)) is None
        redis.stop()
        # What Redis let through before is still known here.
        assert await one.acquire(wish("b", limits)) is None
        assert await one.acquire(wish("c", limits)) is not None
        assert await other.acquire(wish("d", limits)) is None
        assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
        redis.start()
        shared.now += 6
        assert await one.acquire(wish("e", limits)) is None
        assert "answers again" in caplog.records[-1].getMessage()

    shared.run(steps)
    assert str(redis.port) not in caplog.text


@needs_redis
def test_the_engine_counts_in_redis(
    redis: Redis, database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    def limiter(settings: LimitSettings) -> RateLimiter:
        return RateLimiter(settings, redis.url)

    with open_lab(database_url, tmp_path, server.url, limiter=limiter) as lab:
        lab.limits.set(
            ADMIN, "gemini", Limits(requests_per_minute=2, tokens_per_minute=50_000, concurrent_streams=1)
        )
        assert [lab.ask().status for _ in range(2)] == [CallStatus.COMPLETED] * 2
        refused = lab.ask(deadline_seconds=0.3)
    assert refused.error is not None
    assert refused.error.kind is ErrorKind.RATE_LIMIT
