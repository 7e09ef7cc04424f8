"""Finding a user's own rows; another user's look like none."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.chat import tables
from core.chat.types import MessageStatus
from core.errors import AppError, ErrorKind
from core.i18n import N_


def own_thread(session: Session, user_id: int, thread_uuid: str, deleted: bool = False) -> tables.Thread:
    gone = tables.Thread.deleted_at.is_not(None) if deleted else tables.Thread.deleted_at.is_(None)
    own = select(tables.Thread).where(
        tables.Thread.uuid == thread_uuid, tables.Thread.user_id == user_id, gone
    )
    row = session.scalars(own).one_or_none()
    if row is None:
        raise AppError(ErrorKind.NOT_FOUND, N_("There is no such thread. Pick another, or start a new one."))
    return row


def last_message(session: Session, thread: tables.Thread) -> tables.Message | None:
    of_thread = select(tables.Message).where(tables.Message.thread_id == thread.id)
    return session.scalars(of_thread.order_by(tables.Message.id.desc()).limit(1)).one_or_none()


def refuse_while_answering(session: Session, thread: tables.Thread) -> None:
    # Writers queue: take the thread's row first, so that two tabs cannot both pass this check.
    session.execute(update(tables.Thread).where(tables.Thread.id == thread.id).values(uuid=thread.uuid))
    last = last_message(session, thread)
    if last is not None and last.status == MessageStatus.STREAMING.value:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("This thread is still being answered. Wait for the end, or stop the answer."),
        )


def is_given(message: tables.Message) -> bool:
    """Whether an answer is complete and says something: nothing is left to try again."""
    complete = message.status == MessageStatus.COMPLETE.value
    return complete and bool(message.content or message.tool_calls)
