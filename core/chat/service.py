"""Chat: threads and messages of one user, and the answers being written in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.chat import tables
from core.chat.attachments import NewAttachment, check_attachments, check_taken
from core.chat.context import Turn, files_of, messages_of, turns_of
from core.chat.message_files import MessageFiles
from core.chat.queries import is_given, last_message, own_thread, refuse_while_answering
from core.chat.recording import MessageRecorder, is_orphan, recover
from core.chat.rows import message_of, thread_of
from core.chat.types import AttachmentInfo, Message, MessageStatus, Sent, Thread
from core.chat.wording import checked_message, checked_title, title_from
from core.chat.writing import add_turn, answer_values, new_thread
from core.errors import AppError, ErrorKind
from core.generation.engine import GenerationEngine
from core.generation.generation import Generation
from core.generation.model_names import clean_model
from core.generation.settling import CallPricer
from core.generation.types import GenerationRequest, RequestShaper, Shaped
from core.i18n import N_
from core.providers.content import Attachment
from core.providers.registry import ProviderRegistry
from core.providers.requests import MOST_BYTES
from core.providers.types import ChatMessage, CompletionRequest, ProviderInfo, Role
from core.store.unit_of_work import UnitOfWork
from core.usage.ledger import Ledger
from core.usage.types import Source

# A deleted thread can be brought back for the 10 seconds the page offers it, with some to spare.
UNDO_FOR = timedelta(seconds=30)
_THREADS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who is asked, and how this user wants it asked."""

    user_id: int
    provider: ProviderInfo
    shaped: Shaped


@dataclass(frozen=True, slots=True)
class _Ready:
    """An answer that is stored and may begin. `turns`: the stored ones before it; `question`: one that is still
    in memory with its files."""

    thread: Thread
    message_id: int
    request_id: str
    system_prompt: str | None
    turns: tuple[Turn, ...]
    question: ChatMessage | None = None


