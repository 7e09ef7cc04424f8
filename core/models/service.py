"""Models: which there are, how each user wants them asked, and what a request to one would be."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from anyio import to_thread

from core.generation.engine import GenerationEngine
from core.generation.generation import Generation
from core.generation.model_lists import ModelLists
from core.generation.model_names import clean_model
from core.generation.recording import LedgerOnly
from core.generation.sampling import check_max_tokens, check_temperature
from core.generation.tokens import TokenCount, count_tokens
from core.generation.types import DEADLINE_SECONDS, GenerationRequest, Shaped
from core.models.catalogue import Catalogue
from core.models.checks import checked
from core.models.embeddings import check_able, checked_embedding
from core.models.preferences import Preferences, shaped
from core.models.types import ModelCard, PreferenceChanges, PreferenceInfo
from core.pricing.service import PriceBook
from core.providers.embedding import EmbeddingRequest
from core.providers.registry import ProviderRegistry
from core.providers.types import CompletionRequest, PreparedRequest
from core.store.unit_of_work import UnitOfWork
from core.usage.types import Source


class ModelService:
    """Scoped by `user_id`: another user's settings look like none. It is the engine's RequestShaper."""

    def __init__(
        self,
        unit: UnitOfWork,
        registry: ProviderRegistry,
        prices: PriceBook,
        engine: GenerationEngine,
        lists: ModelLists,
    ) -> None:
        self._registry = registry
        self._engine = engine
        self._preferences = Preferences(unit, registry)
        self._catalogue = Catalogue(registry, lists, prices, self._preferences)

    def catalogue(self, user_id: int, *, wait: bool = False) -> tuple[ModelCard, ...]:
        """The models of every provider configured for the user. Without `wait` no network is waited for, with it
        some seconds at most for those that were not asked lately.

        Those that the provider lists, and those that the user keeps settings or an own price for. A provider
        that lists none and for which nothing is kept has no card.
        """
        return self._catalogue.cards(user_id, wait)

    def preference(self, user_id: int, provider: str, model: str) -> PreferenceInfo | None:
        """How the user wants a model to be asked; None: in the provider's own way."""
        return self._preferences.get(user_id, provider, model)

    def preferences(self, user_id: int) -> tuple[PreferenceInfo, ...]:
        """All of the user's, by provider and model."""
        return self._preferences.all(user_id)

    def save(self, user_id: int, preference: PreferenceInfo) -> PreferenceInfo:
        """Keep a preference, with an `id` in the place of that one, else in that of the same model.

        The default of a provider takes the place of the one before. AppError(VALIDATION) with what is wrong;
        NOT_FOUND when there is none of that id.
        """
        return self._preferences.save(user_id, preference)

    def change(self, user_id: int, preference_id: int, changes: PreferenceChanges) -> PreferenceInfo:
        """Change what is named of one of the user's. AppError as `save`; then nothing changed."""
        return self._preferences.change(user_id, preference_id, changes)

    def put(self, user_id: int, provider: str, model: str, changes: PreferenceChanges) -> PreferenceInfo:
        """Keep a preference for a model: a new one, or that of the same model, of which only what is named changes.
        AppError(VALIDATION)."""
        return self._preferences.put(user_id, provider, model, changes)

    def delete(self, user_id: int, provider: str, model: str) -> None:
        """Forget a preference; AppError(NOT_FOUND) when there is none."""
        self._preferences.delete(user_id, provider, model)

    def default_model(self, user_id: int, provider: str) -> str | None:
        """The model of a provider that the user starts with; None when none was chosen."""
        return self._preferences.default_model(user_id, provider)

    def shape(self, user_id: int, provider: str, completion: CompletionRequest) -> Shaped:
        """See RequestShaper; from memory but for one query every 2 s.

        AppError(VALIDATION) when what was kept for Gemini is no longer a request it takes.
        """
        return self._preferences.shape(user_id, provider, completion)

    def preview(self, user_id: int, provider: str, completion: CompletionRequest) -> PreparedRequest:
        """The request that the provider's SDK would send for `completion` as it stands (`shape` it first to
        see the preferences in it). Waits for the SDK, not for a network. AppError as in Provider.prepare."""
        adapter = self._registry.get(provider, user_id)
        return self._engine.portal.call(adapter.prepare, completion)

    def preview_with(
        self, user_id: int, preference: PreferenceInfo, completion: CompletionRequest
    ) -> PreparedRequest:
        """`preview` as it would be with `preference`, which need not be stored; AppError(VALIDATION) names what
        could not be stored either."""
        checked_preference = checked(preference, self._registry)
        return self.preview(user_id, preference.provider, shaped(completion, checked_preference).completion)

    def count_tokens_with(
        self, user_id: int, preference: PreferenceInfo, completion: CompletionRequest
    ) -> TokenCount:
        """`count_tokens` as it would be with `preference`, which need not be stored; AppError(VALIDATION)."""
        asked = shaped(completion, checked(preference, self._registry)).completion
        return self.count_tokens(user_id, preference.provider, asked)

    def preference_by_id(self, user_id: int, preference_id: int) -> PreferenceInfo:
        """One of the user's by its id; AppError(NOT_FOUND)."""
        return self._preferences.by_id(user_id, preference_id)

    def delete_by_id(self, user_id: int, preference_id: int) -> None:
        """Forget a preference; AppError(NOT_FOUND)."""
        found = self._preferences.by_id(user_id, preference_id)
        self._preferences.delete(user_id, found.provider, found.model)

    def defaults(self, user_id: int) -> dict[str, PreferenceInfo]:
        """The default of each provider that has one."""
        return {each.provider: each for each in self._preferences.all(user_id) if each.is_default}

    def complete(
        self,
        user_id: int,
        provider: str,
        completion: CompletionRequest,
        source: Source,
        *,
        use_cache: bool | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
        prompt: str | None = None,
    ) -> Generation:
        """Send a request that belongs to no thread as the user wants this model asked; what it sets itself stands.

        `use_cache` None: as the preference says. `prompt`: the title of the library's prompt it was made from. The
        outcome tells whether it came from the cache, and what it cost. AppError before anything is sent: the
        model's name, a provider without a key, what `shape` refuses.
        """
        completion = replace(completion, model=clean_model(completion.model))
        check_max_tokens(completion.max_output_tokens)
        check_temperature(completion.temperature)
        self._registry.route(provider, user_id)
        shaped = self.shape(user_id, provider, completion)
        request = GenerationRequest(
            request_id=str(uuid4()),
            user_id=user_id,
            source=source,
            provider=provider,
            completion=shaped.completion,
            deadline_seconds=deadline_seconds,
            fallbacks=shaped.fallbacks,
            use_cache=shaped.use_cache if use_cache is None else use_cache,
            tags=(("prompt", prompt),) if prompt else (),
        )
        return self._engine.start(request, LedgerOnly())

    async def complete_on_loop(
        self,
        user_id: int,
        provider: str,
        completion: CompletionRequest,
        source: Source,
        *,
        use_cache: bool | None = None,
    ) -> Generation:
        """`complete` for an event loop: where that has to ask the database, a thread waits for it."""

        def start() -> Generation:
            return self.complete(user_id, provider, completion, source, use_cache=use_cache)

        if self._preferences.in_memory(user_id) and self._registry.in_memory(provider, user_id):
            return start()
        return await to_thread.run_sync(start)

    def embed(
        self,
        user_id: int,
        provider: str,
        request: EmbeddingRequest,
        source: Source,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Generation:
        """Ask for embeddings; its outcome holds the vectors and what they cost.

        Nothing of the user's preferences applies, no cache and no other model: vectors of two models cannot be
        compared. AppError before anything is sent: what is wrong with the request, a provider without a key or
        without embeddings.
        """
        request = checked_embedding(request)
        check_able(self._registry.info(provider), request, self._registry.all_infos())
        self._registry.route(provider, user_id)
        return self._engine.start(
            GenerationRequest(
                str(uuid4()), user_id, source, provider, request, deadline_seconds=deadline_seconds
            ),
            LedgerOnly(),
        )

    def run(self, user_id: int, provider: str, completion: CompletionRequest) -> Generation:
        """Send a request that belongs to no thread; it counts in the ledger as any other."""
        request = GenerationRequest(str(uuid4()), user_id, Source.CHAT, provider, completion)
        return self._engine.start(request, LedgerOnly())

    def count_tokens(self, user_id: int, provider: str, completion: CompletionRequest) -> TokenCount:
        """Input tokens of `completion` as it stands, by the provider's own count if it has one. Waits for it,
        at most 3 s."""
        return self._engine.portal.call(count_tokens, self._registry, user_id, provider, completion)

    async def count_tokens_on_loop(
        self, user_id: int, provider: str, completion: CompletionRequest
    ) -> TokenCount:
        """`count_tokens` for an event loop, whichever: it waits without a thread."""
        counting = self._engine.portal.start_task_soon(
            count_tokens, self._registry, user_id, provider, completion
        )
        return await asyncio.wrap_future(counting)
