"""A sliding-window log: what was let through in the last minute, exactly, and what is on its way.

Written here because tokens have to be given back: a call reserves what it may use at most, and most calls use
less. The strategies of the `limits` package take no cost back, and its exact one (the moving window) keeps a
list element for every single token.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from core.generation.limits import Limits
from core.generation.types import WaitReason

# A window lasts this much longer for us, so that a request which is quicker on its way than the one it waited for
# still arrives outside of that one's minute.
MARGIN = 0.01


@dataclass(frozen=True, slots=True)
class Wish:
    """One attempt that wants to go out. `key` is what limits are counted by, `lease` this attempt's own name."""

    key: str
    lease: str
    limits: Limits
    tokens: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Not yet. `seconds`: when it will be possible at the latest, None when that depends on others."""

    reason: WaitReason
    seconds: float | None = None


class LimitStore(Protocol):
    """Counts what goes out. All three limits are judged in one step: either all are charged or none."""

    async def acquire(self, wish: Wish) -> Refused | None:
        """None when it may go out, which is counted from now on."""
        ...

    async def release(self, wish: Wish, used: int | None) -> None:
        """It has ended and used so many tokens; None leaves what was reserved."""
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


@dataclass(slots=True)
class _Entry:
    at: float
    lease: str
    tokens: int


@dataclass(slots=True)
class _Log:
    entries: deque[_Entry] = field(default_factory=deque[_Entry])  # of the last window, oldest first
    by_lease: dict[str, _Entry] = field(default_factory=dict[str, _Entry])
    tokens: int = 0
    running: set[str] = field(default_factory=set[str])


class MemoryLimits:
    """The log of one process, for one event loop. `clock`: monotonic seconds."""

    def __init__(self, window_seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._window = window_seconds * (1 + MARGIN)
        self._clock = clock
        self._logs: dict[str, _Log] = {}

    async def acquire(self, wish: Wish) -> Refused | None:
        """See LimitStore."""
        now = self._clock()
        log = self._log(wish.key, now)
        limits = wish.limits
        if limits.concurrent_streams is not None and len(log.running) >= limits.concurrent_streams:
            return Refused(WaitReason.CONCURRENCY)
        requests = limits.requests_per_minute
        if requests is not None and len(log.entries) >= requests:
            return Refused(WaitReason.RATE_LIMIT, self._left(log.entries[len(log.entries) - requests], now))
        tokens = limits.tokens_per_minute
        if tokens is not None and log.tokens + wish.tokens > tokens:
            return Refused(
                WaitReason.RATE_LIMIT, self._until_free(log, log.tokens + wish.tokens - tokens, now)
            )
        self._add(log, wish, now)
        return None

    async def release(self, wish: Wish, used: int | None) -> None:
        """See LimitStore."""
        log = self._log(wish.key, self._clock())
        log.running.discard(wish.lease)
        entry = log.by_lease.get(wish.lease)
        if entry is not None and used is not None:
            log.tokens += used - entry.tokens
            entry.tokens = used

    async def aclose(self) -> None:
        """Nothing to close."""

    def note(self, wish: Wish) -> None:
        """Count what was let through elsewhere, so that it is known here when only this log is left."""
        now = self._clock()
        self._add(self._log(wish.key, now), wish, now)

    def _add(self, log: _Log, wish: Wish, now: float) -> None:
        entry = _Entry(now, wish.lease, wish.tokens)
        log.entries.append(entry)
        log.by_lease[wish.lease] = entry
        log.tokens += wish.tokens
        log.running.add(wish.lease)

    def _log(self, key: str, now: float) -> _Log:
        log = self._logs.setdefault(key, _Log())
        while log.entries and self._left(log.entries[0], now) <= 0:
            entry = log.entries.popleft()
            del log.by_lease[entry.lease]
            log.tokens -= entry.tokens
        return log

    def _left(self, entry: _Entry, now: float) -> float:
        return entry.at + self._window - now

    def _until_free(self, log: _Log, tokens: int, now: float) -> float:
        """Seconds until so many tokens have left the window."""
        for entry in log.entries:
            tokens -= entry.tokens
            if tokens <= 0:
                return self._left(entry, now)
        return self._window
