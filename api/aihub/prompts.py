"""/api/prompts: the caller's library of texts to ask with again."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Answer, Body, Id, Limit, Moment, Skip
from core.accounts.types import Scope
from core.prompts.types import NewPrompt, PromptChanges, PromptInfo, PromptQuery
from core.store.paging import ROWS

router = APIRouter(prefix="/api/prompts", tags=["prompts"], responses=ERRORS)

# The service says in a sentence how much fits; these only bound what it has to look at.
Title = Annotated[str, Field(max_length=10_000, examples=["План маркетингового исследования"])]
Content = Annotated[
    str,
    Field(
        max_length=1_000_000,
        description="Names in braces are places to fill in.",
        examples=["Проанализируй целевую аудиторию продукта {название_продукта}"],
    ),
]
Description = Annotated[str, Field(max_length=100_000, examples=["Промпт для создания маркетингового плана"])]
CategoryId = Annotated[int, Field(examples=[3])]


class NewPromptBody(Body):
    title: Title
    content: Content
    description: Description | None = None
    category_id: CategoryId | None = None
    is_favorite: bool = False


class ChangedPrompt(Body):
    """What is left out stays. null takes a description or a category away, and leaves the others."""

    title: Title | None = None
    content: Content | None = None
    description: Description | None = None
    category_id: CategoryId | None = None
    is_favorite: bool | None = None


class PromptCategory(Answer):
    id: int
    name: Annotated[str, Field(examples=["Аналитика данных"])]
    description: str | None
    color: Annotated[str, Field(examples=["#0000FF"])]


class Prompt(Answer):
    id: Annotated[int, Field(examples=[48])]
    user_id: Annotated[int, Field(examples=[1])]
    title: str
    content: str
    description: str | None
    category_id: int | None
    is_favorite: bool
    created_at: Moment
    updated_at: Moment
    category: PromptCategory | None


@router.get("", dependencies=[needs(Scope.READ)])
def list_prompts(
    hub: Hub,
    caller: Caller,
    skip: Skip = 0,
    limit: Limit = ROWS,
    category_id: int | None = None,
    is_favorite: bool | None = None,
    search: Annotated[str | None, Query(max_length=10_000, description="In titles and contents.")] = None,
) -> list[Prompt]:
    """One's own prompts that match, the newest first."""
    query = PromptQuery(skip, limit, category_id, is_favorite, search)
    return [_answer(each) for each in hub.prompts.list(caller.account.id, query).items]


@router.post("", status_code=201, dependencies=[needs(Scope.WRITE)])
def create_prompt(hub: Hub, caller: Caller, body: NewPromptBody) -> Prompt:
    """Keep a prompt."""
    new = NewPrompt(body.title, body.content, body.description, body.category_id, body.is_favorite)
    return _answer(hub.prompts.create(caller.account.id, new))


@router.get("/{prompt_id}", dependencies=[needs(Scope.READ)])
def read_prompt(hub: Hub, caller: Caller, prompt_id: Id) -> Prompt:
    """One of them."""
    return _answer(hub.prompts.get(caller.account.id, prompt_id))


@router.put("/{prompt_id}", dependencies=[needs(Scope.WRITE)])
def change_prompt(hub: Hub, caller: Caller, prompt_id: Id, body: ChangedPrompt) -> Prompt:
    """Change what is sent."""
    return _answer(hub.prompts.update(caller.account.id, prompt_id, _changes(body)))


@router.delete("/{prompt_id}", status_code=204, dependencies=[needs(Scope.WRITE)])
def delete_prompt(hub: Hub, caller: Caller, prompt_id: Id) -> None:
    """Take a prompt out of the library."""
    hub.prompts.delete(caller.account.id, prompt_id)


def _changes(body: ChangedPrompt) -> PromptChanges:
    changes = PromptChanges()
    if body.title is not None:
        changes["title"] = body.title
    if body.content is not None:
        changes["content"] = body.content
    if body.is_favorite is not None:
        changes["is_favorite"] = body.is_favorite
    if "description" in body.model_fields_set:
        changes["description"] = body.description
    if "category_id" in body.model_fields_set:
        changes["category_id"] = body.category_id
    return changes


def _answer(prompt: PromptInfo) -> Prompt:
    category = prompt.category
    return Prompt(
        id=prompt.id,
        user_id=prompt.user_id,
        title=prompt.title,
        content=prompt.content,
        description=prompt.description,
        category_id=category.id if category else None,
        is_favorite=prompt.is_favorite,
        created_at=prompt.created_at,
        updated_at=prompt.updated_at,
        category=PromptCategory.model_validate(category) if category else None,
    )
