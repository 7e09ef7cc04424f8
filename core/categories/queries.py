"""The rows of categories, each looked up in its owner's name."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.categories.tables import Category
from core.categories.types import CategoryInfo
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.ids import is_id


def own_category(
    session: Session, user_id: int, category_id: int, *, keep: bool = False, change: bool = False
) -> Category:
    """AppError(NOT_FOUND), the same for another user's.

    `keep`: nobody deletes it before this transaction ends; `change`: nor changes it.
    """
    row = None
    if is_id(category_id):
        own = select(Category).where(Category.id == category_id, Category.user_id == user_id)
        if keep:
            own = own.with_for_update(read=True, key_share=True)
        elif change:
            own = own.with_for_update()
        row = session.scalars(own).one_or_none()
    if row is None:
        raise AppError(
            ErrorKind.NOT_FOUND, N_("There is no such category. Pick another, or make a new one first.")
        )
    return row


def categories_of(session: Session, user_id: int) -> tuple[CategoryInfo, ...]:
    """All of a user's, oldest first, as documented."""
    own = select(Category).where(Category.user_id == user_id).order_by(Category.id)
    return tuple(info_of(row) for row in session.scalars(own))


def categories_by_id(session: Session, ids: Collection[int | None]) -> dict[int | None, CategoryInfo]:
    """The categories that some of the user's own rows refer to."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    return {row.id: info_of(row) for row in session.scalars(select(Category).where(Category.id.in_(wanted)))}


def name_of(session: Session, category_id: int | None) -> str | None:
    """The name of a category that one of the user's own rows refers to."""
    if category_id is None:
        return None
    return session.scalar(select(Category.name).where(Category.id == category_id))


def info_of(row: Category) -> CategoryInfo:
    """A row as it leaves the room."""
    return CategoryInfo(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        description=row.description,
        color=row.color,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
