"""Finding a user's own rows; another user's look like none."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core.chat import tables
from core.chat.types import MessageStatus, ThreadName
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.types import Role
from core.store.ids import is_id
from core.store.text import storable

MOST_AT_ONCE = 1_000


def own_thread(session: Session, user_id: int, name: ThreadName, deleted: bool = False) -> tables.Thread:
    """AppError(NOT_FOUND), the same for another user's."""
    gone = tables.Thread.deleted_at.is_not(None) if deleted else tables.Thread.deleted_at.is_(None)
    own = select(tables.Thread).where(
        # A name comes from an address, where anything may stand.
        tables.Thread.uuid == storable(name) if isinstance(name, str) else tables.Thread.id == name,
        tables.Thread.user_id == user_id,
        gone,
    )
    row = session.scalars(own).one_or_none() if isinstance(name, str) or is_id(name) else None
    if row is None:
        raise no_thread()
    return row


def no_thread() -> AppError:
    return AppError(ErrorKind.NOT_FOUND, N_("There is no such thread. Pick another, or start a new one."))


def last_message(session: Session, thread: tables.Thread) -> tables.Message | None:
    """The last that was said; a system prompt may have been set after it."""
    of_thread = select(tables.Message).where(
        tables.Message.thread_id == thread.id, tables.Message.role != Role.SYSTEM.value
    )
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


def titles(session: Session, user_id: int, thread_ids: Sequence[int]) -> dict[int, str]:
    """The titles of those of `thread_ids` that are the user's own and still there."""
    own = select(tables.Thread.id, tables.Thread.title).where(
        tables.Thread.id.in_(thread_ids), tables.Thread.user_id == user_id, tables.Thread.deleted_at.is_(None)
    )
    return {row.id: row.title for row in session.execute(own)}


def existing(session: Session, scope: int | None, thread_ids: Sequence[int]) -> set[int]:
    """Those of `thread_ids` that are still there and of user `scope`; None: of anybody."""
    there = select(tables.Thread.id).where(
        tables.Thread.id.in_(thread_ids), tables.Thread.deleted_at.is_(None)
    )
    if scope is not None:
        there = there.where(tables.Thread.user_id == scope)
    return set(session.execute(there).scalars())


def thread_with(
    session: Session, user_id: int, message_id: int, request_id: str, called_at: datetime
) -> tables.Thread | None:
    """The user's own thread that holds the message a call was made for; None when it is gone.

    A database may give the number of a deleted message to a new one, which is younger than the call.
    """
    message = tables.Message
    same = or_(message.request_id == request_id, message.created_at <= called_at)
    own = (
        select(tables.Thread)
        .join(message, message.thread_id == tables.Thread.id)
        .where(
            message.id == message_id,
            tables.Thread.user_id == user_id,
            tables.Thread.deleted_at.is_(None),
            same,
        )
    )
    return session.scalars(own).one_or_none()


def check_bulk(names: Sequence[ThreadName]) -> None:
    """AppError(VALIDATION) when these are more threads than one transaction should change."""
    if len(names) > MOST_AT_ONCE:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("These are {count} threads; at most {limit} go at once. Send them in parts."),
            count=len(names),
            limit=MOST_AT_ONCE,
        )


def own_threads(
    session: Session, user_id: int, names: Sequence[ThreadName], *, change: bool = False
) -> list[tables.Thread]:
    """All of them, each once, in their order; AppError(NOT_FOUND) when one is not the user's.

    `change`: nobody else changes them before this transaction ends.
    """
    ids = {name for name in names if isinstance(name, int) and is_id(name)}
    uuids = {storable(name) for name in names if isinstance(name, str)}
    wanted = or_(tables.Thread.id.in_(ids), tables.Thread.uuid.in_(uuids))
    own = (tables.Thread.user_id == user_id, tables.Thread.deleted_at.is_(None), wanted)
    query = select(tables.Thread).where(*own).order_by(tables.Thread.id)
    found: dict[ThreadName, tables.Thread] = {}
    for row in session.scalars(query.with_for_update() if change else query):
        found[row.id] = found[row.uuid] = row
    if any(name not in found for name in names):
        raise no_thread()
    return list({found[name].id: found[name] for name in names}.values())


def being_written(session: Session, thread_id: int) -> Sequence[tables.Message]:
    """A thread's answers that have not ended."""
    message = tables.Message
    running = (message.thread_id == thread_id, message.status == MessageStatus.STREAMING.value)
    return session.scalars(select(message).where(*running)).all()
