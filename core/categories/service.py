"""Categories: where a user files threads and prompts."""

import re
from datetime import UTC, datetime

from sqlalchemy import func, select

from core.accounts.tables import User
from core.categories.queries import categories_of, info_of, own_category
from core.categories.tables import Category
from core.categories.types import CategoryChanges, CategoryInfo
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.checked_text import NAME_TOO_LONG, checked_description, checked_line
from core.store.unit_of_work import UnitOfWork

# A calm grey, for a category whose colour nobody chose.
DEFAULT_COLOR = "#808080"
MOST_NAME_CHARS = 100
# The list has no pages in the document, so it has to stay short enough to be given whole.
MOST_CATEGORIES = 500
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_SHORT_COLOR = re.compile(r"#[0-9a-fA-F]{3}")


class CategoryService:
    """Scoped by `user_id`: another user's category looks like one that does not exist."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit

    def all(self, user_id: int) -> tuple[CategoryInfo, ...]:
        """The user's categories, oldest first."""
        with self._unit.read() as session:
            return categories_of(session, user_id)

    def get(self, user_id: int, category_id: int) -> CategoryInfo:
        """One of them; AppError(NOT_FOUND)."""
        with self._unit.read() as session:
            return info_of(own_category(session, user_id, category_id))

    def create(
        self, user_id: int, name: str, description: str | None = None, color: str | None = None
    ) -> CategoryInfo:
        """A new one; two may share a name. AppError(VALIDATION) names what cannot be kept."""
        name, description, color = _name(name), checked_description(description), _color(color)
        now = datetime.now(UTC)
        with self._unit.write() as session:
            # Not in the way of rows that refer to the user, but of another creation: the count stays true.
            owner = select(User.id).where(User.id == user_id).with_for_update(key_share=True)
            if session.scalar(owner) is None:
                raise AppError(ErrorKind.NOT_FOUND, N_("This account was not found. Sign in again."))
            of_user = select(func.count()).select_from(Category).where(Category.user_id == user_id)
            _refuse_more(session.scalar(of_user) or 0)
            row = Category(
                user_id=user_id,
                name=name,
                description=description,
                color=color,
                created_at=now,
                updated_at=now,
            )
            session.add(row)
            session.flush()
            return info_of(row)

    def update(self, user_id: int, category_id: int, changes: CategoryChanges) -> CategoryInfo:
        """Change what is named. AppError(NOT_FOUND, VALIDATION); then nothing changed."""
        with self._unit.write() as session:
            row = own_category(session, user_id, category_id, change=True)
            if "name" in changes:
                row.name = _name(changes["name"])
            if "description" in changes:
                row.description = checked_description(changes["description"])
            if "color" in changes:
                row.color = _color(changes["color"])
            if changes:
                row.updated_at = datetime.now(UTC)
            return info_of(row)

    def delete(self, user_id: int, category_id: int) -> None:
        """Its threads and prompts stay, without a category. AppError(NOT_FOUND)."""
        with self._unit.write() as session:
            session.delete(own_category(session, user_id, category_id, change=True))


def _refuse_more(count: int) -> None:
    if count >= MOST_CATEGORIES:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("There are {limit} categories already, which is the most. Delete one first."),
            limit=MOST_CATEGORIES,
        )


def _name(text: str) -> str:
    empty = N_("A category needs a name. Type one.")
    return checked_line(text, MOST_NAME_CHARS, empty=empty, too_long=NAME_TOO_LONG)


def _color(text: str | None) -> str:
    """`#RRGGBB`, as it was written; `#RGB` is made longer."""
    text = (text or "").strip()
    if not text:
        return DEFAULT_COLOR
    if _SHORT_COLOR.fullmatch(text):
        return "#" + "".join(2 * digit for digit in text[1:])
    if not _COLOR.fullmatch(text):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("A colour is written as # and six digits, such as #0000FF. Pick one."),
        )
    return text
