"""All messages of a thread at once, as far as one answer may hold them."""

from api.aihub.thread_schemas import MessageAnswer, message_answer
from core.services import Services

MOST_MESSAGES = 1_000
MOST_CHARS = 10_000_000
_AT_ONCE = 100  # a message may have half a million characters


def all_messages(hub: Services, user_id: int, thread_id: int, language: str) -> list[MessageAnswer]:
    """The last messages of a thread in order; what went wrong with one is said in `language`. AppError(NOT_FOUND)."""
    found: list[MessageAnswer] = []
    room = MOST_CHARS
    before: int | None = None
    while room > 0 and len(found) < MOST_MESSAGES:
        page = hub.threads.messages(user_id, thread_id, before_id=before, limit=_AT_ONCE)
        found[:0] = (message_answer(each, language) for each in page.items)
        room -= sum(len(each.content) for each in page.items)
        if not page.has_more:
            break
        before = page.items[0].id
    return found
