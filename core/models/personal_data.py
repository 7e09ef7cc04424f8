"""What is kept of how a person wants models to be asked."""

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy.orm import Session

from core.accounts.personal_data import Record, rows
from core.models.tables import Preference

_PREFERENCE = (
    "id",
    "provider",
    "model",
    "max_tokens",
    "temperature",
    "system_prompt",
    "is_default",
    "use_cache",
    "options",
    "fallbacks",
    "created_at",
    "updated_at",
)


class PreferenceData:
    """The preferences' part of an export and of a deletion (it is a `PersonalRoom`)."""

    def export(self, session: Session, user_id: int) -> Iterator[tuple[str, Iterable[Record]]]:
        """preferences."""
        yield "preferences", rows(session, Preference, Preference.user_id == user_id, _PREFERENCE)

    def stop(self, user_id: int) -> None:
        """Nothing of it runs."""

    def erase(self, session: Session, user_id: int) -> Callable[[], None]:
        """The rows hang on the account's."""
        return lambda: None
