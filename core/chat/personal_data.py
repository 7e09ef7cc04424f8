"""What the chat keeps of a person: threads, messages, and the files in them."""

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.personal_data import Record, rows
from core.chat.message_files import MessageFiles
from core.chat.service import ChatService
from core.chat.tables import Message, MessageAttachment, Thread
from core.chat.types import MessageStatus
from core.store.unit_of_work import UnitOfWork

_THREAD = (
    "id",
    "uuid",
    "title",
    "provider",
    "model",
    "system_prompt",
    "category_id",
    "is_pinned",
    "is_archived",
    "created_at",
    "updated_at",
    "last_message_at",
)
_MESSAGE = (
    "id",
    "thread_id",
    "role",
    "content",
    "status",
    "created_at",
    "provider",
    "model",
    "request_id",
    "usage",
    "cost_nano",
    "currency",
    "finish_reason",
    "latency_ms",
    "tool_calls",
)
_FILE = ("id", "message_id", "name", "mime_type", "size", "sha256")
# A younger file may belong to a message that another process is just about to store.
_YOUNG_SECONDS = 2.0


class ChatData:
    """The chat's part of an export and of a deletion (it is a `PersonalRoom`)."""

    def __init__(self, unit: UnitOfWork, chat: ChatService, files: MessageFiles) -> None:
        self._unit = unit
        self._chat = chat
        self._files = files

    def export(self, session: Session, user_id: int) -> Iterator[tuple[str, Iterable[Record]]]:
        """threads, messages and files: what is deleted and can only be undone stays out; files without bytes."""
        mine = (Thread.user_id == user_id) & Thread.deleted_at.is_(None)
        yield "threads", rows(session, Thread, mine, _THREAD)
        of_mine = Message.thread_id.in_(select(Thread.id).where(mine))
        yield "messages", rows(session, Message, of_mine, _MESSAGE, ("thread_id", "id"))
        in_mine = MessageAttachment.message_id.in_(select(Message.id).where(of_mine))
        yield "files", rows(session, MessageAttachment, in_mine, _FILE)

    def stop(self, user_id: int) -> None:
        """Stop every answer that this process is writing for the user."""
        streaming = Message.status == MessageStatus.STREAMING.value
        wanted = select(Thread.uuid).join(Message, Message.thread_id == Thread.id)
        mine = (Thread.user_id == user_id, Thread.deleted_at.is_(None))
        with self._unit.read() as session:
            answering = session.scalars(wanted.where(*mine, streaming).distinct()).all()
        for thread_uuid in answering:
            self._chat.stop(user_id, thread_uuid)

    def erase(self, session: Session, user_id: int) -> Callable[[], None]:
        """The rows hang on the account's; the files on the disk go after them, but for those of other people."""
        names = self._files.of_threads(session, Thread.user_id == user_id)
        return lambda: self._files.remove_unused(names, _YOUNG_SECONDS)
