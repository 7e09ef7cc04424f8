"""The rows that sending a message makes."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.chat import tables
from core.chat.types import AttachmentInfo, MessageStatus
from core.generation.owner import this_process
from core.providers.types import Role


def new_thread(user_id: int, title: str, provider: str, model: str, now: datetime) -> tables.Thread:
    """A thread that begins now."""
    return tables.Thread(
        uuid=str(uuid.uuid4()),
        user_id=user_id,
        title=title,
        provider=provider,
        model=model,
        created_at=now,
        updated_at=now,
        last_message_at=now,
    )


def answer_values(provider: str, model: str, now: datetime) -> dict[str, Any]:
    """The columns of an answer that is about to be written by this process."""
    return {
        "content": "",
        "status": MessageStatus.STREAMING.value,
        "provider": provider,
        "model": model,
        "request_id": str(uuid.uuid4()),
        "owner": this_process(),
        "heartbeat_at": now,
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
