"""/api/categories: where the caller files threads and prompts."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.aihub.thread_schemas import CategoryAnswer
from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Body, Id
from core.accounts.types import Scope
from core.categories.types import CategoryChanges

router = APIRouter(prefix="/api/categories", tags=["categories"], responses=ERRORS)

# The service says in a sentence how much fits; these only bound what it has to look at.
Name = Annotated[str, Field(max_length=10_000, examples=["Учебные проекты"])]
Description = Annotated[
    str, Field(max_length=100_000, examples=["Треды, связанные с учебными заданиями и проектами"])
]
Color = Annotated[str, Field(max_length=100, description="`#RRGGBB`", examples=["#4B0082"])]


class NewCategory(Body):
    """Without a `color` it is a calm grey."""

    name: Name
    description: Description | None = None
    color: Color | None = None


class ChangedCategory(Body):
    """What is left out stays. null takes a description or a colour away, and leaves a name."""

    name: Name | None = None
    description: Description | None = None
    color: Color | None = None


@router.get("", dependencies=[needs(Scope.READ)])
def list_categories(hub: Hub, caller: Caller) -> list[CategoryAnswer]:
    """One's own categories, the oldest first."""
    return [CategoryAnswer.model_validate(each) for each in hub.categories.all(caller.account.id)]


@router.post("", status_code=201, dependencies=[needs(Scope.WRITE)])
def create_category(hub: Hub, caller: Caller, body: NewCategory) -> CategoryAnswer:
    """Make a category; two may share a name."""
    made = hub.categories.create(caller.account.id, body.name, body.description, body.color)
    return CategoryAnswer.model_validate(made)


@router.get("/{category_id}", dependencies=[needs(Scope.READ)])
def read_category(hub: Hub, caller: Caller, category_id: Id) -> CategoryAnswer:
    """One of them."""
    return CategoryAnswer.model_validate(hub.categories.get(caller.account.id, category_id))


@router.put("/{category_id}", dependencies=[needs(Scope.WRITE)])
def change_category(hub: Hub, caller: Caller, category_id: Id, body: ChangedCategory) -> CategoryAnswer:
    """Change what is sent."""
    changes = CategoryChanges()
    if body.name is not None:
        changes["name"] = body.name
    if "description" in body.model_fields_set:
        changes["description"] = body.description
    if "color" in body.model_fields_set:
        changes["color"] = body.color
    return CategoryAnswer.model_validate(hub.categories.update(caller.account.id, category_id, changes))


@router.delete("/{category_id}", status_code=204, dependencies=[needs(Scope.WRITE)])
def delete_category(hub: Hub, caller: Caller, category_id: Id) -> None:
    """Delete a category. Its threads and prompts stay, without one."""
    hub.categories.delete(caller.account.id, category_id)
