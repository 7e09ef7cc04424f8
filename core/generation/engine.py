"""The engine every AI call goes through: one background loop, recorded once, stopped from anywhere."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context, copy_context
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeVarTuple

import anyio
from anyio.from_thread import BlockingPortal

from core.errors import AppError, ErrorKind
from core.generation.activity import Activity, ActivityLog
from core.generation.attempts import Attempts, Resources
from core.generation.breaker import Breakers
from core.generation.cache import ResponseCache
from core.generation.generation import Generation
from core.generation.limiter import RateLimiter
from core.generation.limits import LimitSettings
from core.generation.model_names import clean_model
from core.generation.outcome import outcome_of
from core.generation.progress import Progress
from core.generation.recording import Recording
from core.generation.retry import RetryPolicy
from core.generation.settling import CallPricer
from core.generation.types import BudgetGate, GenerationRequest, Recorder
from core.i18n import N_
from core.providers.registry import ProviderRegistry
from core.store.unit_of_work import UnitOfWork
from core.usage.ledger import Ledger
from core.usage.types import CallStatus

Args = TypeVarTuple("Args")

SWITCH_SECONDS = 0.0002
_CLOSE_SECONDS = 10.0


class GenerationEngine:
    """Runs answers on one background event loop; an answer goes on whoever is watching."""

    def __init__(
        self,
        unit: UnitOfWork,
        ledger: Ledger,
        registry: ProviderRegistry,
        pricer: CallPricer,
        *,
        limiter: RateLimiter | None = None,
        breakers: Breakers | None = None,
        cache: ResponseCache | None = None,
        retry: RetryPolicy | None = None,
        budgets: BudgetGate | None = None,
    ) -> None:
        """What is not given is made with its defaults; without `budgets` nothing is held against one."""
        self._limiter = limiter or RateLimiter(LimitSettings(unit))
        cache = cache or ResponseCache(unit, address=registry.address)
        self._resources = Resources(
            registry, pricer, self._limiter, breakers or Breakers(), cache, retry or RetryPolicy(), budgets
        )
        self._recording = Recording(unit, ledger, cache)
        self._progress = Progress(unit, partial(_end_stream, status=CallStatus.STOPPED))
        self._activity = ActivityLog()
        self._registry = registry
        self._live: dict[str, Generation] = {}
        self._lock = threading.Lock()
        self._closing = False
        # A reader is woken by the loop's thread, which at Python's own 5 ms goes on alone for that long.
        sys.setswitchinterval(SWITCH_SECONDS)
        self._portal, self._loop, self._context, self._loop_thread = _background_loop()
        self._tasks: set[asyncio.Task[None]] = set()  # a loop itself holds its tasks but weakly

    @property
    def portal(self) -> BlockingPortal:
        """The background loop, for provider calls that record nothing (such as listing models)."""
        return self._portal

    def start(self, request: GenerationRequest, recorder: Recorder) -> Generation:
        """Begin an answer and return at once; it is followed and stopped through the handle.

        AppError(VALIDATION) for a model whose name no ledger takes: its call could never be recorded.
        """
        for model in (request.completion.model, *(each.model for each in request.fallbacks)):
            if clean_model(model) != model.strip():
                raise ValueError("a model's name goes through clean_model where a person enters it")
        generation = Generation(request)
        with self._lock:
            if self._closing:
                raise AppError(ErrorKind.INTERRUPTED, N_("AIHub is shutting down. Try again in a moment."))
            self._live[request.request_id] = generation
        self._soon(self._run, generation, recorder)
        return generation

    def live(self, request_id: str) -> Generation | None:
        """The answer of that name when this process is working on it (or has yet to record it)."""
        with self._lock:
            return self._live.get(request_id)

    @property
    def is_closing(self) -> bool:
        """Whether no answer can begin any more, because the process is about to end."""
        return self._closing

    def activity(self) -> Activity:
        """What it has in hand now, and what it has done since this process began."""
        with self._lock:
            live = list(self._live.values())
        waiting = sum(generation.waiting is not None for generation in live)
        return self._activity.state(len(live) - waiting, waiting)

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
        self._portal.start_task_soon(_set, self._recording.closing).result()
        deadline = time.monotonic() + _CLOSE_SECONDS
        for generation in running:
            generation.wait(max(0.0, deadline - time.monotonic()))
        self._portal.call(self._registry.aclose)
        self._portal.call(self._limiter.aclose)
        self._portal.start_task_soon(self._portal.stop, True)
        self._loop_thread.join(_CLOSE_SECONDS)

    def _end(self, generation: Generation, status: CallStatus) -> None:
        self._soon(_end_stream, generation, status)

    def _soon(self, work: Callable[[*Args], Coroutine[Any, Any, None]], *args: *Args) -> None:
        """Have it done on the loop. The portal would wait until the loop has taken it, and whoever asks may be
        an event loop that others wait for."""

        def take() -> None:
            task = self._loop.create_task(work(*args))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        self._loop.call_soon_threadsafe(take, context=self._context)

    async def _run(self, generation: Generation, recorder: Recorder) -> None:
        attempts = Attempts(generation, self._resources)
        self._progress.watch(generation, recorder)
        await attempts.run()
        await self._progress.leave(generation)
        await self._recording.record(
            generation,
            recorder,
            attempts.occurred_at,
            lambda: self._activity.noted(outcome_of(generation, attempts, self._resources.pricer)),
            lambda: self._forget(generation, attempts.held),
        )

    def _forget(self, generation: Generation, held: bool) -> None:
        """The answer is recorded: this process has no more to do with it. In a worker thread."""
        request_id = generation.request.request_id
        if held and self._resources.budgets is not None:
            # In the ledger now, so budgets see what it really cost; before anyone hears that it is done, or
            # the next call of that one would meet both.
            self._resources.budgets.release(request_id)
        with self._lock:
            self._live.pop(request_id, None)


def _background_loop() -> tuple[BlockingPortal, asyncio.AbstractEventLoop, Context, threading.Thread]:
    """An event loop in a thread of its own, open to all threads."""
    opened: Future[tuple[BlockingPortal, asyncio.AbstractEventLoop, Context]] = Future()

    async def serve() -> None:
        async with BlockingPortal() as portal:
            # Here it is written which loop this is; in the context of whoever asks, every read would find that out
            # anew, which takes a tenth of a call.
            opened.set_result((portal, asyncio.get_running_loop(), copy_context()))
            await portal.sleep_until_stopped()

    # A daemon: a program that forgets to close the engine still ends.
    # uvloop, where there is one: timers and sockets cost half as much, and most of a call is those.
    options = {"backend_options": {"use_uvloop": find_spec("uvloop") is not None}}
    thread = threading.Thread(target=anyio.run, args=(serve,), kwargs=options, name="generation", daemon=True)
    thread.start()
    return *opened.result(), thread


async def _end_stream(generation: Generation, status: CallStatus) -> None:
    generation.ended_by = generation.ended_by or status
    if generation.scope is not None:
        generation.scope.cancel()


async def _set(event: anyio.Event) -> None:
    event.set()
