"""What a model sees of a thread: its turns, with the files that still fit and can still be read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, func, select
from sqlalchemy.orm import Session

from core.chat import tables
from core.chat.attachments import takes
from core.chat.file_store import FileStore
from core.chat.types import AttachmentInfo
from core.generation.cache import tool_call_of
from core.providers.content import Attachment, ToolCall
from core.providers.requests import MOST_BYTES
from core.providers.types import ChatMessage, ProviderInfo, Role
from core.store.base import BigId


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored message as a model may see it, its files still on the disk."""

    role: Role
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    files: tuple[AttachmentInfo, ...] = ()


def _turns_query() -> Select[int, str, str, list[dict[str, Any]] | None, bool]:
    message, file = tables.Message, tables.MessageAttachment
    thread_id, before_id = bindparam("thread_id", type_=BigId), bindparam("before_id", type_=BigId)
    # Neither looks at the row it is selected with, so a database works it out once, by the index.
    first = select(func.min(message.id)).where(message.thread_id == thread_id).correlate(None)
    between = (file.message_id >= first.scalar_subquery(), file.message_id < before_id)
    may_have_files = select(exists().where(*between)).correlate(None).scalar_subquery()
    return (
        select(message.id, message.role, message.content, message.tool_calls, may_have_files)
        # A system prompt goes to the model in its own place, not as a turn.
        .where(message.thread_id == thread_id, message.id < before_id, message.role != Role.SYSTEM.value)
        .order_by(message.id)
    )


# Built once: putting it together takes as long as running it, and it stands between Enter and the first token.
_TURNS = _turns_query()


def turns_of(session: Session, thread_id: int, before_id: int) -> tuple[Turn, ...]:
    """The turns before a message, in order: every one that says something. One query, and another one only when
    the thread may have files."""
    rows = session.execute(_TURNS, {"thread_id": thread_id, "before_id": before_id}).all()
    files = files_of(session, thread_id, before_id) if rows and rows[0][4] else {}
    turns = (
        Turn(
            Role(role),
            content,
            tuple(tool_call_of(stored) for stored in calls or ()),
            tuple(files.get(message_id, ())),
        )
        for message_id, role, content, calls, _ in rows
    )
    return tuple(turn for turn in turns if turn.text or turn.tool_calls or turn.files)


def files_of(
    session: Session, thread_id: int, before_id: int | None = None
) -> dict[int, list[AttachmentInfo]]:
    """The files of a thread by message, in the order they were added."""
    message, file = tables.Message, tables.MessageAttachment
    of_thread = and_(message.id == file.message_id, message.thread_id == thread_id)
    wanted = select(file.message_id, file.name, file.mime_type, file.size, file.sha256).join(
        message, of_thread
    )
    if before_id is not None:
        wanted = wanted.where(file.message_id < before_id)
    found: dict[int, list[AttachmentInfo]] = {}
    for message_id, name, mime_type, size, sha256 in session.execute(wanted.order_by(file.id)):
        found.setdefault(message_id, []).append(AttachmentInfo(name, mime_type, size, sha256))
    return found


def files_of_messages(session: Session, ids: Sequence[int]) -> dict[int, list[AttachmentInfo]]:
    """The files of some messages, in the order they were added."""
    file = tables.MessageAttachment
    found: dict[int, list[AttachmentInfo]] = {}
    wanted = select(file).where(file.message_id.in_(ids)).order_by(file.id)
    for row in session.scalars(wanted) if ids else ():
        info = AttachmentInfo(row.name, row.mime_type, row.size, row.sha256)
        found.setdefault(row.message_id, []).append(info)
    return found


def messages_of(
    turns: Sequence[Turn], store: FileStore, provider: ProviderInfo | None, room: int = MOST_BYTES
) -> tuple[ChatMessage, ...]:
    """The turns as a provider gets them. `room`: how many bytes of files may go along.

    The newest files go first. One that no longer fits, that is gone from the disk, or that `provider` does not
    take (None takes all) leaves a note in its place: the conversation goes on without it.
    """
    messages: list[ChatMessage] = []
    for turn in reversed(turns):
        notes: list[str] = []
        attachments: list[Attachment] = []
        for file in turn.files:
            found = _attachment(file, store, provider, room)
            if isinstance(found, str):
                notes.append(found)
            else:
                room -= file.size
                attachments.append(found)
        notes += [_asked_for(call) for call in turn.tool_calls]
        text = "\n".join([turn.text, *notes] if turn.text else notes)
        messages.append(ChatMessage(turn.role, text, tuple(attachments)))
    return tuple(reversed(messages))


def _attachment(
    file: AttachmentInfo, store: FileStore, provider: ProviderInfo | None, room: int
) -> Attachment | str:
    """The file, or what stands in its place. Models read the notes, so they are in English."""
    if provider is not None and not takes(provider, file.mime_type):
        return f"[file {file.name} was left out: this model takes no files of the type {file.mime_type}]"
    if file.size > room:
        return f"[file {file.name} was left out: the files of this conversation are too large together]"
    data = store.read(file.sha256)
    if data is None:
        return f"[file {file.name} is no longer available]"
    return Attachment(file.mime_type, data, name=file.name)


def _asked_for(call: ToolCall) -> str:
    """A function call as text: without its result no provider takes it back as one."""
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    return f"[asked for {call.name}({arguments})]"
