"""Reading messages in parts."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.chat import tables
from core.chat.context import files_of_messages
from core.chat.rows import message_of
from core.chat.types import Message, MessagePage
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.ids import is_id
from core.store.paging import check_part


def read_part(
    session: Session, thread_id: int, before_id: int | None, after_id: int | None, limit: int
) -> MessagePage:
    """Messages of a thread in order: the last ones, those just before an id, or those just after one.

    Ids only grow, so nothing comes twice or is left out while others are added. AppError(VALIDATION).
    """
    check_part(0, limit)
    if before_id is not None and after_id is not None:
        raise AppError(
            ErrorKind.VALIDATION, N_("Messages are read before an id or after one, not both. Leave one out.")
        )
    message = tables.Message
    of_thread = message.thread_id == thread_id
    total = session.scalar(select(func.count()).select_from(message).where(of_thread)) or 0
    wanted = select(message).where(of_thread).limit(limit + 1)
    if after_id is not None:
        found = session.scalars(wanted.where(message.id > _bounded(after_id)).order_by(message.id)).all()
        rows = found[:limit]
    else:
        if before_id is not None:
            wanted = wanted.where(message.id < _bounded(before_id))
        found = session.scalars(wanted.order_by(message.id.desc())).all()
        rows = found[:limit][::-1]
    return MessagePage(_with_files(session, rows), total, len(found) > limit)


def read_newest(session: Session, user_id: int, skip: int, limit: int) -> MessagePage:
    """A user's messages of all threads, newest first. AppError(VALIDATION)."""
    check_part(skip, limit)
    message, thread = tables.Message, tables.Thread
    mine = (thread.user_id == user_id, thread.deleted_at.is_(None))
    joined = select(message.id).join(thread, thread.id == message.thread_id).where(*mine)
    total = session.scalar(select(func.count()).select_from(joined.subquery())) or 0
    ids = session.scalars(joined.order_by(message.id.desc()).offset(skip).limit(limit)).all()
    rows = session.scalars(select(message).where(message.id.in_(ids)).order_by(message.id.desc())).all()
    return MessagePage(_with_files(session, rows), total, skip + len(rows) < total)


def read_message(session: Session, thread_id: int, message_id: int) -> Message:
    """One message of a thread; AppError(NOT_FOUND)."""
    row = None
    if is_id(message_id):
        message = tables.Message
        own = select(message).where(message.id == message_id, message.thread_id == thread_id)
        row = session.scalars(own).one_or_none()
    if row is None:
        raise AppError(ErrorKind.NOT_FOUND, N_("There is no such message in this thread. Reload the page."))
    return _with_files(session, [row])[0]


def read_own(session: Session, user_id: int, message_id: int) -> Message:
    """One message of any of a user's threads; AppError(NOT_FOUND), the same for another user's."""
    row = None
    if is_id(message_id):
        message, thread = tables.Message, tables.Thread
        mine = (message.id == message_id, thread.user_id == user_id, thread.deleted_at.is_(None))
        own = select(message).join(thread, thread.id == message.thread_id).where(*mine)
        row = session.scalars(own).one_or_none()
    if row is None:
        raise AppError(ErrorKind.NOT_FOUND, N_("This message was not found. It may have been deleted."))
    return _with_files(session, [row])[0]


def _with_files(session: Session, rows: Any) -> tuple[Message, ...]:
    files = files_of_messages(session, [row.id for row in rows])
    return tuple(message_of(row, files.get(row.id, ())) for row in rows)


def _bounded(message_id: int) -> int:
    """Any number, as one that a column can be compared with."""
    return max(0, min(message_id, 2**63 - 1))
