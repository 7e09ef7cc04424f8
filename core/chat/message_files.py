"""The files of messages between the disk and the database: stored before their rows, removed after them."""

from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.chat import tables
from core.chat.attachments import NewAttachment
from core.chat.file_store import FileStore
from core.chat.types import AttachmentInfo
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.unit_of_work import UnitOfWork


class MessageFiles:
    """Keeps disk and rows in step. A crash in between leaves a file too many, never a row without its file."""

    def __init__(self, unit: UnitOfWork, store: FileStore) -> None:
        self.store = store
        self._unit = unit

    @contextmanager
    def keeping(self, files: Sequence[NewAttachment]) -> Generator[tuple[AttachmentInfo, ...]]:
        """Store files while their rows are written inside; what has no row in the end is removed again."""
        if not files:
            yield ()
            return
        names: tuple[str, ...] = ()
        try:
            with self.store.stored([file.data for file in files]) as names:
                yield tuple(
                    AttachmentInfo(file.name, file.mime_type, len(file.data), name)
                    for file, name in zip(files, names, strict=True)
                )
        except BaseException:
            # What went wrong matters more than a file too many.
            with suppress(AppError):
                self.remove_unused(names)
            raise

    def of_threads(self, session: Session, which: ColumnElement[bool]) -> set[str]:
        """The names of all files in some threads."""
        message, file = tables.Message, tables.MessageAttachment
        wanted = select(file.sha256).join(message, message.id == file.message_id)
        return set(
            session.scalars(wanted.join(tables.Thread, tables.Thread.id == message.thread_id).where(which))
        )

    def remove_unused(self, names: Collection[str], older_than_seconds: float = 0.0) -> None:
        """Delete those that no message refers to, but for those stored in the last seconds."""
        if not names:
            return
        with self._unit.read() as session:
            column = tables.MessageAttachment.sha256
            used = set(session.scalars(select(column).where(column.in_(names)).distinct()))
        self.store.remove(set(names) - used, older_than_seconds)

    def read(self, session: Session, thread_id: int, message_id: int, index: int) -> bytes:
        """A file of a message, counted from 0; AppError(NOT_FOUND)."""
        message, file = tables.Message, tables.MessageAttachment
        own = (file.message_id == message_id, message.thread_id == thread_id)
        names: Sequence[str] = ()
        # An id from outside may be more than the column holds, which PostgreSQL refuses.
        if 0 < message_id < 2**63:
            wanted = select(file.sha256).join(message, message.id == file.message_id)
            names = session.scalars(wanted.where(*own).order_by(file.id)).all()
        if index not in range(len(names)):
            raise AppError(ErrorKind.NOT_FOUND, N_("There is no such file in this thread. Reload the page."))
        data = self.store.read(names[index])
        if data is None:
            raise AppError(
                ErrorKind.NOT_FOUND, N_("This file is no longer in the data folder. Attach it again.")
            )
        return data
