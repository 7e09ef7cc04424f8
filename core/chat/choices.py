"""Which models a message can be sent to."""

import threading
import time
from dataclasses import dataclass

from core.errors import AppError
from core.generation.engine import GenerationEngine
from core.providers.registry import ProviderRegistry
from core.providers.types import ProviderInfo

_REFRESH_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model of a configured provider."""

    provider: str
    model: str


class ModelChoices:
    """The models of every configured provider: known ones at once, the provider's own list soon after."""

    def __init__(self, engine: GenerationEngine, registry: ProviderRegistry) -> None:
        self._engine = engine
        self._registry = registry
        self._lock = threading.Lock()
        self._asked: dict[str, float] = {}

    def providers(self) -> tuple[ProviderInfo, ...]:
        """The configured providers, Demo last."""
        return self._registry.infos()

    def knows(self, provider: str) -> bool:
        """Whether AIHub can speak to `provider`, with or without a key for it."""
        try:
            self._registry.info(provider)
        except AppError:
            return False
        return True

    def all(self) -> list[ModelChoice]:
        """Every model that can be picked; never waits for a network. A provider that lists none stands there
        once with an empty model: its name has to be typed."""
        choices: list[ModelChoice] = []
        for info in self._registry.infos():
            self._refresh(info.id)
            models = [model.id for model in self._registry.cached_models(info.id)]
            choices += [ModelChoice(info.id, model) for model in models or [""]]
        return choices

    def default(self) -> ModelChoice:
        """The first model of the first configured provider."""
        provider = self._registry.default_id()
        models = self._registry.cached_models(provider)
        return ModelChoice(provider, models[0].id if models else "")

    def _refresh(self, provider: str) -> None:
        with self._lock:
            if time.monotonic() - self._asked.get(provider, -_REFRESH_SECONDS) < _REFRESH_SECONDS:
                return
            self._asked[provider] = time.monotonic()
        self._engine.portal.start_task_soon(self._registry.models, provider)
