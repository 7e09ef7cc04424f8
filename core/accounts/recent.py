"""What was read from the database a moment ago, for questions that come with every AI call."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")

KEPT = 1_000
MARGIN = 0.1  # seconds, between asking `has` and `get`


class Recent(Generic[KeyT, ValueT]):
    """Reads at most every `seconds` a key, so that what another process changed is seen after as long; what
    this one changed is seen at once, when it says `forget`. From any thread."""

    def __init__(self, read: Callable[[KeyT], ValueT], seconds: float) -> None:
        self._read = read
        self._seconds = seconds
        self._kept: dict[KeyT, tuple[ValueT, float]] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def get(self, key: KeyT) -> ValueT:
        """What `read` gives, or gave a moment ago. What it raises comes through and is not kept."""
        found = self._kept.get(key)
        if found is not None and time.monotonic() < found[1]:
            return found[0]
        changes = self._changes
        value = self._read(key)
        with self._lock:
            # What was read before a change must not be kept after it.
            if changes == self._changes:
                if len(self._kept) >= KEPT:
                    self._kept.clear()
                self._kept[key] = value, time.monotonic() + self._seconds
        return value

    def has(self, key: KeyT) -> bool:
        """Whether `get`, asked right after, will find its answer in memory."""
        found = self._kept.get(key)
        return found is not None and time.monotonic() < found[1] - MARGIN

    def forget(self) -> None:
        """Something was changed: read anew. Call it after the commit."""
        with self._lock:
            self._changes += 1
            self._kept.clear()
