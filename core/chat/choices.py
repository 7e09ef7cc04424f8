"""Which models a message can be sent to."""

from dataclasses import dataclass
from typing import Protocol

from core.errors import AppError
from core.generation.model_lists import ModelLists
from core.providers.registry import ProviderRegistry
from core.providers.types import ProviderInfo


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model of a configured provider."""

    provider: str
    model: str


class DefaultModels(Protocol):
    """Knows which model of a provider a user starts with."""

    def default_model(self, user_id: int, provider: str) -> str | None: ...


class ModelChoices:
    """The models of every provider configured for a user: known ones at once, the provider's own list soon
    after."""

    def __init__(self, registry: ProviderRegistry, lists: ModelLists, defaults: DefaultModels) -> None:
        self._registry = registry
        self._lists = lists
        self._defaults = defaults

    def providers(self, user_id: int) -> tuple[ProviderInfo, ...]:
        """The providers configured for a user, Demo last."""
        return self._registry.infos(user_id)

    def knows(self, provider: str) -> bool:
        """Whether AIHub can speak to `provider`, with or without a key for it."""
        try:
            self._registry.info(provider)
        except AppError:
            return False
        return True

    def notice(self, provider: str) -> str | None:
        """What must stand on every answer of `provider` (the demo's says what it is), untranslated."""
        return self._registry.info(provider).notice if self.knows(provider) else None

    def all(self, user_id: int) -> list[ModelChoice]:
        """Every model that can be picked; never waits for a network. A provider that lists none stands there
        once with an empty model: its name has to be typed. The user's default of a provider stands first."""
        choices: list[ModelChoice] = []
        for info in self._registry.infos(user_id):
            models = [model.id for model in self._lists.known(user_id, info.id)]
            default = self._defaults.default_model(user_id, info.id)
            if default is not None:
                models = [default, *(model for model in models if model != default)]
            choices += [ModelChoice(info.id, model) for model in models or [""]]
        return choices

    def default(self, user_id: int) -> ModelChoice:
        """The user's default of the first configured provider, else its first model."""
        return self.default_of(user_id, self._registry.default_id(user_id))

    def default_of(self, user_id: int, provider: str) -> ModelChoice:
        """The user's default of a provider, configured or not, else its first model; an empty model when it is
        known to list none. AppError(NOT_FOUND)."""
        models = self._registry.cached_models(provider, user_id)
        default = self._defaults.default_model(user_id, provider)
        return ModelChoice(provider, default or (models[0].id if models else ""))
