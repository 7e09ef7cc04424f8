"""Answers as they are followed: while this process writes them, while another does, or long after they ended."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio
from anyio import to_thread
from sqlalchemy import func, select
from sqlalchemy.orm import defer

from core.chat import tables
from core.chat.queries import own_thread
from core.chat.recording import is_orphan
from core.chat.rows import STATUS_AFTER, message_of
from core.chat.service import ChatService
from core.chat.types import MessageStatus, Sent, ThreadName
from core.errors import AppError, ErrorKind
from core.generation.engine import GenerationEngine
from core.generation.generation import Generation
from core.generation.types import Outcome, TextChunk
from core.i18n import N_
from core.pricing.types import CallCost
from core.providers.types import Role, TokenUsage
from core.store.unit_of_work import Session, UnitOfWork

POLL_SECONDS = 0.5
"""How often the text of another process is looked for; it saves it about as often."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a user's thread. `name` is the call's: an answer that is tried again gets another.

    `question_id`: the message it answers. `length`: of its text in characters as far as known when it was looked up,
    and `ended` whether that is all; None while another process writes it.
    """

    user_id: int
    thread_id: int
    message_id: int
    question_id: int | None
    name: str
    length: int | None = 0
    ended: bool = False
    generation: Generation | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How an answer ended. `length` counts the characters of its text. `error`: of one that failed or was
    interrupted. `finish_reason`: the model's, or "stopped"."""

    status: MessageStatus
    length: int
    finish_reason: str | None
    usage: TokenUsage | None
    cost: CallCost | None
    from_cache: bool
    error: AppError | None


@dataclass(frozen=True, slots=True)
class _Part:
    text: str
    ended: Ended | None


class AnswerService:
    """Scoped by `user_id`: another user's thread looks like one that does not exist."""

    def __init__(self, unit: UnitOfWork, engine: GenerationEngine, chat: ChatService) -> None:
        self._unit = unit
        self._engine = engine
        self._chat = chat

    def find(self, user_id: int, thread: ThreadName, name: str | None = None) -> Answer | None:
        """The thread's last answer, or the one of that name; AppError(NOT_FOUND) for the thread."""
        message = tables.Message
        with self._unit.read() as session:
            thread_id = own_thread(session, user_id, thread).id
            columns = (message.id, message.request_id, message.status, func.length(message.content))
            answers = select(*columns).where(
                message.thread_id == thread_id,
                message.role == Role.ASSISTANT.value,
                message.request_id.is_not(None) if name is None else message.request_id == name,
            )
            row = session.execute(answers.order_by(message.id.desc()).limit(1)).one_or_none()
            if row is None:
                return None
            message_id, request_id, status, length = row
            question_id = _question_before(session, thread_id, message_id)
        ended = status != MessageStatus.STREAMING.value
        generation = None if ended or request_id is None else self._engine.live(request_id)
        if generation is not None:
            length = len(generation.text)
        elif not ended:
            length = None
        return Answer(
            user_id, thread_id, message_id, question_id, request_id or "", length, ended, generation
        )

    def of(self, sent: Sent) -> Answer:
        """The answer to a message that was just sent."""
        return Answer(
            sent.thread.user_id,
            sent.thread.id,
            sent.message_id,
            sent.question_id,
            sent.generation.request.request_id,
            generation=sent.generation,
        )

    async def follow(
        self, answer: Answer, offset: int = 0, patience: float = 15.0
    ) -> AsyncGenerator[TextChunk | Ended | None]:
        """The text from `offset` on, as it comes, then how it ended, once and last.

        None when nothing new came for `patience` seconds. No thread is held meanwhile. AppError(NOT_FOUND) when the
        answer is taken away. Closing it ends the reading, not the answer.
        """
        position, silent = offset, 0.0
        # Between storing a message and starting its answer, as after its end, this process knows of none.
        while (generation := answer.generation or self._engine.live(answer.name)) is None:
            part = await to_thread.run_sync(self._read_on, answer, position)
            if part.text:
                yield TextChunk(position, part.text)
                position, silent = position + len(part.text), 0.0
            if part.ended is not None:
                yield part.ended
                return
            if silent >= patience:
                yield None
                silent = 0.0
            await anyio.sleep(POLL_SECONDS)
            silent += POLL_SECONDS
        # Closed with this generator: until then it is woken for every word.
        async with aclosing(generation.follow_async(position, patience)) as chunks:
            async for chunk in chunks:
                yield chunk
        yield _ended(await generation.wait_async())

    def _read_on(self, answer: Answer, position: int) -> _Part:
        message = tables.Message
        text = func.substr(message.content, position + 1)
        wanted = select(message, text).where(
            message.id == answer.message_id, message.request_id == answer.name
        )
        with self._unit.read() as session:
            # The thread may have been deleted meanwhile.
            own_thread(session, answer.user_id, answer.thread_id)
            found = session.execute(wanted.options(defer(message.content))).one_or_none()
            if found is None:
                raise AppError(
                    ErrorKind.NOT_FOUND, N_("This answer is no longer there: it was deleted, or tried again.")
                )
            row, more = found
            left_behind = is_orphan(row, self._engine, datetime.now(UTC))
            part = _Part(more, _ended_of(row))
        if left_behind:
            self._chat.close_orphans(answer.user_id, answer.thread_id)
        return part


def _ended(outcome: Outcome) -> Ended:
    return _worded(
        Ended(
            status=STATUS_AFTER[outcome.status],
            length=len(outcome.text),
            finish_reason=outcome.finish_reason.value if outcome.finish_reason else None,
            usage=outcome.usage,
            cost=outcome.cost,
            from_cache=outcome.from_cache,
            error=outcome.error,
        )
    )


def _ended_of(row: tables.Message) -> Ended | None:
    if row.status == MessageStatus.STREAMING.value:
        return None
    stored = message_of(row)
    return _worded(
        Ended(
            status=stored.status,
            length=len(stored.content),
            finish_reason=stored.finish_reason,
            usage=stored.usage,
            cost=stored.cost,
            from_cache=stored.from_cache,
            error=stored.error,
        )
    )


def _worded(ended: Ended) -> Ended:
    if ended.status is MessageStatus.STOPPED:
        return replace(ended, finish_reason="stopped")
    if ended.status is MessageStatus.INTERRUPTED:
        error = AppError(
            ErrorKind.INTERRUPTED,
            N_(
                "AIHub ended while this was being written. What had been saved is kept; ask again for the rest."
            ),
        )
        return replace(ended, error=error)
    return ended


def _question_before(session: Session, thread_id: int, message_id: int) -> int | None:
    message = tables.Message
    asked = (message.thread_id == thread_id, message.role == Role.USER.value, message.id < message_id)
    return session.scalar(select(func.max(message.id)).where(*asked))
