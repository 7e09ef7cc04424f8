"""Adapters that are in use: one for each key and address, closed on the loop that used them."""

import hashlib
import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from core.providers.types import Provider, ProviderInfo

KEPT = 64
IDLE_SECONDS = 3600.0  # no answer takes as long: whoever was handed the adapter has done with it


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells adapters apart. Two users with the same key share one when the rest is the same too.

    `key_ref`: see `key_ref`. `setting`: what sentences call the key.
    """

    info: ProviderInfo
    key_ref: str
    base_url: str | None = field(repr=False)
    setting: str
    options: tuple[tuple[str, str], ...] = ()
    public_only: bool = False


def key_ref(provider_id: str, api_key: str) -> str:
    """A fingerprint of a key, 16 hex digits, the same in every process and after a restart.

    It may stand in the ledger: 64 bits of a digest do not determine a key, and the keys that providers issue
    hold over 100 random bits, so that guessing them until one fits is hopeless.
    """
    return hmac.new(b"aihub key_ref", f"{provider_id}\0{api_key}".encode(), hashlib.sha256).hexdigest()[:16]


class AdapterPool:
    """The adapters last used, at most `kept` of them.

    One that falls out is not closed at once, because a stream may still run on it, but when it was idle for
    `idle_seconds`; so is one whose key was replaced or deleted, which nobody asks for any more.
    """

    def __init__(self, kept: int = KEPT, idle_seconds: float = IDLE_SECONDS) -> None:
        self._kept = kept
        self._idle_seconds = idle_seconds
        self._used: OrderedDict[Identity, tuple[Provider, float]] = OrderedDict()
        self._fallen: list[tuple[Provider, float]] = []
        self._lock = threading.Lock()

    def get(self, identity: Identity, build: Callable[[], Provider]) -> Provider:
        """The adapter, built when there is none yet. From any thread; what `build` raises comes through."""
        with self._lock:
            found = self._used.get(identity)
            # An adapter opens no connection before its first call, so building it here is quick.
            provider = found[0] if found is not None else build()
            self._used[identity] = provider, time.monotonic()
            self._used.move_to_end(identity)
            while len(self._used) > self._kept:
                self._fallen.append(self._used.popitem(last=False)[1])
        return provider

    async def close_idle(self) -> None:
        """Close what was not asked for in a long time; on the adapters' loop."""
        before = time.monotonic() - self._idle_seconds
        with self._lock:
            idle = [identity for identity, (_, used) in self._used.items() if used < before]
            closing = [self._used.pop(identity)[0] for identity in idle]
            closing += [provider for provider, used in self._fallen if used < before]
            self._fallen = [(provider, used) for provider, used in self._fallen if used >= before]
        for provider in closing:
            await provider.aclose()

    async def aclose(self) -> None:
        """Close all; on the adapters' loop. The pool can be used again."""
        with self._lock:
            closing = [provider for provider, _ in (*self._used.values(), *self._fallen)]
            self._used.clear()
            self._fallen.clear()
        for provider in closing:
            await provider.aclose()