class ChatService:
    """Every verb is scoped by `user_id`: another user's thread looks like one that does not exist."""

    def __init__(
        self,
        unit: UnitOfWork,
        ledger: Ledger,
        engine: GenerationEngine,
        registry: ProviderRegistry,
        pricer: CallPricer,
        shaper: RequestShaper,
        files: MessageFiles,
    ) -> None:
        self._unit = unit
        self._ledger = ledger
        self._engine = engine
        self._registry = registry
        self._pricer = pricer
        self._shaper = shaper
        self._files = files

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
            names = self._files.of_threads(session, expired)
            session.execute(delete(tables.Thread).where(expired))
        # A younger file may belong to a message that another process is just about to store.
        self._files.remove_unused(names, UNDO_FOR.total_seconds())

    def restore_thread(self, user_id: int, thread_uuid: str) -> Thread:
        """Undo `delete_thread`; AppError(not_found) when it is too late."""
        with self._unit.write() as session:
            row = own_thread(session, user_id, thread_uuid, deleted=True)
            row.deleted_at = None
            return thread_of(row)

    def send(
        self,
        user_id: int,
        thread_uuid: str | None,
        text: str,
        provider: str,
        model: str,
        attachments: Sequence[NewAttachment] = (),
    ) -> Sent:
        """Store a message and start its answer; without a thread, in a new one named after the message.

        The text may be empty when there are attachments. Raises AppError before anything is stored or sent: an
        empty or oversized text, a file that is too big or that the provider does not take, a provider without a
        key, a thread that is still being answered, a database that cannot be written.
        """
        text = checked_message(text, may_be_empty=bool(attachments))
        asked = self._ask(user_id, provider, model.strip())
        files = check_attachments(attachments, asked.provider, model.strip()) if attachments else ()
        with self._files.keeping(files) as infos, self._unit.write() as session:
            ready = self._store_turn(session, asked, thread_uuid, text, files, infos)
        return self._launch(asked, ready)

    def retry(self, user_id: int, thread_uuid: str, message_id: int, provider: str, model: str) -> Sent:
        """Ask again for an answer that failed or was cut short; the new one takes its place.

        The earlier call stays in the ledger.
        """
        asked = self._ask(user_id, provider, model.strip())
        with self._unit.write() as session:
            thread = own_thread(session, user_id, thread_uuid)
            refuse_while_answering(session, thread)
            last = last_message(session, thread)
            if last is None or last.id != message_id or is_given(last):
                raise AppError(ErrorKind.VALIDATION, N_("Only the last answer can be tried again."))
            turns = turns_of(session, thread.id, last.id)
            if turns:
                check_taken(turns[-1].files, asked.provider, asked.shaped.completion.model)
            thread.provider, thread.model = provider, asked.shaped.completion.model
            last.error_kind = last.error_message = last.error_params = None
            last.tool_calls = last.flag = last.fallback_from = None
            answer = answer_values(provider, thread.model, datetime.now(UTC))
            for name, value in answer.items():
                setattr(last, name, value)
            ready = _Ready(thread_of(thread), last.id, answer["request_id"], thread.system_prompt, turns)
        return self._launch(asked, ready)

    def attachment(self, user_id: int, thread_uuid: str, message_id: int, index: int) -> bytes:
        """The bytes of a file of one's own message, counted from 0; AppError(NOT_FOUND)."""
        with self._unit.read() as session:
            thread = own_thread(session, user_id, thread_uuid)
            return self._files.read(session, thread.id, message_id, index)

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
            files = files_of(session, thread.id)
            messages = [message_of(row, files.get(row.id, ())) for row in rows]
            return messages, thread.id if left_behind else None

    def _recover(self, session: Session, thread_id: int | None = None) -> int:
        return recover(session, self._ledger, self._pricer, self._engine, self._files.store, thread_id)

    def _ask(self, user_id: int, provider: str, model: str) -> _Asked:
        if not model:
            raise AppError(ErrorKind.VALIDATION, N_("Pick a model first."))
        model = clean_model(model)
        info = self._registry.route(provider, user_id).provider.info
        # Before anything is stored: settings that cannot be used are a reason not to.
        return _Asked(user_id, info, self._shaper.shape(user_id, provider, CompletionRequest(model, ())))

    def _store_turn(
        self,
        session: Session,
        asked: _Asked,
        thread_uuid: str | None,
        text: str,
        files: Sequence[NewAttachment],
        infos: Sequence[AttachmentInfo],
    ) -> _Ready:
        now = datetime.now(UTC)
        provider, model = asked.provider.id, asked.shaped.completion.model
        if thread_uuid is None:
            title = title_from(text or files[0].name)
            thread = new_thread(asked.user_id, title, provider, model, now)
            session.add(thread)
            session.flush()
        else:
            thread = own_thread(session, asked.user_id, thread_uuid)
            refuse_while_answering(session, thread)
            thread.provider, thread.model = provider, model
            thread.updated_at = thread.last_message_at = now
        answer = answer_values(provider, model, now)
        question_id, message_id = add_turn(session, thread.id, text, answer, infos)
        turns = turns_of(session, thread.id, question_id) if thread_uuid is not None else ()
        question = ChatMessage(
            Role.USER, text, tuple(Attachment(file.mime_type, file.data, name=file.name) for file in files)
        )
        request_id: str = answer["request_id"]
        return _Ready(thread_of(thread), message_id, request_id, thread.system_prompt, turns, question)

    def _launch(self, asked: _Asked, ready: _Ready) -> Sent:
        question = (ready.question,) if ready.question is not None else ()
        taken = sum(len(file.data or b"") for message in question for file in message.attachments)
        # Files are read here, after the transaction: it holds the only writer's place.
        context = messages_of(ready.turns, self._files.store, asked.provider, MOST_BYTES - taken)
        shaped = asked.shaped
        completion = replace(
            shaped.completion,
            messages=(*context, *question),
            # What the thread says of itself stands over what the user wants of the model in general.
            system_prompt=ready.system_prompt or shaped.completion.system_prompt,
        )
        request = GenerationRequest(
            request_id=ready.request_id,
            user_id=asked.user_id,
            source=Source.CHAT,
            provider=asked.provider.id,
            completion=completion,
            thread_id=ready.thread.id,
            message_id=ready.message_id,
            fallbacks=shaped.fallbacks,
            use_cache=shaped.use_cache,
        )
        generation = self._engine.start(request, MessageRecorder(ready.message_id, ready.request_id))
        return Sent(ready.thread, ready.message_id, generation)
