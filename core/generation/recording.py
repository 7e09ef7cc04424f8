"""The end of an answer into the database, with its ledger entry: tried again until it is written."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

import anyio
from anyio import to_thread

from core.errors import AppError, ErrorKind
from core.generation.cache import ResponseCache
from core.generation.generation import Generation
from core.generation.types import GenerationRequest, Outcome, Recorder
from core.i18n import N_
from core.providers.embedding import EmbeddingRequest
from core.store.unit_of_work import Session, UnitOfWork
from core.usage.columns import LABEL
from core.usage.ledger import Ledger
from core.usage.types import Call

_logger = logging.getLogger(__name__)

_RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)


class Recording:
    """Writes what answers come to, each exactly once. `closing` is set when nothing may wait any more."""

    def __init__(self, unit: UnitOfWork, ledger: Ledger, cache: ResponseCache) -> None:
        self.closing = anyio.Event()
        self._unit = unit
        self._ledger = ledger
        self._cache = cache

    async def record(
        self,
        generation: Generation,
        recorder: Recorder,
        occurred_at: datetime,
        ended: Callable[[], Outcome],
        recorded: Callable[[], None],
    ) -> None:
        """Write the end, again and again until it is written; then `recorded` is called and it is settled.

        In a worker thread are `ended`, which tells once what the answer came to and never raises, and `recorded`.
        """
        attempt = 0
        known: list[Outcome] = []

        def write() -> None:
            if not known:
                known.append(ended())
            self._write(generation.request, recorder, occurred_at, known[0])
            recorded()

        while True:
            try:
                await to_thread.run_sync(write)
            except Exception as error:
                problem = (
                    error
                    if isinstance(error, AppError)
                    else AppError(
                        ErrorKind.STORAGE,
                        N_("The answer could not be saved yet. AIHub keeps trying; the log says more."),
                    )
                )
                if not isinstance(error, AppError):
                    _logger.exception("an answer could not be recorded")
                generation.settle(known[0], problem)
                if self.closing.is_set() and attempt:
                    _logger.error("answer %s was not recorded before the end", generation.request.request_id)
                    return
                with anyio.move_on_after(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)]):
                    await self.closing.wait()
                attempt += 1
            else:
                break
        generation.settle(known[0], None)

    def _write(
        self, request: GenerationRequest, recorder: Recorder, occurred_at: datetime, outcome: Outcome
    ) -> None:
        model = outcome.answered_by
        assert model is not None, "the engine always knows whom it asked"
        call = Call(
            request_id=request.request_id,
            user_id=request.user_id,
            occurred_at=occurred_at,
            provider=model.provider,
            model=model.model,
            source=request.source,
            status=outcome.status,
            usage=outcome.usage,
            cost=outcome.cost,
            error_kind=outcome.error.kind if outcome.error else None,
            latency_ms=outcome.latency_ms,
            first_token_ms=outcome.first_token_ms,
            thread_id=request.thread_id,
            message_id=request.message_id,
            attempts=outcome.attempts,
            from_cache=outcome.from_cache,
            saved_nano=outcome.saved.nano if outcome.saved else None,
            flag=outcome.flag,
            reported=outcome.reported,
            fallback_from=str(outcome.fallback_from) if outcome.fallback_from else None,
            key_ref=outcome.key_ref,
            tags=_tags_of(request),
        )

        def write(session: Session) -> None:
            recorder.finish(session, outcome)
            self._ledger.record_soon(session, call)
            self._cache.keep(session, request, model, outcome)

        # Answers that end together are written together, and the ledger's rows of all of them at once.
        self._unit.write_together(write)


def _tags_of(request: GenerationRequest) -> tuple[tuple[str, str], ...]:
    """What the request is counted under, and the labels that it carries for Gemini."""
    asked = request.completion
    options = None if isinstance(asked, EmbeddingRequest) else asked.gemini
    labels: Mapping[str, str] = options.labels if options is not None else {}
    return (*request.tags, *((LABEL, f"{name}={value}") for name, value in labels.items()))


class LedgerOnly:
    """A Recorder for an answer that belongs nowhere: only what it cost is kept."""

    def progress(self, session: Session, text: str) -> None:
        """Nothing to keep."""

    def finish(self, session: Session, outcome: Outcome) -> None:
        """The engine writes the ledger."""
