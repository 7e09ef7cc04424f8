"""The engine every AI call goes through: one background loop, recorded once, stopped from anywhere."""

import logging
import sys
import threading
import time
from concurrent.futures import Future
from datetime import datetime

import anyio
from anyio import to_thread
from anyio.from_thread import BlockingPortal

from core.errors import AppError, ErrorKind
from core.generation.generation import Generation
from core.generation.settling import CallPricer
from core.generation.stream import ProviderStream
from core.generation.types import GenerationRequest, Outcome, Recorder
from core.i18n import N_
from core.providers.registry import ProviderRegistry
from core.store.unit_of_work import UnitOfWork
from core.usage.ledger import Ledger
from core.usage.types import Call, CallStatus

_logger = logging.getLogger(__name__)

# A crash loses at most this much text, and then the time of one write.
PROGRESS_SECONDS = 0.5
# Written even when no text comes, so that another machine can tell a slow model from a dead writer.
HEARTBEAT_SECONDS = 5.0
_RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
_CLOSE_SECONDS = 10.0


class GenerationEngine:
    """Runs answers on one background event loop; an answer goes on whoever is watching."""

    def __init__(
        self, unit: UnitOfWork, ledger: Ledger, registry: ProviderRegistry, pricer: CallPricer
    ) -> None:
        self._unit = unit
        self._ledger = ledger
        self._registry = registry
        self._pricer = pricer
        self._live: dict[str, Generation] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._close_now = anyio.Event()
        # A reader is woken by the loop's thread; at Python's own 5 ms it sees a token that much later.
        sys.setswitchinterval(0.001)
        self._portal, self._loop_thread = _background_loop()

    @property
    def portal(self) -> BlockingPortal:
        """The background loop, for provider calls that record nothing (such as listing models)."""
        return self._portal

    def start(self, request: GenerationRequest, recorder: Recorder) -> Generation:
        """Begin an answer and return at once; it is followed and stopped through the handle."""
        generation = Generation(request)
        with self._lock:
            if self._closing:
                raise AppError(ErrorKind.INTERRUPTED, N_("AIHub is shutting down. Try again in a moment."))
            self._live[request.request_id] = generation
        self._portal.start_task_soon(self._run, generation, recorder)
        return generation

    def live(self, request_id: str) -> Generation | None:
        """The answer of that name when this process is working on it (or has yet to record it)."""
        with self._lock:
            return self._live.get(request_id)

    def stop(self, request_id: str) -> bool:
        """End an answer now and keep its text so far; False when this process does not run it."""
        generation = self.live(request_id)
        if generation is None or generation.done:
            return False
        self._end(generation, CallStatus.STOPPED)
        return True

    def close(self) -> None:
        """Interrupt what runs, record it, and end the loop."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            running = list(self._live.values())
        for generation in running:
            self._end(generation, CallStatus.INTERRUPTED)
        self._portal.start_task_soon(_set, self._close_now).result()
        deadline = time.monotonic() + _CLOSE_SECONDS
        for generation in running:
            generation.wait(max(0.0, deadline - time.monotonic()))
        self._portal.call(self._registry.aclose)
        self._portal.start_task_soon(self._portal.stop, True)
        self._loop_thread.join(_CLOSE_SECONDS)

    def _end(self, generation: Generation, status: CallStatus) -> None:
        self._portal.start_task_soon(_end_stream, generation, status)

    async def _run(self, generation: Generation, recorder: Recorder) -> None:
        stream = ProviderStream(generation, self._registry, self._pricer)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._save_progress, generation, recorder)
            await stream.run()
            tasks.cancel_scope.cancel()
        await self._record(generation, recorder, stream.occurred_at, stream.outcome())

    async def _record(
        self, generation: Generation, recorder: Recorder, occurred_at: datetime, outcome: Outcome
    ) -> None:
        attempt = 0
        while True:
            try:
                await to_thread.run_sync(self._write, generation.request, recorder, occurred_at, outcome)
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
                generation.settle(outcome, problem)
                if self._closing and attempt:
                    _logger.error("answer %s was not recorded before the end", generation.request.request_id)
                    return
                with anyio.move_on_after(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)]):
                    await self._close_now.wait()
                attempt += 1
            else:
                break
        with self._lock:
            self._live.pop(generation.request.request_id, None)
        generation.settle(outcome, None)

    def _write(
        self, request: GenerationRequest, recorder: Recorder, occurred_at: datetime, outcome: Outcome
    ) -> None:
        call = Call(
            request_id=request.request_id,
            user_id=request.user_id,
            occurred_at=occurred_at,
            provider=request.provider,
            model=request.completion.model,
            source=request.source,
            status=outcome.status,
            usage=outcome.usage,
            cost=outcome.cost,
            error_kind=outcome.error.kind if outcome.error else None,
            latency_ms=outcome.latency_ms,
            first_token_ms=outcome.first_token_ms,
            thread_id=request.thread_id,
            message_id=request.message_id,
        )
        with self._unit.write() as session:
            recorder.finish(session, outcome)
            self._ledger.record(session, call)

    async def _save_progress(self, generation: Generation, recorder: Recorder) -> None:
        saved, saved_at = "", time.monotonic()
        while True:
            await anyio.sleep(PROGRESS_SECONDS)
            text = generation.text
            if text == saved and time.monotonic() - saved_at < HEARTBEAT_SECONDS:
                continue
            try:
                await to_thread.run_sync(self._write_progress, recorder, text)
            except AppError as error:
                # The next round tries again, and the end is kept until it can be written.
                _logger.warning("progress of an answer was not saved: %s", error)
            except Exception:
                # Whatever it was, it must not end the answer.
                _logger.exception("progress of an answer was not saved")
            else:
                saved, saved_at = text, time.monotonic()

    def _write_progress(self, recorder: Recorder, text: str) -> None:
        with self._unit.write() as session:
            recorder.progress(session, text)


def _background_loop() -> tuple[BlockingPortal, threading.Thread]:
    """An event loop in a thread of its own, open to all threads."""
    opened: Future[BlockingPortal] = Future()

    async def serve() -> None:
        async with BlockingPortal() as portal:
            opened.set_result(portal)
            await portal.sleep_until_stopped()

    # A daemon: a program that forgets to close the engine still ends.
    thread = threading.Thread(target=anyio.run, args=(serve,), name="generation", daemon=True)
    thread.start()
    return opened.result(), thread


async def _end_stream(generation: Generation, status: CallStatus) -> None:
    generation.ended_by = generation.ended_by or status
    if generation.scope is not None:
        generation.scope.cancel()


async def _set(event: anyio.Event) -> None:
    event.set()
