"""What is kept of how a person files things."""

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy.orm import Session

from core.accounts.personal_data import Record, rows
from core.categories.tables import Category

_CATEGORY = ("id", "name", "description", "color", "created_at", "updated_at")


class CategoryData:
    """The categories' part of an export and of a deletion (it is a `PersonalRoom`)."""

    def export(self, session: Session, user_id: int) -> Iterator[tuple[str, Iterable[Record]]]:
        """categories."""
        yield "categories", rows(session, Category, Category.user_id == user_id, _CATEGORY)

    def stop(self, user_id: int) -> None:
        """Nothing of it runs."""

    def erase(self, session: Session, user_id: int) -> Callable[[], None]:
        """The rows hang on the account's."""
        return lambda: None
