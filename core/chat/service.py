"""Chat: threads and messages of one user, and the answers being written in them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.chat import tables
from core.chat.queries import last_message, own_thread, refuse_while_answering
from core.chat.recording import MessageRecorder, context_of, is_orphan, recover
from core.chat.rows import message_of, thread_of
from core.chat.types import Message, MessageStatus, Sent, Thread
from core.chat.wording import checked_message, checked_title, title_from
from core.errors import AppError, ErrorKind
from core.generation.engine import GenerationEngine
from core.generation.generation import Generation
from core.generation.owner import this_process
from core.generation.settling import CallPricer
from core.generation.types import GenerationRequest
from core.i18n import N_
from core.providers.registry import ProviderRegistry
from core.providers.types import CompletionRequest, Role
from core.store.unit_of_work import UnitOfWork
from core.usage.ledger import Ledger
from core.usage.types import Source

# A deleted thread can be brought back for the 10 seconds the page offers it, with some to spare.
UNDO_FOR = timedelta(seconds=30)
_THREADS_SHOWN = 200

# Thread, message id, request id and what is asked of the model.
_Ready = tuple[Thread, int, str, CompletionRequest]


class ChatService:
    """Every verb is scoped by `user_id`: another user's thread looks like one that does not exist."""

    def __init__(
        self,
        unit: UnitOfWork,
        ledger: Ledger,
        engine: GenerationEngine,
        registry: ProviderRegistry,
        pricer: CallPricer,
    ) -> None:
        self._unit = unit
        self._ledger = ledger
        self._engine = engine
        self._registry = registry
        self._pricer = pricer

    def threads(self, user_id: int) -> list[Thread]:
        """The user's threads, newest activity first (at most 200)."""
        with self._unit.read() as session:
            mine = (tables.Thread.user_id == user_id, tables.Thread.deleted_at.is_(None))
            newest = (tables.Thread.last_message_at.desc(), tables.Thread.id.desc())
            rows = session.scalars(select(tables.Thread).where(*mine).order_by(*newest).limit(_THREADS_SHOWN))
            return [thread_of(row) for row in rows]

    def thread(self, user_id: int, thread_uuid: str) -> Thread:
        """One thread; AppError(not_found) when there is none of that name for this user."""
        with self._unit.read() as session:
            return thread_of(own_thread(session, user_id, thread_uuid))

    def messages(self, user_id: int, thread_uuid: str) -> list[Message]:
        """The thread's messages in order. Answers whose writer died are closed on the way."""
        messages, left_behind = self._read(user_id, thread_uuid)
        if left_behind is not None:
            with self._unit.write() as session:
                self._recover(session, left_behind)
            messages, _again = self._read(user_id, thread_uuid)
        return messages

    def rename_thread(self, user_id: int, thread_uuid: str, title: str) -> Thread:
        """Give a thread a title of 1 to 80 characters."""
        title = checked_title(title)
        with self._unit.write() as session:
            row = own_thread(session, user_id, thread_uuid)
            row.title, row.updated_at = title, datetime.now(UTC)
            return thread_of(row)

    def delete_thread(self, user_id: int, thread_uuid: str) -> None:
        """Hide a thread at once and stop its answer; it goes for good when it can no longer be undone.

        Its calls stay in the ledger: what was spent was spent.
        """
        self.stop(user_id, thread_uuid)
        now = datetime.now(UTC)
        with self._unit.write() as session:
            own_thread(session, user_id, thread_uuid).deleted_at = now
            expired = tables.Thread.deleted_at < now - UNDO_FOR
            session.execute(delete(tables.Thread).where(expired))

    def restore_thread(self, user_id: int, thread_uuid: str) -> Thread:
        """Undo `delete_thread`; AppError(not_found) when it is too late."""
        with self._unit.write() as session:
            row = own_thread(session, user_id, thread_uuid, deleted=True)
            row.deleted_at = None
            return thread_of(row)

    def send(self, user_id: int, thread_uuid: str | None, text: str, provider: str, model: str) -> Sent:
        """Store a message and start its answer; without a thread, in a new one named after the message.

        Raises AppError before anything is stored or sent: empty or oversized text, a provider without
        a key, a thread that is still being answered, a database that cannot be written.
        """
        text = checked_message(text)
        model = model.strip()
        if not model:
            raise AppError(ErrorKind.VALIDATION, N_("Pick a model first."))
        self._registry.get(provider)
        now = datetime.now(UTC)
        with self._unit.write() as session:
            if thread_uuid is None:
                thread = _new_thread(user_id, title_from(text), provider, model, now)
                session.add(thread)
                session.flush()
            else:
                thread = own_thread(session, user_id, thread_uuid)
                refuse_while_answering(session, thread)
                thread.provider, thread.model = provider, model
                thread.updated_at = thread.last_message_at = now
            answer = _answer_values(provider, model, now)
            message_id = _add_turn(session, thread.id, text, answer)
            ready = _ready(session, thread, message_id, answer)
        return self._launch(user_id, *ready)

    def retry(self, user_id: int, thread_uuid: str, message_id: int, provider: str, model: str) -> Sent:
        """Ask again for an answer that failed or was cut short; the new one takes its place.

        The earlier call stays in the ledger.
        """
        self._registry.get(provider)
        with self._unit.write() as session:
            thread = own_thread(session, user_id, thread_uuid)
            refuse_while_answering(session, thread)
            last = last_message(session, thread)
            if last is None or last.id != message_id or last.status == MessageStatus.COMPLETE.value:
                raise AppError(ErrorKind.VALIDATION, N_("Only the last answer can be tried again."))
            thread.provider, thread.model = provider, model
            last.error_kind = last.error_message = last.error_params = None
            answer = _answer_values(provider, model, datetime.now(UTC))
            for name, value in answer.items():
                setattr(last, name, value)
            ready = _ready(session, thread, last.id, answer)
        return self._launch(user_id, *ready)

    def live(self, message: Message) -> Generation | None:
        """The running answer behind a message, when this process is writing it."""
        return self._engine.live(message.request_id) if message.request_id else None

    def stop(self, user_id: int, thread_uuid: str) -> bool:
        """Stop the thread's answer and keep its text so far; False when nothing was running here."""
        streaming = [m for m in self._read(user_id, thread_uuid)[0] if m.status is MessageStatus.STREAMING]
        stopped = False
        for message in streaming:
            generation = self.live(message)
            if generation is not None and self._engine.stop(generation.request.request_id):
                generation.wait(5.0)
                stopped = True
        return stopped

    def recover(self) -> int:
        """At start: close every answer that a crash left open; returns how many there were."""
        with self._unit.write() as session:
            return self._recover(session)

    def _read(self, user_id: int, thread_uuid: str) -> tuple[list[Message], int | None]:
        """The thread's messages, and its id when one of them has to be closed (which takes a write)."""
        now = datetime.now(UTC)
        with self._unit.read() as session:
            thread = own_thread(session, user_id, thread_uuid)
            of_thread = select(tables.Message).where(tables.Message.thread_id == thread.id)
            rows = session.scalars(of_thread.order_by(tables.Message.id)).all()
            left_behind = any(is_orphan(row, self._engine, now) for row in rows)
            return [message_of(row) for row in rows], thread.id if left_behind else None

    def _recover(self, session: Session, thread_id: int | None = None) -> int:
        return recover(session, self._ledger, self._pricer, self._engine, thread_id)

    def _launch(
        self, user_id: int, thread: Thread, message_id: int, request_id: str, completion: CompletionRequest
    ) -> Sent:
        request = GenerationRequest(
            request_id=request_id,
            user_id=user_id,
            source=Source.CHAT,
            provider=thread.provider,
            completion=completion,
            thread_id=thread.id,
            message_id=message_id,
        )
        generation = self._engine.start(request, MessageRecorder(message_id, request_id))
        return Sent(thread, message_id, generation)


def _new_thread(user_id: int, title: str, provider: str, model: str, now: datetime) -> tables.Thread:
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


def _answer_values(provider: str, model: str, now: datetime) -> dict[str, Any]:
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


def _add_turn(session: Session, thread_id: int, text: str, answer: dict[str, Any]) -> int:
    """Store a question and the answer to come, in this order; returns the answer's id."""
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
    return session.scalars(added, rows).all()[1]


def _ready(session: Session, thread: tables.Thread, message_id: int, answer: dict[str, Any]) -> _Ready:
    request = CompletionRequest(
        answer["model"], context_of(session, thread, message_id), thread.system_prompt
    )
    return thread_of(thread), message_id, answer["request_id"], request
