"""The models that a page offers: those known at once, the provider's own list soon after."""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress

import anyio

from core.errors import AppError
from core.generation.engine import GenerationEngine
from core.providers.registry import ProviderRegistry
from core.providers.types import ModelInfo

# The registry says when a list is really asked for anew; this only keeps every page from asking it.
REFRESH_SECONDS = 60.0
_KEPT = 1_000


class ModelLists:
    """Lists models, without waiting for a network unless asked to. From any thread but the engine's."""

    def __init__(self, engine: GenerationEngine, registry: ProviderRegistry) -> None:
        self._engine = engine
        self._registry = registry
        self._lock = threading.Lock()
        self._asked: dict[tuple[str, str], float] = {}

    def known(self, user_id: int, provider: str) -> tuple[ModelInfo, ...]:
        """What is known of a provider's models with the user's key; a newer list is asked for behind it."""
        self._refresh(user_id, provider)
        return self._registry.cached_models(provider, user_id)

    def wait(self, user_id: int, providers: Iterable[str]) -> None:
        """Until every one of `providers` was asked for its list, lately: some seconds at most, and none for those that
        were. What `known` gives afterwards is as whole as can be."""
        self._engine.portal.call(self._ask, user_id, tuple(providers))

    async def _ask(self, user_id: int, providers: tuple[str, ...]) -> None:
        async def ask(provider: str) -> None:
            # Nothing to ask with: its suggested models have to do.
            with suppress(AppError):
                await self._registry.models(provider, user_id)

        async with anyio.create_task_group() as asking:
            for provider in providers:
                asking.start_soon(ask, provider)

    def _refresh(self, user_id: int, provider: str) -> None:
        try:
            key_ref = self._registry.route(provider, user_id).key_ref
        except AppError:
            return  # there is nothing to ask with
        with self._lock:
            now = time.monotonic()
            if now - self._asked.get((provider, key_ref), -REFRESH_SECONDS) < REFRESH_SECONDS:
                return
            if len(self._asked) >= _KEPT:
                self._asked.clear()
            self._asked[provider, key_ref] = now
        self._engine.portal.start_task_soon(self._registry.models, provider, user_id)
