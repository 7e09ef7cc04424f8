"""/api/models: which models there are, and how the caller wants each of them asked."""

from fastapi import APIRouter, Request

from api.aihub.model_schemas import (
    ChangedPreference,
    ModelProvider,
    Models,
    NewPreference,
    Preference,
    changes_of,
    model_answer,
    preference_answer,
)
from api.errors import language_of
from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Id
from core.accounts.types import Scope
from core.models.types import PreferenceChanges

router = APIRouter(prefix="/api/models", tags=["models"], responses=ERRORS)


@router.get("/available", dependencies=[needs(Scope.READ)])
def list_models(request: Request, hub: Hub, caller: Caller) -> Models:
    """The models of every configured provider. A provider that was not asked lately is waited for, 3 s at most."""
    language = language_of(request.scope)
    return Models(
        models=[model_answer(card, language) for card in hub.models.catalogue(caller.account.id, wait=True)],
        providers=[
            ModelProvider(id=info.id, name=info.label) for info in hub.registry.infos(caller.account.id)
        ],
    )


@router.get("/preferences", dependencies=[needs(Scope.READ)])
def list_preferences(hub: Hub, caller: Caller) -> list[Preference]:
    """One's own preferences, by provider and model."""
    return [preference_answer(caller.account.id, each) for each in hub.models.preferences(caller.account.id)]


@router.post("/preferences", status_code=201, dependencies=[needs(Scope.WRITE)])
def put_preference(hub: Hub, caller: Caller, body: NewPreference) -> Preference:
    """Keep a preference for a model. What the model had before is replaced in its place, under its id."""
    user_id = caller.account.id
    wanted: PreferenceChanges = {
        "max_tokens": body.max_tokens,
        "temperature": body.temperature,
        "system_prompt": body.system_prompt,
        "is_default": body.is_default,
        "use_cache": body.use_cache,
    }
    return preference_answer(user_id, hub.models.put(user_id, body.provider, body.model, wanted))


@router.get("/preferences/default", dependencies=[needs(Scope.READ)])
def list_defaults(hub: Hub, caller: Caller) -> dict[str, Preference]:
    """The default model's preference of each provider that has one."""
    defaults = hub.models.defaults(caller.account.id)
    return {provider: preference_answer(caller.account.id, each) for provider, each in defaults.items()}


@router.get("/preferences/{preference_id}", dependencies=[needs(Scope.READ)])
def read_preference(hub: Hub, caller: Caller, preference_id: Id) -> Preference:
    """One of them."""
    user_id = caller.account.id
    return preference_answer(user_id, hub.models.preference_by_id(user_id, preference_id))


@router.put("/preferences/{preference_id}", dependencies=[needs(Scope.WRITE)])
def change_preference(hub: Hub, caller: Caller, preference_id: Id, body: ChangedPreference) -> Preference:
    """Change what is sent; the provider and the model stay."""
    user_id = caller.account.id
    return preference_answer(user_id, hub.models.change(user_id, preference_id, changes_of(body)))


@router.delete("/preferences/{preference_id}", status_code=204, dependencies=[needs(Scope.WRITE)])
def delete_preference(hub: Hub, caller: Caller, preference_id: Id) -> None:
    """Ask the model in the provider's own way again."""
    hub.models.delete_by_id(caller.account.id, preference_id)
