"""The rows of the library, each looked up in its owner's name."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.categories.queries import categories_by_id
from core.categories.types import CategoryInfo
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.prompts.tables import Prompt
from core.prompts.types import PromptInfo, PromptPage, PromptQuery
from core.prompts.variables import variables_of
from core.store.ids import is_id
from core.store.matching import holds, needle_of
from core.store.paging import check_part
from core.store.text import searchable


def own_prompt(session: Session, user_id: int, prompt_id: int, *, change: bool = False) -> Prompt:
    """AppError(NOT_FOUND), the same for another user's. `change`: nobody else does before this transaction ends."""
    row = None
    if is_id(prompt_id):
        own = select(Prompt).where(Prompt.id == prompt_id, Prompt.user_id == user_id)
        row = session.scalars(own.with_for_update() if change else own).one_or_none()
    if row is None:
        raise AppError(
            ErrorKind.NOT_FOUND, N_("There is no such prompt. It may have been deleted; reload the page.")
        )
    return row


def read_page(session: Session, user_id: int, query: PromptQuery) -> PromptPage:
    """The prompts that match; a search reads the user's own texts, and nobody else's. AppError(VALIDATION)."""
    check_part(query.skip, query.limit)
    needle = needle_of(query.search)
    matching: list[Any] = [Prompt.user_id == user_id]
    if query.category_id is not None:
        if not is_id(query.category_id):
            return PromptPage((), 0)
        matching.append(Prompt.category_id == query.category_id)
    if query.is_favorite is not None:
        matching.append(Prompt.is_favorite.is_(query.is_favorite))
    if needle is not None:
        matching.append(holds(session, Prompt.folded, needle))
    total = session.scalar(select(func.count()).select_from(Prompt).where(*matching)) or 0
    part = select(Prompt).where(*matching).order_by(Prompt.id.desc()).offset(query.skip).limit(query.limit)
    rows = session.scalars(part).all()
    categories = categories_by_id(session, [row.category_id for row in rows])
    return PromptPage(tuple(info_of(row, categories.get(row.category_id)) for row in rows), total)


def read_info(session: Session, row: Prompt) -> PromptInfo:
    """A prompt with its category."""
    return info_of(row, categories_by_id(session, [row.category_id]).get(row.category_id))


def info_of(row: Prompt, category: CategoryInfo | None) -> PromptInfo:
    """A row as it leaves the room."""
    return PromptInfo(
        id=row.id,
        user_id=row.user_id,
        title=row.title,
        content=row.content,
        description=row.description,
        category=category,
        is_favorite=row.is_favorite,
        variables=variables_of(row.content),
        usage_count=row.usage_count,
        last_used_at=row.last_used_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def as_searched(title: str, content: str) -> str:
    """What a search looks through; nobody finds the end of a title with the beginning of the content."""
    return f"{searchable(title)}\n{searchable(content)}"
