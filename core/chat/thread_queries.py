"""Reading a user's threads in parts, with what a list shows of each."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from core.categories.queries import categories_by_id
from core.chat import tables
from core.chat.rows import thread_of
from core.chat.searching import says
from core.chat.types import ChatStats, LastMessage, ThreadCursor, ThreadDetails, ThreadPage, ThreadQuery
from core.providers.types import Role
from core.store.ids import is_id
from core.store.matching import needle_of
from core.store.paging import check_part

PREVIEW_CHARS = 200
RECENT = 5
_NOTHING = ThreadPage((), 0, None)


def read_page(session: Session, user_id: int, query: ThreadQuery) -> ThreadPage:
    """The threads that match, newest activity first. AppError(VALIDATION) for a part or search out of bounds.

    The threads of one user are found by an index. A search also reads the texts of that user's messages, from
    beginning to end; figures of other users' threads and messages are never touched.
    """
    check_part(query.skip, query.limit)
    if query.category_id is not None and not is_id(query.category_id):
        return _NOTHING
    thread = tables.Thread
    matching = _matching(session, user_id, query)
    # One pass finds the part and counts the whole: a search would read every text twice.
    part = select(thread.id, thread.last_message_at, func.count().over().label("total")).where(*matching)
    if query.after is None:
        rows = session.execute(_in_order(part).offset(query.skip).limit(query.limit)).all()
        total = rows[0].total if rows else _count(session, matching) if query.skip else 0
    else:
        # Counted before the part that is left out is left out.
        whole = part.subquery()
        cursor = query.after
        behind = or_(
            whole.c.last_message_at < cursor.last_message_at,
            and_(whole.c.last_message_at == cursor.last_message_at, whole.c.id < cursor.id),
        )
        ordered = select(whole).where(behind).order_by(whole.c.last_message_at.desc(), whole.c.id.desc())
        rows = session.execute(ordered.offset(query.skip).limit(query.limit)).all()
        total = rows[0].total if rows else _count(session, matching)
    more = ThreadCursor(rows[-1].last_message_at, rows[-1].id) if len(rows) == query.limit else None
    return ThreadPage(read_details(session, [row.id for row in rows]), total, more)


def read_details(session: Session, ids: Sequence[int]) -> tuple[ThreadDetails, ...]:
    """Some of the user's own threads, in this order, with category, number of messages and the last of them."""
    if not ids:
        return ()
    thread, message = tables.Thread, tables.Message
    rows = {row.id: row for row in session.scalars(select(thread).where(thread.id.in_(ids)))}
    categories = categories_by_id(session, [row.category_id for row in rows.values()])
    of_thread = message.thread_id == thread.id
    count = select(func.count()).select_from(message).where(of_thread).scalar_subquery()
    spoken = select(message.id).where(of_thread, message.role != Role.SYSTEM.value)
    newest = spoken.order_by(message.id.desc()).limit(1).scalar_subquery()
    figures = session.execute(select(thread.id, count, newest).where(thread.id.in_(ids))).all()
    counted: dict[int, tuple[int, int | None]] = {row[0]: (row[1], row[2]) for row in figures}
    last = _last_messages(session, [last_id for _, last_id in counted.values() if last_id is not None])
    return tuple(
        ThreadDetails(
            thread_of(rows[thread_id]),
            categories.get(rows[thread_id].category_id),
            counted[thread_id][0],
            last.get(counted[thread_id][1]),
        )
        for thread_id in ids
        if thread_id in rows
    )


def read_stats(session: Session, user_id: int) -> ChatStats:
    """A user's conversations in figures; from indexes, without reading a message."""
    thread, message = tables.Thread, tables.Message
    mine = (thread.user_id == user_id, thread.deleted_at.is_(None))
    active = func.count().filter(thread.is_archived.is_(False))
    threads, active_threads = session.execute(select(func.count(), active).where(*mine)).one()
    of_mine = select(func.count(), func.coalesce(func.sum(message.tokens), 0)).join(
        thread, thread.id == message.thread_id
    )
    messages, summed = session.execute(of_mine.where(*mine)).one()
    # PostgreSQL sums integers into a decimal.
    tokens = int(summed or 0)
    return ChatStats(
        threads=threads,
        active=active_threads,
        messages=messages,
        tokens=tokens,
        messages_per_thread=messages / threads if threads else None,
        tokens_per_message=tokens / messages if messages else None,
        recent=read_page(session, user_id, ThreadQuery(limit=RECENT)).items,
    )


def _matching(session: Session, user_id: int, query: ThreadQuery) -> list[Any]:
    thread = tables.Thread
    matching: list[Any] = [thread.user_id == user_id, thread.deleted_at.is_(None)]
    if query.category_id is not None:
        matching.append(thread.category_id == query.category_id)
    if query.is_archived is not None:
        matching.append(thread.is_archived.is_(query.is_archived))
    if query.is_pinned is not None:
        matching.append(thread.is_pinned.is_(query.is_pinned))
    if (needle := needle_of(query.search)) is not None:
        matching.append(says(session, needle))
    return matching


def _in_order(part: Any) -> Any:
    return part.order_by(tables.Thread.last_message_at.desc(), tables.Thread.id.desc())


def _count(session: Session, matching: Sequence[Any]) -> int:
    return session.scalar(select(func.count()).select_from(tables.Thread).where(*matching)) or 0


def _last_messages(session: Session, ids: Sequence[int]) -> dict[int | None, LastMessage]:
    message = tables.Message
    # The first characters only: a long answer is not carried for the sake of a line in a list.
    wanted = select(
        message.id,
        message.role,
        func.substr(message.content, 1, PREVIEW_CHARS).label("begin"),
        message.created_at,
    ).where(message.id.in_(ids))
    return {
        row.id: LastMessage(row.id, Role(row.role), row.begin, row.created_at)
        for row in session.execute(wanted)
    }
