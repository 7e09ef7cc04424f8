"""What is searched of messages, and which threads say something."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.chat import tables
from core.store.base import BigId
from core.store.matching import holds
from core.store.text import searchable

_TEXTS: Table = tables.MessageText.__table__  # type: ignore[assignment]
_DIALECTS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}


def keep_searchable(session: Session, thread_id: int, texts: Iterable[tuple[int, str]]) -> None:
    """Keep messages, by id, as they are searched; those that are gone by now are left out."""
    rows = [
        {"of_thread": thread_id, "of_message": message_id, "as_folded": as_folded}
        for message_id, text in texts
        if (as_folded := searchable(text))
    ]
    if rows:
        session.connection().execute(_STATEMENTS[session.get_bind().dialect.name], rows)


def says(session: Session, needle: str) -> ColumnElement[bool]:
    """Whether a thread has `needle` (folded) in its title or in a message.

    A thread's texts lie together and are read in one go, so a search costs what the user's own text is long and
    nothing for anybody else's.
    """
    text = tables.MessageText
    in_message = exists().where(text.thread_id == tables.Thread.id, holds(session, text.folded, needle))
    return or_(holds(session, tables.Thread.title_folded, needle), in_message)


def _statement(dialect: str) -> Any:
    message = tables.Message
    # Of a message that is gone nothing is selected: an answer may end after its thread was deleted for good.
    wanted = select(message.thread_id, message.id, bindparam("as_folded", type_=_TEXTS.c.folded.type)).where(
        message.id == bindparam("of_message", type_=BigId),
        message.thread_id == bindparam("of_thread", type_=BigId),
    )
    added = _DIALECTS[dialect].insert(_TEXTS).from_select(["thread_id", "message_id", "folded"], wanted)
    return added.on_conflict_do_update(
        index_elements=["thread_id", "message_id"], set_={"folded": added.excluded.folded}
    )


# Built once: one of them stands at the end of every answer.
_STATEMENTS = {dialect: _statement(dialect) for dialect in _DIALECTS}
