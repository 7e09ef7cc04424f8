"""A small table kept in memory, because it is asked for at every call."""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from core.errors import AppError

REFRESH_SECONDS = 2.0
"""How old what another process wrote can be before it is seen here."""

_logger = logging.getLogger(__name__)
_Value = TypeVar("_Value")


class Fresh(Generic[_Value]):
    """A value that is read again when its version changed. Thread-safe.

    `version` and `load` read the database; the version is asked for at most every REFRESH_SECONDS, and at
    once after `expire`. `clock`: monotonic seconds.
    """

    def __init__(
        self,
        version: Callable[[], Hashable],
        load: Callable[[], _Value],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._version = version
        self._load = load
        self._clock = clock
        self._reading = threading.Lock()
        self._held: tuple[Hashable, _Value] | None = None
        self._read_at = 0.0
        self._expired = 0  # counts what this process wrote
        self._seen = 0  # of these, those that `_held` has

    def expire(self) -> None:
        """This process wrote: the next `get` reads again."""
        self._expired += 1

    def peek(self) -> _Value | None:
        """The value while it is as good as `get` would give it; None when that would have to read."""
        # Before what is held, as in `get`.
        current = self._seen == self._expired
        held = self._held
        if held is not None and current and self._clock() - self._read_at < REFRESH_SECONDS:
            return held[1]
        return None

    def get(self) -> _Value:
        """The value; AppError when the database could not be read and nothing held is good enough."""
        # In this order: what is held when its count is right is at least as new as that count.
        current = self._seen == self._expired
        held = self._held
        if held is not None and current and self._clock() - self._read_at < REFRESH_SECONDS:
            return held[1]
        # Whoever only finds the value old need not wait for another one who is reading it.
        if not self._reading.acquire(blocking=held is None or not current):
            assert held is not None
            return held[1]
        try:
            return self._read_again()
        finally:
            self._reading.release()

    def _read_again(self) -> _Value:
        held, expired = self._held, self._expired
        try:
            version = self._version()
            if held is None or held[0] != version or self._seen != expired:
                held = (version, self._load())
        except AppError as error:
            if held is None or self._seen != expired:
                raise
            _logger.warning("what is kept in memory could not be read again: %s", error)
        self._held = held
        self._read_at = self._clock()
        self._seen = expired
        return held[1]
