"""The rows that sending a message makes."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.categories.queries import own_category
from core.chat import tables
from core.chat.searching import keep_searchable
from core.chat.types import AttachmentInfo, MessageStatus, NewMessage, NewThread, SendOptions
from core.generation.owner import this_process
from core.providers.estimate import estimate_tokens
from core.providers.types import Role

Tags = tuple[tuple[str, str], ...]
"""What a call is counted under in the ledger, beside its model: pairs such as ("category", its name)."""


def add_thread(session: Session, user_id: int, draft: NewThread, now: datetime) -> tables.Thread:
    """Store a thread that begins now, with its system prompt as its first message.

    `draft` was checked and has a title; AppError(NOT_FOUND) when the category is not the user's.
    """
    if draft.category_id is not None:
        own_category(session, user_id, draft.category_id, keep=True)
    thread = tables.Thread(
        uuid=str(uuid.uuid4()),
        user_id=user_id,
        title=draft.title,
        provider=draft.provider,
        model=draft.model,
        system_prompt=draft.system_prompt,
        category_id=draft.category_id,
        is_pinned=draft.is_pinned,
        is_archived=draft.is_archived,
        max_tokens=draft.max_tokens,
        temperature=draft.temperature,
        created_at=now,
        updated_at=now,
        last_message_at=now,
    )
    session.add(thread)
    session.flush()
    if draft.system_prompt is not None:
        add_message(session, thread, NewMessage(Role.SYSTEM, draft.system_prompt), now)
    return thread


def add_message(
    session: Session, thread: tables.Thread, message: NewMessage, now: datetime
) -> tables.Message:
    """Store a message that was checked, and make it searchable."""
    row = tables.Message(
        thread_id=thread.id,
        role=message.role.value,
        content=message.content,
        status=MessageStatus.COMPLETE.value,
        created_at=now,
        provider=message.provider,
        model=message.model,
        tokens=message.tokens,
        meta=dict(message.meta) or None,
    )
    session.add(row)
    session.flush()
    keep_searchable(session, thread.id, [(row.id, message.content)])
    return row


def write_system_prompt(session: Session, thread: tables.Thread, text: str | None, now: datetime) -> None:
    """Change a thread's system prompt, and the message that shows it."""
    if text == thread.system_prompt:
        return
    thread.system_prompt = text
    of_thread = select(tables.Message).where(
        tables.Message.thread_id == thread.id, tables.Message.role == Role.SYSTEM.value
    )
    row = session.scalars(of_thread.order_by(tables.Message.id.desc()).limit(1)).one_or_none()
    if text is None:
        texts = delete(tables.MessageText).where(tables.MessageText.thread_id == thread.id)
        for gone in session.scalars(of_thread):
            session.execute(texts.where(tables.MessageText.message_id == gone.id))
            session.delete(gone)
    elif row is None:
        add_message(session, thread, NewMessage(Role.SYSTEM, text), now)
    else:
        row.content = text
        keep_searchable(session, thread.id, [(row.id, text)])


def answer_values(
    provider: str,
    model: str,
    now: datetime,
    options: SendOptions = SendOptions(),  # noqa: B008 - frozen
    tags: Tags = (),
) -> dict[str, Any]:
    """The columns of an answer that is about to be written by this process."""
    return {
        "with_context": options.use_context,
        "source": options.source.value,
        "tags": [list(tag) for tag in tags] or None,
        "tokens": None,
        "tokens_estimated": None,
        "content": "",
        "status": MessageStatus.STREAMING.value,
        "provider": provider,
        "model": model,
        "request_id": str(uuid.uuid4()),
        "owner": this_process(),
        "heartbeat_at": now,
        "stop_requested_at": None,
        "created_at": now,
        "started_at": now,
    }


def add_turn(
    session: Session, thread_id: int, text: str, answer: dict[str, Any], files: Sequence[AttachmentInfo] = ()
) -> tuple[int, int]:
    """Store a question and the answer to come, in this order; returns their ids."""
    question = dict.fromkeys(answer) | {
        "content": text,
        "status": MessageStatus.COMPLETE.value,
        "created_at": answer["created_at"],
        "tokens": estimate_tokens(text),
        "tokens_estimated": True,
    }
    rows = [
        {"thread_id": thread_id, "role": Role.USER.value, **question},
        {"thread_id": thread_id, "role": Role.ASSISTANT.value, **answer},
    ]
    # One statement for both: this stands between Enter and the first token.
    added = insert(tables.Message).returning(tables.Message.id, sort_by_parameter_order=True)
    question_id, answer_id = session.scalars(added, rows).all()
    if files:
        session.add_all(
            tables.MessageAttachment(
                message_id=question_id,
                name=file.name,
                mime_type=file.mime_type,
                size=file.size,
                sha256=file.sha256,
            )
            for file in files
        )
    return question_id, answer_id
