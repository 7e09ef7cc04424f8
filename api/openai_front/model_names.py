"""Which model a name means: `provider/model`, or the plain name of a model that one provider of the caller has."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches

from anyio import to_thread

from core.errors import AppError, ErrorKind
from core.generation.model_names import clean_model
from core.generation.types import ModelRef
from core.i18n import N_
from core.providers.registry import ProviderRegistry
from core.services import Services

_SHOWN = 5  # models that a sentence names


async def resolve(hub: Services, user_id: int, name: str) -> ModelRef:
    """The model `name` means to a user. Asks the providers for their models, at most 3 s, before it gives up.

    AppError: UNKNOWN_MODEL when no provider of the user has such a model, or several do; VALIDATION for what is
    no name.
    """
    provider = name.partition("/")[0].strip()
    if hub.registry.in_memory(provider, user_id):
        found = _prefixed(hub, name)
        if found is not None:
            return found
    found = await to_thread.run_sync(_known, hub, user_id, name)
    if not found:
        await _list_all(hub, user_id)
        found = await to_thread.run_sync(_known, hub, user_id, name)
    if len(found) == 1:
        return found[0]
    choices = found or await to_thread.run_sync(_all, hub, user_id)
    raise unknown(name, list(map(str, choices)), several=bool(found))


def unknown(name: str, choices: Sequence[str], *, several: bool) -> AppError:
    """The failure of a name that means none of `choices`, or `several` of them."""
    message = (
        N_("Several providers have a model “{model}”. Ask for one of: {choices}.")
        if several
        else N_("There is no model “{model}”. Name it as provider/model, for example: {choices}.")
    )
    near = [] if several else get_close_matches(name[:100], choices, _SHOWN, cutoff=0.5)
    shown = [*near, *(each for each in choices if each not in near)][:_SHOWN]
    return AppError(
        ErrorKind.UNKNOWN_MODEL, message, model=name[:100], choices=", ".join(shown), param="model"
    )


def _prefixed(hub: Services, name: str) -> ModelRef | None:
    """The model of a name that begins with a provider's id. Other names have slashes of their own."""
    provider, slash, model = name.strip().partition("/")
    return ModelRef(provider, clean_model(model)) if slash and hub.choices.knows(provider) else None


def _known(hub: Services, user_id: int, name: str) -> list[ModelRef]:
    """The models that are meant, as far as the names are known that providers listed."""
    prefixed = _prefixed(hub, name)
    if prefixed is not None:
        return [prefixed]
    wanted = clean_model(name)
    return [each for each in _all(hub, user_id) if each.model == wanted]


def _all(hub: Services, user_id: int) -> list[ModelRef]:
    """The models of the user's providers, and those the user keeps settings for."""
    infos = hub.registry.infos(user_id)
    listed = [
        ModelRef(info.id, model.id)
        for info in infos
        for model in (
            *hub.registry.cached_models(info.id, user_id),
            *info.suggested_models,
            *info.embedding_models,
        )
    ]
    configured = {info.id for info in infos}
    kept = [ModelRef(each.provider, each.model) for each in hub.models.preferences(user_id)]
    return list(dict.fromkeys((*listed, *(each for each in kept if each.provider in configured))))


async def _list_all(hub: Services, user_id: int) -> None:
    infos = await to_thread.run_sync(hub.registry.infos, user_id)
    portal = hub.generation.portal
    asked = (portal.start_task_soon(_list, hub.registry, info.id, user_id) for info in infos)
    await asyncio.gather(*map(asyncio.wrap_future, asked))


async def _list(registry: ProviderRegistry, provider: str, user_id: int) -> None:
    with suppress(AppError):  # a key that cannot be used: whoever names this provider is told
        await registry.models(provider, user_id)
