"""How much one connection, and one account, may ask of us."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager

from api.body_limit import MAX_BODY
from core.errors import AppError, ErrorKind
from core.i18n import N_

MAX_FRAME = MAX_BODY
"""Bytes of one frame: a file of 20 MB in base64, and some words."""
MAX_FIRST_FRAME = 16 * 1024
AUTH_SECONDS = 10.0
CONNECTIONS_PER_USER = 20
MESSAGES, PER_SECONDS = 30, 10
ABUSE = 3 * MESSAGES
"""Messages in that time after which nobody is listened to any more."""


class Pace:
    """Counts the messages of one connection."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._times: deque[float] = deque()

    def note(self) -> int:
        """One more; how many there were in the last ten seconds."""
        now = self._now()
        while self._times and now - self._times[0] >= PER_SECONDS:
            self._times.popleft()
        self._times.append(now)
        return len(self._times)

    @property
    def seconds_left(self) -> int:
        """Until the oldest of them no longer counts."""
        return max(1, round(PER_SECONDS - (self._now() - self._times[0]))) if self._times else 0


class Seats:
    """How many connections each account has in this process."""

    def __init__(self, most: int = CONNECTIONS_PER_USER) -> None:
        self._most = most
        self._taken: dict[int, int] = {}
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, user_id: int) -> Generator[None]:
        """One of them, for as long as the connection lasts; AppError(RATE_LIMIT) when there is none left."""
        with self._lock:
            if self._taken.get(user_id, 0) >= self._most:
                raise AppError(
                    ErrorKind.RATE_LIMIT,
                    N_("There are {count} open connections already. Close one that is no longer used."),
                    count=self._most,
                )
            self._taken[user_id] = self._taken.get(user_id, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[user_id] -= 1
                if not self._taken[user_id]:
                    del self._taken[user_id]
