"""The models that a user can pick, with what each of them takes, can do and costs."""

from collections.abc import Iterable, Iterator

from core.generation.model_lists import ModelLists
from core.models.preferences import Preferences
from core.models.types import ModelCard, PreferenceInfo
from core.pricing.service import PriceBook
from core.providers.registry import ProviderRegistry
from core.providers.types import ModelInfo, ProviderInfo


class Catalogue:
    """Puts together what the providers, the price catalogue and the user say of each model."""

    def __init__(
        self, registry: ProviderRegistry, lists: ModelLists, prices: PriceBook, preferences: Preferences
    ) -> None:
        self._registry = registry
        self._lists = lists
        self._prices = prices
        self._preferences = preferences

    def cards(self, user_id: int, wait: bool = False) -> tuple[ModelCard, ...]:
        """By provider, the one to prefer first; with `wait` as whole as the providers' own lists."""
        if wait:
            self._lists.wait(user_id, (info.id for info in self._registry.infos(user_id)))
        preferences = self._preferences.all(user_id)
        return tuple(
            card
            for info in self._registry.infos(user_id)
            for card in self._of(info, user_id, [each for each in preferences if each.provider == info.id])
        )

    def _of(
        self, info: ProviderInfo, user_id: int, preferences: Iterable[PreferenceInfo]
    ) -> Iterator[ModelCard]:
        preferred = {each.model: each for each in preferences}
        for model in self._models(info, user_id, preferred):
            price = self._prices.entry(info, model.id)
            preference = preferred.get(model.id)
            yield ModelCard(
                provider=info.id,
                model=model.id,
                label=model.label or model.id,
                context_size=model.input_limit or price.context_size,
                output_limit=model.output_limit,
                capabilities=info.capabilities,
                price=price,
                is_default=preference is not None and preference.is_default,
                has_preference=preference is not None,
                description=model.description or price.description or info.notice,
            )

    def _models(self, info: ProviderInfo, user_id: int, preferred: Iterable[str]) -> Iterable[ModelInfo]:
        """The provider's own ones first, then those that only the user knows of."""
        found = {model.id: model for model in self._lists.known(user_id, info.id)}
        for model in info.suggested_models:
            found.setdefault(model.id, model)
        priced = (entry.model for entry in self._prices.entries(info.id) if entry.is_own)
        for name in (*preferred, *priced):
            found.setdefault(name, ModelInfo(name))
        return found.values()
