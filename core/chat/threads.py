"""Threads as programs and lists see them: in parts, filtered, changed, filed, and several at once."""

from collections.abc import Sequence
from datetime import UTC, datetime

from core.categories.queries import own_category
from core.chat import tables
from core.chat.message_queries import read_message, read_newest, read_own, read_part
from core.chat.queries import check_bulk, own_thread, own_threads, refuse_while_answering
from core.chat.rows import message_of
from core.chat.service import ChatService
from core.chat.thread_queries import read_details, read_page, read_stats
from core.chat.types import (
    ChatStats,
    Message,
    MessagePage,
    NewMessage,
    NewThread,
    ThreadChanges,
    ThreadDetails,
    ThreadName,
    ThreadPage,
    ThreadQuery,
)
from core.chat.wording import checked_changes, checked_draft, checked_new
from core.chat.writing import add_message, add_thread, write_system_prompt
from core.errors import AppError, ErrorKind
from core.providers.registry import ProviderRegistry
from core.providers.types import Role
from core.store.unit_of_work import Session, UnitOfWork

_EVERY = ThreadQuery()


class ThreadService:
    """Scoped by `user_id`: another user's thread, category or message looks like one that does not exist.

    Sending and answering is `ChatService`; both work on the same threads.
    """

    def __init__(self, unit: UnitOfWork, registry: ProviderRegistry, chat: ChatService) -> None:
        self._unit = unit
        self._registry = registry
        self._chat = chat

    def list(self, user_id: int, query: ThreadQuery = _EVERY) -> ThreadPage:
        """The threads that match, newest activity first; AppError(VALIDATION) for a part or search out of bounds."""
        with self._unit.read() as session:
            return read_page(session, user_id, query)

    def get(self, user_id: int, thread: ThreadName) -> ThreadDetails:
        """One thread; AppError(NOT_FOUND)."""
        with self._unit.read() as session:
            return _details(session, own_thread(session, user_id, thread))

    def stats(self, user_id: int) -> ChatStats:
        """The user's conversations in figures."""
        with self._unit.read() as session:
            return read_stats(session, user_id)

    def create(self, user_id: int, draft: NewThread) -> ThreadDetails:
        """A new thread. Its system prompt and initial message are stored; no model is asked.

        AppError: VALIDATION names what cannot be kept (a title or an initial message has to be there), NOT_FOUND
        for the category.
        """
        draft = checked_draft(draft)
        self._check_provider(draft.provider)
        now = datetime.now(UTC)
        with self._unit.write() as session:
            row = add_thread(session, user_id, draft, now)
            if draft.initial_message is not None:
                add_message(session, row, NewMessage(Role.USER, draft.initial_message), now)
            return _details(session, row)

    def update(self, user_id: int, thread: ThreadName, changes: ThreadChanges) -> ThreadDetails:
        """Change what is named. AppError as `create`; then nothing changed."""
        changes = checked_changes(changes)
        if "provider" in changes:
            self._check_provider(changes["provider"])
        with self._unit.write() as session:
            (row,) = own_threads(session, user_id, [thread], change=True)
            now = datetime.now(UTC)
            if (category_id := changes.get("category_id")) is not None:
                own_category(session, user_id, category_id, keep=True)
            for name, value in changes.items():
                if name != "system_prompt":
                    setattr(row, name, value)
            if "system_prompt" in changes:
                write_system_prompt(session, row, changes["system_prompt"], now)
            if changes:
                row.updated_at = now
            session.flush()
            return _details(session, row)

    def archive(
        self, user_id: int, threads: Sequence[ThreadName], archived: bool = True
    ) -> tuple[ThreadDetails, ...]:
        """Put threads away, or back: all of them, or none when one is not there (AppError(NOT_FOUND))."""
        check_bulk(threads)
        with self._unit.write() as session:
            rows = own_threads(session, user_id, threads, change=True)
            now = datetime.now(UTC)
            for row in rows:
                if row.is_archived is not archived:
                    row.is_archived, row.updated_at = archived, now
            session.flush()
            return read_details(session, [row.id for row in rows])

    def delete(self, user_id: int, threads: Sequence[ThreadName]) -> None:
        """See `ChatService.delete_threads`: all of them, or none."""
        self._chat.delete_threads(user_id, threads)

    def messages(
        self,
        user_id: int,
        thread: ThreadName,
        *,
        before_id: int | None = None,
        after_id: int | None = None,
        limit: int = 100,
    ) -> MessagePage:
        """Messages in order: the last ones, those before an id or those after one. AppError: NOT_FOUND, VALIDATION."""
        self._chat.close_orphans(user_id, thread)
        with self._unit.read() as session:
            return read_part(session, own_thread(session, user_id, thread).id, before_id, after_id, limit)

    def message(self, user_id: int, thread: ThreadName, message_id: int) -> Message:
        """One message; AppError(NOT_FOUND)."""
        with self._unit.read() as session:
            return read_message(session, own_thread(session, user_id, thread).id, message_id)

    def own_message(self, user_id: int, message_id: int) -> Message:
        """One message by its id alone, of any of the user's threads; AppError(NOT_FOUND)."""
        with self._unit.read() as session:
            return read_own(session, user_id, message_id)

    def newest_messages(self, user_id: int, skip: int = 0, limit: int = 100) -> MessagePage:
        """Of all threads, newest first; AppError(VALIDATION)."""
        with self._unit.read() as session:
            return read_newest(session, user_id, skip, limit)

    def add_message(self, user_id: int, thread: ThreadName, message: NewMessage) -> Message:
        """Store a message as it is; no model is asked. A system message becomes the thread's system prompt.

        AppError: NOT_FOUND, VALIDATION also while the thread is being answered.
        """
        message = checked_new(message)
        now = datetime.now(UTC)
        with self._unit.write() as session:
            row = own_thread(session, user_id, thread)
            refuse_while_answering(session, row)
            added = add_message(session, row, message, now)
            if message.role is Role.SYSTEM:
                row.system_prompt = message.content
            row.updated_at = row.last_message_at = now
            return message_of(added)

    def _check_provider(self, provider: str) -> None:
        try:
            self._registry.info(provider)
        except AppError as error:
            raise AppError(ErrorKind.VALIDATION, error.message, **error.params) from None


def _details(session: Session, row: tables.Thread) -> ThreadDetails:
    return read_details(session, [row.id])[0]
