"""Circuit breakers: a provider that fails again and again is left alone for a while."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.errors import AppError, ErrorKind
from core.i18n import N_

_OPEN = N_(
    "{provider} failed {n} times in a row; AIHub asks it again in {seconds} s. Wait, or pick another model."
)


@dataclass(frozen=True, slots=True)
class BreakerState:
    """How a provider fares with one key. `failures`: in a row, now. `until`: when it is asked again, aware."""

    open: bool = False
    until: datetime | None = None
    failures: int = 0


CLOSED = BreakerState()


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """A breaker opens after `failures` in a row within `within_seconds`, and stays open for `open_seconds`.

    They must also have taken `span_seconds`, or a key that is asked a hundred times a second would be left
    alone after five failures that came together by chance.
    """

    failures: int = 5
    within_seconds: float = 30.0
    open_seconds: float = 15.0
    span_seconds: float = 1.0


class _Breaker:
    __slots__ = ("failures", "open_until", "probing")

    def __init__(self) -> None:
        self.failures: list[float] = []  # when, oldest first
        self.open_until: float | None = None
        self.probing: object = None  # the passage that tries whether it works again


class Breakers:
    """The breakers of all providers, one for each of their keys. From any thread.

    `clock`: monotonic seconds.
    """

    def __init__(
        self, policy: BreakerPolicy | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._policy = policy or BreakerPolicy()
        self._clock = clock
        self._breakers: dict[tuple[str, str], _Breaker] = {}
        self._lock = threading.Lock()

    def state(self, provider: str, key_ref: str) -> BreakerState:
        """How the provider fares with that key, for a page."""
        with self._lock:
            breaker = self._breakers.get((provider, key_ref))
            if breaker is None:
                return CLOSED
            if breaker.open_until is None:
                return BreakerState(failures=len(breaker.failures))
            left = max(0.0, breaker.open_until - self._clock())
            return BreakerState(True, datetime.now(UTC) + timedelta(seconds=left), len(breaker.failures))

    def open_by_provider(self) -> dict[str, int]:
        """For each provider with a failure in a row: how many of its keys are left alone just now, 0 for none."""
        counts: dict[str, int] = {}
        with self._lock:
            for (provider, _key_ref), breaker in self._breakers.items():
                counts[provider] = counts.get(provider, 0) + (breaker.open_until is not None)
        return counts

    def check(self, provider: str, key_ref: str, label: str) -> None:
        """AppError(CIRCUIT_OPEN) while the provider, called `label`, is left alone."""
        if self._breakers:
            with self._lock:
                self._refuse_while_open(provider, key_ref, label)

    def enter(self, provider: str, key_ref: str, label: str) -> "Passage":
        """Before each attempt. AppError as in `check`; after the pause one attempt goes through to probe."""
        passage = Passage(self, (provider, key_ref))
        if self._breakers:
            with self._lock:
                breaker = self._refuse_while_open(provider, key_ref, label)
                if breaker is not None and breaker.open_until is not None:
                    breaker.probing = passage
        return passage

    def _refuse_while_open(self, provider: str, key_ref: str, label: str) -> _Breaker | None:
        breaker = self._breakers.get((provider, key_ref))
        if breaker is None or breaker.open_until is None:
            return breaker
        left = breaker.open_until - self._clock()
        if left > 0 or breaker.probing is not None:
            seconds = max(1, -int(-left // 1))
            raise AppError(
                ErrorKind.CIRCUIT_OPEN, _OPEN, provider=label, n=len(breaker.failures), seconds=seconds
            )
        return breaker

    def _answered(self, key: tuple[str, str]) -> None:
        if key in self._breakers:
            with self._lock:
                self._breakers.pop(key, None)

    def _failed(self, key: tuple[str, str], passage: "Passage") -> None:
        policy, now = self._policy, self._clock()
        with self._lock:
            breaker = self._breakers.setdefault(key, _Breaker())
            if breaker.probing is passage:
                breaker.probing = None
                breaker.failures.append(now)
                breaker.open_until = now + policy.open_seconds
            elif breaker.open_until is None:
                recent = [moment for moment in breaker.failures if now - moment < policy.within_seconds]
                breaker.failures = [*recent, now]
                if len(recent) + 1 >= policy.failures and now - breaker.failures[0] >= policy.span_seconds:
                    breaker.open_until = now + policy.open_seconds

    def _left(self, key: tuple[str, str], passage: "Passage") -> None:
        with self._lock:
            breaker = self._breakers.get(key)
            if breaker is not None and breaker.probing is passage:
                breaker.probing = None


class Passage:
    """One attempt on its way through a breaker; the first of its three verbs counts."""

    __slots__ = ("_breakers", "_key", "_over")

    def __init__(self, breakers: Breakers, key: tuple[str, str]) -> None:
        self._breakers = breakers
        self._key = key
        self._over = False

    def answered(self) -> None:
        """The provider answered, be it with a refusal: it is there."""
        if not self._over:
            self._over = True
            self._breakers._answered(self._key)  # pyright: ignore[reportPrivateUsage]

    def failed(self) -> None:
        """It failed in a way that passes."""
        if not self._over:
            self._over = True
            self._breakers._failed(self._key, self)  # pyright: ignore[reportPrivateUsage]

    def left(self) -> None:
        """The attempt ended and nobody knows, because it was stopped or met a rate limit: another may probe."""
        if not self._over:
            self._over = True
            self._breakers._left(self._key, self)  # pyright: ignore[reportPrivateUsage]
