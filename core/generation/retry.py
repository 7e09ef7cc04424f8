"""Which failures pass by themselves, how long to wait for that, and which ones another model may not have."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import AppError, ErrorKind

# What the next model of a chain may do better. VALIDATION, SAFETY and INVALID_CONTEXT are about the request.
_ABOUT_THE_PROVIDER = frozenset(
    {
        ErrorKind.RATE_LIMIT,
        ErrorKind.CIRCUIT_OPEN,
        ErrorKind.BILLING,
        ErrorKind.NO_KEY,
        ErrorKind.WRONG_KEY,
        ErrorKind.UNKNOWN_MODEL,
    }
)
# The provider may have worked on such an attempt, and then charges it, though nothing came back.
MAY_BE_CHARGED = frozenset({ErrorKind.TIMEOUT, ErrorKind.CUT_STREAM})


def passes(error: AppError) -> bool:
    """Whether a failure before the first token may be gone when the provider is asked again."""
    status = _status(error)
    match error.kind:
        case ErrorKind.RATE_LIMIT | ErrorKind.TIMEOUT | ErrorKind.CUT_STREAM:
            return True
        case ErrorKind.PROVIDER:
            return status == 408 or status >= 500
        case ErrorKind.UNREACHABLE:
            # A connection that broke or was refused says what happened; a malformed address or one where
            # something else is served stays what it is.
            return not status and "detail" in error.params
        case _:
            return False


def counts_against_provider(error: AppError) -> bool:
    """Whether a failure says that the provider is down, for its circuit breaker. A rate limit does not."""
    return passes(error) and error.kind is not ErrorKind.RATE_LIMIT


def another_may_answer(error: AppError) -> bool:
    """Whether the next model of a fallback chain is worth asking after this failure."""
    return passes(error) or error.kind in _ABOUT_THE_PROVIDER


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to ask again: exponential backoff with full jitter, between 0 and min(cap, base · 2ⁿ) seconds.

    With the defaults a call is asked at most six times, within some 8 s on average (16 s at most) of
    waiting. A provider that names its own time (Retry-After) is asked exactly then. `unreachable_retries`
    in a row are enough for a server that cannot be reached: most often nobody started it.
    """

    retries: int = 5
    base_seconds: float = 0.5
    cap_seconds: float = 20.0
    unreachable_retries: int = 2
    random: Callable[[], float] = random.random

    def pause(self, failures: Sequence[AppError]) -> float | None:
        """Seconds to wait after the last of these `failures` (of one model, oldest first); None: give up."""
        error = failures[-1]
        if len(failures) > self.retries or not passes(error):
            return None
        latest = failures[-self.unreachable_retries - 1 :]
        if len(latest) > self.unreachable_retries and all(e.kind is ErrorKind.UNREACHABLE for e in latest):
            return None
        stated = retry_after(error)
        if stated is not None:
            return stated
        return self.random() * min(self.cap_seconds, self.base_seconds * 2 ** (len(failures) - 1))


def retry_after(error: AppError) -> float | None:
    """The seconds after which the provider wants to be asked again, where it said so."""
    seconds = error.params.get("seconds")
    # `seconds` without a status is how long the provider had been silent.
    return float(seconds) if isinstance(seconds, int) and _status(error) else None


def _status(error: AppError) -> int:
    status = error.params.get("status")
    return status if isinstance(status, int) else 0
