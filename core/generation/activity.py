"""What the engine has done since this process began, in counts: for whoever watches over it."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import ErrorKind
from core.generation.types import Outcome
from core.usage.types import CallStatus

MAX_PROVIDERS = 50
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Activity:
    """`running` answers are being written, `waiting` ones stand in line for a limit. The counts only grow:
    `ended` by (provider, status), `tokens` by (provider, kind), `rate_limited` answers by provider."""

    running: int
    waiting: int
    ended: Mapping[tuple[str, CallStatus], int]
    tokens: Mapping[tuple[str, str], int]
    rate_limited: Mapping[str, int]


class ActivityLog:
    """Counts answers as they end. From any thread.

    No user, key or model is kept, and of providers at most MAX_PROVIDERS: the rest are counted as `other`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._providers: set[str] = set()
        self._ended: Counter[tuple[str, CallStatus]] = Counter()
        self._tokens: Counter[tuple[str, str]] = Counter()
        self._rate_limited: Counter[str] = Counter()

    def noted(self, outcome: Outcome) -> Outcome:
        """Count how an answer ended; returns it."""
        usage = outcome.usage
        with self._lock:
            provider = self._name(outcome.answered_by.provider if outcome.answered_by else OTHER)
            self._ended[provider, outcome.status] += 1
            for kind, count in (
                ("input", usage.input_tokens),
                ("cached_input", usage.cached_input_tokens),
                ("output", usage.output_tokens),
                ("reasoning", usage.reasoning_tokens),
            ):
                self._tokens[provider, kind] += count
            if outcome.error is not None and outcome.error.kind is ErrorKind.RATE_LIMIT:
                self._rate_limited[provider] += 1
        return outcome

    def state(self, running: int, waiting: int) -> Activity:
        """The counts now, beside what the engine has in hand."""
        with self._lock:
            return Activity(running, waiting, dict(self._ended), dict(self._tokens), dict(self._rate_limited))

    def _name(self, provider: str) -> str:
        if provider not in self._providers:
            if len(self._providers) >= MAX_PROVIDERS:
                return OTHER
            self._providers.add(provider)
        return provider
