"""/v1/models: the models of every provider configured for the caller."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path

from api.identity import Caller, Hub, needs
from api.openai_front.answer_schemas import ERRORS
from api.openai_front.model_names import unknown
from api.schemas import Answer
from core.accounts.types import Scope
from core.generation.types import ModelRef
from core.services import Services

# Who may chat may see with whom: clients list the models before they ask one.
router = APIRouter(prefix="/v1/models", tags=["openai"], responses=ERRORS, dependencies=[needs(Scope.CHAT)])


class ListedModel(Answer):
    """`created` is 0: providers do not tell when a model was made."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str


class ModelList(Answer):
    object: Literal["list"] = "list"
    data: list[ListedModel]


@router.get("")
def list_models(hub: Hub, caller: Caller) -> ModelList:
    """All models. A provider that was not asked for its list lately is waited for, 3 s at most."""
    return ModelList(data=_models(hub, caller.account.id))


@router.get("/{model_id:path}")
def read_model(
    hub: Hub, caller: Caller, model_id: Annotated[str, Path(max_length=300, examples=["demo/demo"])]
) -> ListedModel:
    """One of them, by `provider/model` or by a name that one provider alone has."""
    models = _models(hub, caller.account.id)
    found = [each for each in models if each.id == model_id]
    found = found or [each for each in models if each.id.partition("/")[2] == model_id]
    if len(found) == 1:
        return found[0]
    raise unknown(model_id, [each.id for each in found or models], several=bool(found))


def _models(hub: Services, user_id: int) -> list[ListedModel]:
    cards = hub.models.catalogue(user_id, wait=True)
    found = [
        ModelRef(info.id, name)
        for info in hub.registry.infos(user_id)
        for name in (
            *(card.model for card in cards if card.provider == info.id),
            *(model.id for model in info.embedding_models),
        )
    ]
    return [ListedModel(id=str(model), owned_by=model.provider) for model in dict.fromkeys(found)]
