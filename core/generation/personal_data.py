"""What the engine keeps of a person: answers that it can give again."""

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.accounts.personal_data import Record, rows
from core.generation.tables import CachedResponse

_ANSWER = ("provider", "model", "text", "tool_calls", "usage", "created_at", "expires_at")


class CacheData:
    """The cache's part of an export and of a deletion (it is a `PersonalRoom`)."""

    def export(self, session: Session, user_id: int) -> Iterator[tuple[str, Iterable[Record]]]:
        """cached_answers."""
        mine = CachedResponse.user_id == user_id
        yield "cached_answers", rows(session, CachedResponse, mine, _ANSWER, ("created_at", "key"))

    def stop(self, user_id: int) -> None:
        """Nothing of it runs."""

    def erase(self, session: Session, user_id: int) -> Callable[[], None]:
        """The cache knows no foreign key."""
        session.execute(delete(CachedResponse).where(CachedResponse.user_id == user_id))
        return lambda: None
