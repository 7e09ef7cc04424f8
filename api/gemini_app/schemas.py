"""Chat sessions and messages as the Gemini app's documents show them: a session is a thread."""

from typing import Any, Literal

from pydantic import ConfigDict, RootModel

from api.message_facts import MessageType, seconds_of, type_of
from api.schemas import Answer, ZuluMoment
from core.accounts.types import Account
from core.chat.types import ChatStats, LastMessage, Message, Thread, ThreadDetails
from core.providers.types import Role

_LAST: dict[str, Any] = {
    "id": 25,
    "role": "assistant",
    "content": "Python - отличный язык для веб-разработки...",
    "timestamp": "2024-01-20T15:30:00Z",
}
_BEGINNING: dict[str, Any] = {
    "id": 1,
    "uuid": "0b7a3c1e-6f0c-4a39-9c53-2f6b2c8d4e11",
    "user": 1,
    "user_username": "admin",
    "title": "Python разработка",
    "is_active": True,
}
_TIMES = {"created_at": "2024-01-15T10:30:00Z", "updated_at": "2024-01-20T15:30:00Z"}
_SESSION: dict[str, Any] = {**_BEGINNING, "messages_count": 12, "last_message": _LAST, **_TIMES}
_MESSAGE: dict[str, Any] = {
    "id": 27,
    "session": 1,
    "role": "assistant",
    "content": "Отличный вопрос!",
    "timestamp": "2024-01-20T16:05:03Z",
    "tokens_used": 220,
    "response_time": 2.8,
    "message_type": "text",
    "sender_type": "assistant",
    "processing_time": 2.8,
}


def _shown(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(from_attributes=True, json_schema_extra={"examples": [example]})


class LastMessageAnswer(Answer):
    """How a session ends; a long text is cut after 200 characters."""

    id: int
    role: Role
    content: str
    timestamp: ZuluMoment


class SessionAnswer(Answer):
    """A session as it stands in a list. It is active until it is archived."""

    model_config = _shown(_SESSION)

    id: int
    uuid: str
    user: int
    user_username: str
    title: str
    is_active: bool
    messages_count: int
    last_message: LastMessageAnswer | None
    created_at: ZuluMoment
    updated_at: ZuluMoment


class SessionMessage(Answer):
    """`tokens_used`: of an answer its own, reasoning included; of a question an estimate. `response_time` is seconds,
    null for what no model said. `message_type`, `sender_type` and `processing_time` are what chat clients call the
    kind of its files, its role and its seconds."""

    model_config = _shown(_MESSAGE)

    id: int
    session: int
    role: Role
    content: str
    timestamp: ZuluMoment
    tokens_used: int
    response_time: float | None
    message_type: MessageType
    sender_type: Role
    processing_time: float | None


class FullSessionAnswer(Answer):
    """A session with its messages."""

    model_config = _shown({**_BEGINNING, "messages": [_MESSAGE], **_TIMES})

    id: int
    uuid: str
    user: int
    user_username: str
    title: str
    is_active: bool
    messages: list[SessionMessage]
    created_at: ZuluMoment
    updated_at: ZuluMoment


class SentAnswer(Answer):
    """A question and its answer."""

    user_message: SessionMessage
    assistant_message: SessionMessage


class StatsAnswer(Answer):
    """All of a caller's sessions; averages are 0 while there is nothing to average."""

    total_sessions: int
    active_sessions: int
    total_messages: int
    total_tokens: int
    average_messages_per_session: float
    average_tokens_per_message: float
    recent_sessions: list[SessionAnswer]


class Detail(Answer):
    """What went wrong, in words."""

    detail: str


class FieldTexts(RootModel[dict[str, list[str]]]):
    """What is wrong with each field."""

    model_config = _shown({"title": ["Это поле не может быть пустым."]})


class ActionError(Answer):
    """What went wrong, for the app's own requests."""

    model_config = _shown({"success": False, "error": "API ключ не настроен"})

    success: Literal[False] = False
    error: str


_UNKNOWN: dict[int | str, dict[str, Any]] = {401: {"model": Detail, "description": "Nobody is signed in."}}
_REASONS = {
    403: "The CSRF token is missing.",
    404: "Not found, or not the caller's.",
    413: "Too large.",
    429: "Too many requests.",
    500: "An error of AIHub or of the provider.",
}

ERRORS: dict[int | str, dict[str, Any]] = {
    **_UNKNOWN,
    400: {"model": FieldTexts | Detail, "description": "The request cannot be taken as it is."},
    **{status: {"model": Detail, "description": text} for status, text in _REASONS.items()},
}
"""For the `responses` of what follows REST."""

ACTION_ERRORS: dict[int | str, dict[str, Any]] = {
    **_UNKNOWN,
    400: {"model": ActionError, "description": "The request cannot be taken as it is."},
    **{status: {"model": ActionError, "description": text} for status, text in _REASONS.items()},
}
"""For the `responses` of the app's own requests."""


def session_answer(details: ThreadDetails, owner: Account) -> SessionAnswer:
    """A session as it stands in a list."""
    return SessionAnswer(
        **_beginning(details.thread, owner),
        messages_count=details.message_count,
        last_message=_last_answer(details.last_message),
    )


def full_session_answer(session: Thread, owner: Account, messages: tuple[Message, ...]) -> FullSessionAnswer:
    """A session with its messages."""
    return FullSessionAnswer(
        **_beginning(session, owner), messages=[message_answer(message) for message in messages]
    )


def message_answer(message: Message) -> SessionMessage:
    """A message of a session."""
    seconds = seconds_of(message)
    return SessionMessage(
        id=message.id,
        session=message.thread_id,
        role=message.role,
        content=message.content,
        timestamp=message.created_at,
        tokens_used=message.tokens or 0,
        response_time=seconds,
        message_type=type_of(message),
        sender_type=message.role,
        processing_time=seconds,
    )


def stats_answer(stats: ChatStats, owner: Account) -> StatsAnswer:
    """The figures of a caller's sessions, averages to two decimals."""
    return StatsAnswer(
        total_sessions=stats.threads,
        active_sessions=stats.active,
        total_messages=stats.messages,
        total_tokens=stats.tokens,
        average_messages_per_session=round(stats.messages_per_thread or 0.0, 2),
        average_tokens_per_message=round(stats.tokens_per_message or 0.0, 2),
        recent_sessions=[session_answer(details, owner) for details in stats.recent],
    )


def _beginning(thread: Thread, owner: Account) -> dict[str, Any]:
    return {
        "id": thread.id,
        "uuid": thread.uuid,
        "user": thread.user_id,
        "user_username": owner.username,
        "title": thread.title,
        "is_active": not thread.is_archived,
        "created_at": thread.created_at,
        "updated_at": thread.updated_at,
    }


def _last_answer(last: LastMessage | None) -> LastMessageAnswer | None:
    if last is None:
        return None
    return LastMessageAnswer(id=last.id, role=last.role, content=last.content, timestamp=last.created_at)
