"""What a client hears over a WebSocket."""

import json
from typing import Any

from api.aihub.thread_schemas import MessageAnswer, cost_number, message_answer
from api.errors import error_object
from api.message_facts import MessageType, seconds_of, type_of
from api.schemas import Answer
from core.chat.types import Message, MessagePage
from core.errors import AppError
from core.providers.types import Role


class FileAnswer(Answer):
    name: str
    mime_type: str
    size: int


class SocketMessage(MessageAnswer):
    """A message with what a chat session says of it: its type, its sender, and the seconds an answer took."""

    message_type: MessageType
    sender_type: Role
    processing_time: float | None
    cost: float | None
    attachments: list[FileAnswer]


def socket_message(message: Message, language: str) -> dict[str, Any]:
    """A stored message as JSON."""
    answer = SocketMessage(
        **dict(message_answer(message, language)),
        message_type=type_of(message),
        sender_type=message.role,
        processing_time=seconds_of(message),
        cost=cost_number(message.cost),
        attachments=[FileAnswer.model_validate(file) for file in message.attachments],
    )
    return answer.model_dump(mode="json")


def history(page: MessagePage, language: str) -> dict[str, Any]:
    """Messages in order; `has_more`: there are older ones."""
    messages = [socket_message(message, language) for message in page.items]
    return {"type": "history", "messages": messages, "total": page.total, "has_more": page.has_more}


def failure(error: AppError, language: str, message_id: int | None = None) -> dict[str, Any]:
    """The documented error object; `message_id`: of the answer that failed."""
    about = {} if message_id is None else {"message_id": message_id}
    return {"type": "error", **error_object(error, language), **about}


def frame(data: dict[str, Any]) -> str:
    """As it goes over the wire."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False)
