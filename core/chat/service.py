"""Chat: threads and messages of one user, and the answers being written in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.chat import queries, tables
from core.chat.attachments import NewAttachment, check_attachments, check_taken
from core.chat.context import Turn, files_of, messages_of, turns_of
from core.chat.message_files import MessageFiles
from core.chat.queries import (
    being_written,
    check_bulk,
    is_given,
    last_message,
    own_thread,
    own_threads,
    refuse_while_answering,
)
from core.chat.recording import MessageRecorder, ask_to_stop, is_orphan, recover
from core.chat.rows import message_of, thread_of
from core.chat.settings import AS_USUAL, first_options, tags_of, with_settings
from core.chat.types import AttachmentInfo, Message, NewThread, SendOptions, Sent, Thread, ThreadName
from core.chat.wording import checked_draft, checked_message, checked_options, checked_title, title_from
from core.chat.writing import Tags, add_thread, add_turn, answer_values
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

# A deleted thread can be brought back for the 10 seconds the page offers it, with some to spare.
UNDO_FOR = timedelta(seconds=30)
_THREADS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who is asked, and how this user wants it asked: of this model always, and this time."""

    user_id: int
    provider: ProviderInfo
    shaped: Shaped
    options: SendOptions


@dataclass(frozen=True, slots=True)
class _Ready:
    """An answer that is stored and may begin. `turns`: the stored ones before it; `question`: one that is still
    in memory with its files."""

    thread: Thread
    message_id: int
    request_id: str
    turns: tuple[Turn, ...]
    tags: Tags
    question: ChatMessage | None = None
    question_id: int | None = None


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
        """The user's threads that are not archived, newest activity first (at most 200)."""
        with self._unit.read() as session:
            shown = (tables.Thread.deleted_at.is_(None), tables.Thread.is_archived.is_(False))
            mine = (tables.Thread.user_id == user_id, *shown)
            newest = (tables.Thread.last_message_at.desc(), tables.Thread.id.desc())
            rows = session.scalars(select(tables.Thread).where(*mine).order_by(*newest).limit(_THREADS_SHOWN))
            return [thread_of(row) for row in rows]

    def thread(self, user_id: int, thread: ThreadName) -> Thread:
        """One thread; AppError(not_found) when there is none of that name for this user."""
        with self._unit.read() as session:
            return thread_of(own_thread(session, user_id, thread))

    def titles(self, user_id: int, thread_ids: Sequence[int]) -> dict[int, str]:
        """The titles of threads by their ids, without those that are gone or another user's."""
        if not thread_ids:
            return {}
        with self._unit.read() as session:
            return queries.titles(session, user_id, thread_ids)

    def existing(self, scope: int | None, thread_ids: Sequence[int]) -> set[int]:
        """Those of the threads of user `scope` (None: of anybody) that are still there."""
        if not thread_ids:
            return set()
        with self._unit.read() as session:
            return queries.existing(session, scope, thread_ids)

    def thread_with(
        self, user_id: int, message_id: int, request_id: str, called_at: datetime
    ) -> Thread | None:
        """The thread that holds the message which a call was made for; None when it is gone, or another user's.

        `request_id`, `called_at` (aware): those of the call.
        """
        with self._unit.read() as session:
            row = queries.thread_with(session, user_id, message_id, request_id, called_at)
            return thread_of(row) if row is not None else None

    def messages(self, user_id: int, thread: ThreadName) -> list[Message]:
        """The thread's messages in order. Answers whose writer died are closed on the way."""
        messages, left_behind = self._read(user_id, thread)
        if left_behind is not None:
            self._recover(left_behind)
            messages, _again = self._read(user_id, thread)
        return messages

    def close_orphans(self, user_id: int, thread: ThreadName) -> None:
        """Close a thread's answers whose writer died, without reading the others; AppError(NOT_FOUND)."""
        now = datetime.now(UTC)
        with self._unit.read() as session:
            thread_id = own_thread(session, user_id, thread).id
            running = any(is_orphan(row, self._engine, now) for row in being_written(session, thread_id))
        if running:
            self._recover(thread_id)

    def rename_thread(self, user_id: int, thread: ThreadName, title: str) -> Thread:
        """Give a thread a title of 1 to 200 characters."""
        title = checked_title(title)
        with self._unit.write() as session:
            row = own_thread(session, user_id, thread)
            row.title, row.updated_at = title, datetime.now(UTC)
            return thread_of(row)

    def delete_thread(self, user_id: int, thread: ThreadName) -> None:
        """Hide a thread at once and stop its answer; it goes for good when it can no longer be undone.

        Its calls stay in the ledger: what was spent was spent.
        """
        self.delete_threads(user_id, [thread])

    def delete_threads(self, user_id: int, threads: Sequence[ThreadName]) -> None:
        """The same for several: all of them, or none when one is not there (AppError(NOT_FOUND))."""
        check_bulk(threads)
        with self._unit.read() as session:
            names = [row.uuid for row in own_threads(session, user_id, threads)]
        for name in names:
            self.stop(user_id, name)
        now = datetime.now(UTC)
        with self._unit.write() as session:
            for row in own_threads(session, user_id, names, change=True):
                row.deleted_at = now
            expired = tables.Thread.deleted_at < now - UNDO_FOR
            files = self._files.of_threads(session, expired)
            session.execute(delete(tables.Thread).where(expired))
        # A younger file may belong to a message that another process is just about to store.
        self._files.remove_unused(files, UNDO_FOR.total_seconds())

    def restore_thread(self, user_id: int, thread: ThreadName) -> Thread:
        """Undo `delete_thread`; AppError(not_found) when it is too late."""
        with self._unit.write() as session:
            row = own_thread(session, user_id, thread, deleted=True)
            row.deleted_at = None
            return thread_of(row)

    def send(
        self,
        user_id: int,
        thread: ThreadName | None,
        text: str,
        provider: str,
        model: str,
        attachments: Sequence[NewAttachment] = (),
        options: SendOptions = AS_USUAL,
    ) -> Sent:
        """Store a message and start its answer; without a thread, in a new one named after the message.

        The text may be empty when there are attachments. Raises AppError before anything is stored or sent: an
        empty or oversized text, a file that is too big or that the provider does not take, a provider without a
        key, a thread that is still being answered, a database that cannot be written.
        """
        text = checked_message(text, may_be_empty=bool(attachments))
        asked = self._ask(user_id, provider, model.strip(), options)
        files = check_attachments(attachments, asked.provider, model.strip()) if attachments else ()
        where = thread
        if where is None:
            title = title_from(text or next(file.name for file in files))
            where = NewThread(provider, asked.shaped.completion.model, title, initial_message=text)
        with self._files.keeping(files) as infos, self._unit.write() as session:
            ready = self._store_turn(session, asked, where, text, files, infos)
        return self._launch(asked, ready)

    def start(self, user_id: int, draft: NewThread, options: SendOptions = AS_USUAL) -> Sent:
        """Make a thread and start the answer to its `initial_message`, which it needs; raises as `send` and
        `ThreadService.create`."""
        draft = checked_draft(replace(draft, initial_message=draft.initial_message or ""))
        try:
            asked = self._ask(user_id, draft.provider, draft.model, options)
        except AppError as error:
            # What is not there is no thread: nothing but this request names the provider.
            kind = ErrorKind.VALIDATION if error.kind is ErrorKind.NOT_FOUND else error.kind
            raise AppError(kind, error.message, **error.params) from None
        with self._unit.write() as session:
            ready = self._store_turn(session, asked, draft, draft.initial_message or "", (), ())
        return self._launch(asked, ready)

    def retry(self, user_id: int, name: ThreadName, message_id: int, provider: str, model: str) -> Sent:
        """Ask again for an answer that failed or was cut short; the new one takes its place.

        The earlier call stays in the ledger.
        """
        asked = self._ask(user_id, provider, model.strip(), AS_USUAL)
        with self._unit.write() as session:
            thread = own_thread(session, user_id, name)
            refuse_while_answering(session, thread)
            last = last_message(session, thread)
            if last is None or last.id != message_id or is_given(last):
                raise AppError(ErrorKind.VALIDATION, N_("Only the last answer can be tried again."))
            asked = replace(asked, options=first_options(last))
            turns = turns_of(session, thread.id, last.id)
            if not asked.options.use_context:
                turns = turns[-1:]
            tags = tags_of(session, thread, asked.options)
            for question in turns[-1:]:
                check_taken(question.files, asked.provider, asked.shaped.completion.model)
            thread.provider, thread.model = provider, asked.shaped.completion.model
            last.error_kind = last.error_message = last.error_params = None
            last.tool_calls = last.flag = last.fallback_from = None
            answer = answer_values(provider, thread.model, datetime.now(UTC), asked.options, tags)
            for column, value in answer.items():
                setattr(last, column, value)
            ready = _Ready(thread_of(thread), last.id, answer["request_id"], turns, tags)
        return self._launch(asked, ready)

    def attachment(self, user_id: int, name: ThreadName, message_id: int, index: int) -> bytes:
        """The bytes of a file of one's own message, counted from 0; AppError(NOT_FOUND)."""
        with self._unit.read() as session:
            thread = own_thread(session, user_id, name)
            return self._files.read(session, thread.id, message_id, index)

    def live(self, message: Message) -> Generation | None:
        """The running answer behind a message, when this process is writing it."""
        return self._engine.live(message.request_id) if message.request_id else None

    def stop(self, user_id: int, thread: ThreadName, message_id: int | None = None) -> bool:
        """Stop the thread's answer (only when it is `message_id`) and keep its text so far; False when nothing
        was running. An answer that another process writes ends when that one next saves its text: half a second
        later, or a few when no text comes."""
        now = datetime.now(UTC)
        with self._unit.read() as session:
            rows = being_written(session, own_thread(session, user_id, thread).id)
            wanted = [row for row in rows if message_id in (None, row.id)]
            running = [
                (row.id, row.request_id or "") for row in wanted if not is_orphan(row, self._engine, now)
            ]
        stopped, elsewhere = False, list[tuple[int, str]]()
        for answer_id, request_id in running:
            generation = self._engine.live(request_id)
            if generation is None:
                elsewhere.append((answer_id, request_id))
            elif self._engine.stop(request_id):
                generation.wait(5.0)
                stopped = True
        if elsewhere:
            with self._unit.write() as session:
                stopped |= ask_to_stop(session, elsewhere)
        return stopped

    def recover(self) -> int:
        """At start: close every answer that a crash left open; returns how many there were."""
        return self._recover()

    def _read(self, user_id: int, name: ThreadName) -> tuple[list[Message], int | None]:
        """The thread's messages, and its id when one of them has to be closed (which takes a write)."""
        now = datetime.now(UTC)
        with self._unit.read() as session:
            thread = own_thread(session, user_id, name)
            of_thread = select(tables.Message).where(tables.Message.thread_id == thread.id)
            rows = session.scalars(of_thread.order_by(tables.Message.id)).all()
            left_behind = any(is_orphan(row, self._engine, now) for row in rows)
            files = files_of(session, thread.id)
            messages = [message_of(row, files.get(row.id, ())) for row in rows]
            return messages, thread.id if left_behind else None

    def _recover(self, thread_id: int | None = None) -> int:
        with self._unit.write() as session:
            return recover(session, self._ledger, self._pricer, self._engine, self._files.store, thread_id)

    def _ask(self, user_id: int, provider: str, model: str, options: SendOptions) -> _Asked:
        options = options if options is AS_USUAL else checked_options(options)
        if not model:
            raise AppError(ErrorKind.VALIDATION, N_("Pick a model first."))
        model = clean_model(model)
        info = self._registry.route(provider, user_id).provider.info
        # Before anything is stored: settings that cannot be used are a reason not to.
        shaped = self._shaper.shape(user_id, provider, CompletionRequest(model, ()))
        return _Asked(user_id, info, shaped, options)

    def _store_turn(
        self,
        session: Session,
        asked: _Asked,
        where: ThreadName | NewThread,
        text: str,
        files: Sequence[NewAttachment],
        infos: Sequence[AttachmentInfo],
    ) -> _Ready:
        now = datetime.now(UTC)
        provider, model = asked.provider.id, asked.shaped.completion.model
        if isinstance(where, NewThread):
            thread = add_thread(session, asked.user_id, where, now)
        else:
            thread = own_thread(session, asked.user_id, where)
            refuse_while_answering(session, thread)
            thread.provider, thread.model = provider, model
            thread.updated_at = thread.last_message_at = now
        tags = tags_of(session, thread, asked.options)
        answer = answer_values(provider, model, now, asked.options, tags)
        question_id, message_id = add_turn(session, thread.id, text, answer, infos)
        earlier = asked.options.use_context and not isinstance(where, NewThread)
        turns = turns_of(session, thread.id, question_id) if earlier else ()
        question = ChatMessage(
            Role.USER, text, tuple(Attachment(file.mime_type, file.data, name=file.name) for file in files)
        )
        request_id: str = answer["request_id"]
        return _Ready(thread_of(thread), message_id, request_id, turns, tags, question, question_id)

    def _launch(self, asked: _Asked, ready: _Ready) -> Sent:
        question = (ready.question,) if ready.question is not None else ()
        taken = sum(len(file.data or b"") for message in question for file in message.attachments)
        # Files are read here, after the transaction: it holds the only writer's place.
        context = messages_of(ready.turns, self._files.store, asked.provider, MOST_BYTES - taken)
        shaped, options = asked.shaped, asked.options
        completion = with_settings(shaped.completion, ready.thread, options, (*context, *question))
        request = GenerationRequest(
            request_id=ready.request_id,
            user_id=asked.user_id,
            source=options.source,
            provider=asked.provider.id,
            completion=completion,
            thread_id=ready.thread.id,
            message_id=ready.message_id,
            deadline_seconds=options.deadline_seconds,
            fallbacks=shaped.fallbacks,
            use_cache=shaped.use_cache,
            tags=ready.tags,
        )
        asked_for = None
        if ready.question_id is not None and ready.question is not None:
            asked_for = ready.question_id, ready.question.text
        recorder = MessageRecorder(ready.message_id, ready.request_id, ready.thread.id, asked_for)
        generation = self._engine.start(request, recorder)
        return Sent(ready.thread, ready.message_id, generation, ready.question_id)
