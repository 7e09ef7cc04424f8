"""How an answer gets from the engine into its message, and what a crash left behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from core.chat import tables
from core.chat.context import messages_of, turns_of
from core.chat.file_store import FileStore
from core.chat.rows import outcome_values
from core.chat.searching import keep_searchable
from core.chat.types import MessageStatus
from core.generation.engine import GenerationEngine
from core.generation.owner import SILENCE, is_alive, this_process
from core.generation.settling import CallPricer, settle_usage
from core.generation.types import Outcome
from core.providers.types import CompletionRequest
from core.usage.ledger import Ledger
from core.usage.types import Call, CallStatus, Source


@dataclass(frozen=True, slots=True)
class MessageRecorder:
    """The chat's side of the engine's transactions; writes only while the message is still its own."""

    message_id: int
    request_id: str
    thread_id: int
    question: tuple[int, str] | None = None  # its id and text, until it can be searched

    def progress(self, session: Session, text: str) -> bool:
        row = self._update(session, {"content": text, "heartbeat_at": datetime.now(UTC)})
        return row is not None and row.stop_requested_at is not None

    def finish(self, session: Session, outcome: Outcome) -> None:
        if self._update(session, outcome_values(outcome)) is None:
            return
        # Only now: what is being written would be folded twice a second, and nothing more may stand between Enter
        # and the first token.
        asked = () if self.question is None else (self.question,)
        keep_searchable(session, self.thread_id, (*asked, (self.message_id, outcome.text)))

    def _update(self, session: Session, values: dict[str, object]) -> Row[int, datetime | None] | None:
        mine = (tables.Message.id == self.message_id, tables.Message.request_id == self.request_id)
        # One row, or none, which an ORM's update does not say; whether to stop is read along with it.
        wanted = (tables.Message.id, tables.Message.stop_requested_at)
        changed = update(tables.Message).where(*mine).values(values).returning(*wanted)
        return session.execute(changed).first()


def ask_to_stop(session: Session, answers: Sequence[tuple[int, str]]) -> bool:
    """Leave word for the processes that write these answers (message and request ids); False when all have ended."""
    message = tables.Message
    asked = False
    for message_id, request_id in answers:
        same = (message.id == message_id, message.request_id == request_id)
        running = (*same, message.status == MessageStatus.STREAMING.value)
        asking = update(message).where(*running).values(stop_requested_at=datetime.now(UTC))
        asked |= session.execute(asking.returning(message.id)).first() is not None
    return asked


def recover(
    session: Session,
    ledger: Ledger,
    pricer: CallPricer,
    engine: GenerationEngine,
    store: FileStore,
    thread_id: int | None = None,
) -> int:
    """Close the answers whose writer died: their text stands, marked interrupted, their usage estimated.

    Of one thread, or of all. Safe to repeat: the ledger takes each request id once.
    """
    now = datetime.now(UTC)
    waiting = select(tables.Message).where(tables.Message.status == MessageStatus.STREAMING.value)
    if thread_id is not None:
        waiting = waiting.where(tables.Message.thread_id == thread_id)
    # Locked before it is judged: an answer that ends at this moment is seen as ended, not as left behind.
    waiting = waiting.with_for_update()
    orphans = [row for row in session.scalars(waiting) if is_orphan(row, engine, now)]
    for row in orphans:
        _interrupt(session, row, ledger, pricer, store)
    return len(orphans)


def is_orphan(row: tables.Message, engine: GenerationEngine, now: datetime) -> bool:
    """Whether an answer stands as being written though its writer is gone."""
    if row.status != MessageStatus.STREAMING.value:
        return False
    if row.owner == this_process():
        # A moment passes between storing a message and starting its answer.
        started = row.started_at or row.created_at
        return engine.live(row.request_id or "") is None and now - started > SILENCE
    return not is_alive(row.owner, row.heartbeat_at, now)


def _interrupt(
    session: Session, row: tables.Message, ledger: Ledger, pricer: CallPricer, store: FileStore
) -> None:
    thread = session.get_one(tables.Thread, row.thread_id)
    provider, model = row.provider or "", row.model or ""
    context = messages_of(turns_of(session, thread.id, row.id), store, None)
    request = CompletionRequest(model, context, thread.system_prompt)
    usage = settle_usage(request, None, row.content, ended=False, error=None)
    started = row.started_at or row.created_at
    cost = pricer.cost(provider, model, usage, started)
    call = Call(
        request_id=row.request_id or f"message-{row.id}",
        user_id=thread.user_id,
        occurred_at=started,
        provider=provider,
        model=model,
        source=Source(row.source) if row.source else Source.CHAT,
        status=CallStatus.INTERRUPTED,
        usage=usage,
        cost=cost,
        thread_id=thread.id,
        message_id=row.id,
        tags=tuple((kind, value) for kind, value in row.tags or ()),
    )
    outcome = Outcome(CallStatus.INTERRUPTED, row.content, usage, cost, latency_ms=0)
    values = {**outcome_values(outcome), "latency_ms": None}
    session.execute(update(tables.Message).where(tables.Message.id == row.id).values(values))
    keep_searchable(session, thread.id, (*_question_of(session, row), (row.id, row.content)))
    ledger.record(session, call)


def _question_of(session: Session, answer: tables.Message) -> list[tuple[int, str]]:
    before = select(tables.Message.id, tables.Message.content).where(
        tables.Message.thread_id == answer.thread_id, tables.Message.id < answer.id
    )
    row = session.execute(before.order_by(tables.Message.id.desc()).limit(1)).one_or_none()
    return [] if row is None else [(row.id, row.content)]
