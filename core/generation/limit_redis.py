"""The same log in Redis, shared by all processes; while Redis is away, each counts for itself."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from core.generation.limit_log import MARGIN, MemoryLimits, Refused, Wish
from core.generation.types import WaitReason

if TYPE_CHECKING:
    from redis.asyncio import Redis

_logger = logging.getLogger(__name__)

# A process that died gives its streams back after this long; a living one renews them three times as often.
LEASE_SECONDS = 30.0
_ASK_AGAIN_SECONDS = 5.0  # after Redis did not answer
_ANSWER_SECONDS = 1.0  # it is near, or it is away
_FOREIGN_POLL_SECONDS = 0.25  # how often to look whether another process gave a stream back

# KEYS: log (lease -> when), tokens (lease -> tokens, and their sum), running (lease -> until when).
# ARGV: window in µs, lease, requests, tokens and streams at most (0: no limit), tokens wanted, lease in µs.
# Redis's clock alone counts: those of the processes may differ.
_ACQUIRE = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local window, lease = tonumber(ARGV[1]), ARGV[2]
local requests, tokens, streams = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local wanted = tonumber(ARGV[6])
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - window)) do
    redis.call('HINCRBY', KEYS[2], 'sum', -(redis.call('HGET', KEYS[2], old) or 0))
    redis.call('HDEL', KEYS[2], old)
    redis.call('ZREM', KEYS[1], old)
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
if streams > 0 and redis.call('ZCARD', KEYS[3]) >= streams then return {2, 0} end
local n = redis.call('ZCARD', KEYS[1])
if requests > 0 and n >= requests then
    local entry = redis.call('ZRANGE', KEYS[1], n - requests, n - requests, 'WITHSCORES')
    return {1, entry[2] + window - now}
end
local excess = tonumber(redis.call('HGET', KEYS[2], 'sum') or '0') + wanted - tokens
if tokens > 0 and excess > 0 then
    local wait = window
    for position = 0, n - 1 do
        local entry = redis.call('ZRANGE', KEYS[1], position, position, 'WITHSCORES')
        excess = excess - redis.call('HGET', KEYS[2], entry[1])
        wait = entry[2] + window - now
        if excess <= 0 then break end
    end
    return {1, wait}
end
redis.call('ZADD', KEYS[1], now, lease)
redis.call('HSET', KEYS[2], lease, wanted)
redis.call('HINCRBY', KEYS[2], 'sum', wanted)
redis.call('ZADD', KEYS[3], now + ARGV[7], lease)
for _, key in ipairs(KEYS) do
    redis.call('PEXPIRE', key, math.ceil((window + ARGV[7]) / 1000))
end
return {0, 0}
"""
# ARGV: lease, tokens used (-1: what was reserved stands).
_RELEASE = """
redis.call('ZREM', KEYS[3], ARGV[1])
local had = redis.call('HGET', KEYS[2], ARGV[1])
if had and tonumber(ARGV[2]) >= 0 then
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
    redis.call('HINCRBY', KEYS[2], 'sum', ARGV[2] - had)
end
return 0
"""
# KEYS: running. ARGV: lease in µs, leases.
_RENEW = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
for position = 2, #ARGV do
    redis.call('ZADD', KEYS[1], 'XX', now + ARGV[1], ARGV[position])
end
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1] / 500))
return 0
"""


class SharedLimits:
    """A LimitStore for one event loop. Without Redis it goes on with this process's own log."""

    def __init__(
        self,
        url: str,
        window_seconds: float = 60.0,
        lease_seconds: float = LEASE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`url` may hold a password: it is never logged. `clock`: monotonic seconds."""
        self._url = url
        self._window = round(window_seconds * (1 + MARGIN) * 1_000_000)
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._memory = MemoryLimits(window_seconds, clock)
        self._redis: Redis | None = None
        self._away_until: float | None = None
        self._held: dict[str, set[str]] = {}  # key -> leases of this process in Redis
        self._heart: asyncio.Task[None] | None = None

    async def acquire(self, wish: Wish) -> Refused | None:
        """See LimitStore."""
        limits = wish.limits
        answer = await self._ask(
            _ACQUIRE,
            _keys(wish.key),
            self._window,
            wish.lease,
            limits.requests_per_minute or 0,
            limits.tokens_per_minute or 0,
            limits.concurrent_streams or 0,
            wish.tokens,
            round(self._lease_seconds * 1_000_000),
        )
        if answer is None:
            return await self._memory.acquire(wish)
        code, microseconds = cast("list[int]", answer)
        if code == 0:
            self._memory.note(wish)
            self._held.setdefault(wish.key, set()).add(wish.lease)
            if self._heart is None or self._heart.done():
                self._heart = asyncio.create_task(self._beat())
            return None
        if code == 2:
            return Refused(WaitReason.CONCURRENCY, _FOREIGN_POLL_SECONDS)
        return Refused(WaitReason.RATE_LIMIT, microseconds / 1_000_000)

    async def release(self, wish: Wish, used: int | None) -> None:
        """See LimitStore."""
        await self._memory.release(wish, used)
        held = self._held.get(wish.key, set())
        if wish.lease in held:
            held.discard(wish.lease)
            # Should Redis be away just now, the lease runs out by itself.
            await self._ask(_RELEASE, _keys(wish.key), wish.lease, -1 if used is None else used)

    async def aclose(self) -> None:
        """Stop renewing and close the connections."""
        if self._heart is not None:
            self._heart.cancel()
            with suppress(asyncio.CancelledError):
                await self._heart
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    async def _beat(self) -> None:
        while any(self._held.values()):
            await asyncio.sleep(self._lease_seconds / 3)
            for key, leases in list(self._held.items()):
                if leases:
                    lease = round(self._lease_seconds * 1_000_000)
                    await self._ask(_RENEW, _keys(key)[2:], lease, *leases)

    async def _ask(self, script: str, keys: list[str], *arguments: str | int) -> object:
        """What a script returns; None while Redis is away, which is said once."""
        from redis.exceptions import RedisError

        if self._away_until is not None and self._clock() < self._away_until:
            return None
        try:
            answer: object = await cast("Any", self._client()).eval(script, len(keys), *keys, *arguments)
        except (RedisError, OSError) as error:
            if self._away_until is None:
                _logger.warning(
                    "Redis does not answer (%s): each process counts its rate limits for itself until it does",
                    type(error).__name__,
                )
            self._away_until = self._clock() + _ASK_AGAIN_SECONDS
            return None
        if self._away_until is not None:
            self._away_until = None
            _logger.warning("Redis answers again: rate limits are counted together")
        return answer

    def _client(self) -> "Redis":
        if self._redis is None:
            from redis.asyncio import Redis

            self._redis = cast(
                "Redis",
                cast("Any", Redis).from_url(
                    self._url,
                    socket_timeout=_ANSWER_SECONDS,
                    socket_connect_timeout=_ANSWER_SECONDS,
                    decode_responses=True,
                ),
            )
        return self._redis


def _keys(key: str) -> list[str]:
    # The braces keep the three together in a Redis cluster.
    return [f"aihub:{{{key}}}:{part}" for part in ("log", "tokens", "running")]
