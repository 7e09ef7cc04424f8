"""AIHub's own rate limits: an attempt waits in line until its key may be asked once more."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import anyio

from core.errors import AppError, ErrorKind
from core.generation.limit_log import LimitStore, MemoryLimits, Refused, Wish
from core.generation.limit_redis import SharedLimits
from core.generation.limits import NO_LIMITS, Limits, LimitSettings
from core.generation.types import Waiting, WaitReason, longest_output
from core.i18n import N_
from core.providers.credentials import Route
from core.providers.estimate import estimate_prompt_tokens
from core.providers.types import ModelRequest

# At least this often the head of a line looks again: tokens are given back, by other processes as well.
_LOOK_SECONDS = 1.0

Notify = Callable[[Waiting | None], None]

_WAITED = {
    WaitReason.RATE_LIMIT: N_(
        "AIHub's own rate limit for {provider} held this request back for too long. Raise the limit on the "
        "Models page, or try again later."
    ),
    WaitReason.CONCURRENCY: N_(
        "AIHub's own limit of answers at once for {provider} held this request back for too long. Raise the "
        "limit on the Models page, or try again later."
    ),
}
_TOO_LARGE = N_(
    "This request may take {tokens} tokens, and AIHub's own limit for {provider} is {limit} tokens a minute. "
    "Shorten it, allow a shorter answer, or raise the limit on the Models page."
)


def waited_too_long(provider: str, reason: WaitReason) -> AppError:
    """The failure of a call whose time ran out while it stood in line for the provider of that name."""
    return AppError(ErrorKind.RATE_LIMIT, _WAITED[reason], provider=provider)


@dataclass(slots=True)
class Admission:
    """An attempt that may go out. Set `used` to the tokens it really took; None leaves what was reserved."""

    used: int | None = None


@dataclass(slots=True)
class _Line:
    """Who waits for one key, first come, first served."""

    turn: anyio.Lock = field(default_factory=lambda: anyio.Lock(fast_acquire=True))
    freed: anyio.Event = field(default_factory=anyio.Event)
    waiting: Waiting | None = None  # what the head waits for, and so all behind it
    notified: dict[str, Notify] = field(default_factory=dict[str, Notify])


class RateLimiter:
    """Holds attempts back so that no sliding window of a minute has more than the limits allow.

    Counted for each provider and key; for one event loop. With `redis_url` all processes count together.
    `window_seconds` is a minute, or less in a test.
    """

    def __init__(
        self, settings: LimitSettings, redis_url: str | None = None, window_seconds: float = 60.0
    ) -> None:
        self._settings = settings
        self._store: LimitStore = (
            SharedLimits(redis_url, window_seconds) if redis_url else MemoryLimits(window_seconds)
        )
        self._lines: dict[str, _Line] = {}

    async def aclose(self) -> None:
        """Close the connections to Redis, if there are any."""
        await self._store.aclose()

    @asynccontextmanager
    async def admitted(
        self, provider: str, route: Route, completion: ModelRequest, notify: Notify
    ) -> AsyncGenerator[Admission]:
        """Wait until the request may go out; the block is the time it is on its way.

        `notify` is told what is waited for, and None when it goes out. AppError(RATE_LIMIT) at once when
        the request can never fit.
        """
        limits = self._limits(provider, route)
        admission = Admission()
        if limits == NO_LIMITS:
            # The common case costs nothing: no estimate, no store, no line.
            yield admission
            return
        tokens = _tokens(limits, completion, route.provider.info.label)
        wish = Wish(f"{provider}:{route.key_ref}", uuid4().hex, limits, tokens)
        line = self._lines.setdefault(wish.key, _Line())
        await self._wait(wish, line, notify, lambda: self._limits(provider, route))
        try:
            notify(None)
            yield admission
        finally:
            with anyio.CancelScope(shield=True):
                await self._store.release(wish, admission.used)
            line.freed.set()

    def _limits(self, provider: str, route: Route) -> Limits:
        limits = self._settings.known(provider)
        if limits.concurrent_streams is None and route.concurrent_streams is not None:
            return replace(limits, concurrent_streams=route.concurrent_streams)
        return limits

    async def _wait(self, wish: Wish, line: _Line, notify: Notify, limits_now: Callable[[], Limits]) -> None:
        if line.turn.locked():
            notify(line.waiting or Waiting(WaitReason.RATE_LIMIT))
        line.notified[wish.lease] = notify
        try:
            async with line.turn:
                await self._wait_as_head(wish, line, limits_now)
        finally:
            del line.notified[wish.lease]

    async def _wait_as_head(self, wish: Wish, line: _Line, limits_now: Callable[[], Limits]) -> None:
        while True:
            line.freed = anyio.Event()
            # Whoever raises a limit helps those who wait already.
            refused = await self._ask(_under(wish, limits_now()))
            if refused is None:
                line.waiting = None
                return
            until = None
            if refused.seconds is not None and refused.reason is WaitReason.RATE_LIMIT:
                until = datetime.now(UTC) + timedelta(seconds=refused.seconds)
            line.waiting = Waiting(refused.reason, until)
            for notify in line.notified.values():
                notify(line.waiting)
            with anyio.move_on_after(min(_LOOK_SECONDS, refused.seconds or _LOOK_SECONDS)):
                await line.freed.wait()

    async def _ask(self, wish: Wish) -> Refused | None:
        # To be cancelled between Redis's yes and hearing it would leave the yes unused for a while.
        with anyio.CancelScope(shield=True):
            return await self._store.acquire(wish)


def _under(wish: Wish, limits: Limits) -> Wish:
    """The wish as it stands under limits that may have been changed since it was made."""
    most = limits.tokens_per_minute
    return replace(wish, limits=limits, tokens=wish.tokens if most is None else min(wish.tokens, most))


def _tokens(limits: Limits, completion: ModelRequest, provider: str) -> int:
    """What to reserve: the prompt as estimated and the longest answer; 0 where tokens are not limited."""
    limit = limits.tokens_per_minute
    if limit is None:
        return 0
    prompt = estimate_prompt_tokens(completion)
    least = prompt + (completion.max_output_tokens or 0)
    if least > limit:
        raise AppError(ErrorKind.RATE_LIMIT, _TOO_LARGE, tokens=least, provider=provider, limit=limit)
    return min(limit, prompt + longest_output(completion))
