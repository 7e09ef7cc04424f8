"""What the prompt library keeps of a person."""

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy.orm import Session

from core.accounts.personal_data import Record, rows
from core.prompts.tables import Prompt

_PROMPT = (
    "id",
    "title",
    "content",
    "description",
    "category_id",
    "is_favorite",
    "usage_count",
    "last_used_at",
    "created_at",
    "updated_at",
)


class PromptData:
    """The library's part of an export and of a deletion (it is a `PersonalRoom`)."""

    def export(self, session: Session, user_id: int) -> Iterator[tuple[str, Iterable[Record]]]:
        """prompts."""
        yield "prompts", rows(session, Prompt, Prompt.user_id == user_id, _PROMPT)

    def stop(self, user_id: int) -> None:
        """Nothing of it runs."""

    def erase(self, session: Session, user_id: int) -> Callable[[], None]:
        """The rows hang on the account's."""
        return lambda: None
