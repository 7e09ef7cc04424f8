"""Ten thousand calls against a server that fails every fifth time in a way that passes; every call is accounted for.

Real engine, real OpenAI SDK, real ledger. The server (a process of its own) refuses with 429 and Retry-After, 500 or
503, resets the connection, or stays silent until the client's patience ends. Only the waits are shorter than in life.

`python -m tests.bench.resilience FILE` is that server; it writes its address to FILE.
"""

import asyncio
import random
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.config import Settings
from core.generation.engine import GenerationEngine
from core.generation.retry import RetryPolicy
from core.generation.settling import CallPricer
from core.generation.types import GenerationRequest, Outcome
from core.pricing.service import PriceBook
from core.providers.openai_compatible import OpenAICompatibleProvider
from core.providers.registry import ProviderRegistry
from core.providers.types import ChatMessage, CompletionRequest, Role
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import DAILY, EVENTS
from core.usage.ledger import Ledger
from core.usage.tables import ALL_SOURCES, ALL_USERS
from core.usage.types import CallStatus, Source
from tests.bench.environment import ROOT, child_environment, running, wait_until
from tests.bench.figures import Bench, Figure, say
from tests.bench.ledgers import new_unit
from tests.fakes import openai_server
from tests.fakes.http_server import CutConnectionError
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.script import Received, Script
from tests.fakes.wire import Connection

_CALLS = 10_000
_AT_ONCE = 40
_FAULTY = 0.2
_PATIENCE_SECONDS = 1.0
_MODEL, _ANSWER = "model", ("It works.",)
_LEAST_RECOVERED = 99.9
# As in life, with shorter waits.
_RETRY = RetryPolicy(base_seconds=0.02, cap_seconds=0.2)


def run(folder: Path) -> Iterator[Figure]:
    unit = new_unit(folder / "data")
    try:
        with _server(folder) as url:
            calls = _calls(unit, url)
        with unit.read() as session:
            ids = session.execute(select(EVENTS.c.request_id)).scalars().all()
            everyone = (DAILY.c.user_id == ALL_USERS, DAILY.c.source == ALL_SOURCES)
            summed = session.execute(select(func.sum(DAILY.c.requests)).where(*everyone)).scalar_one()
    finally:
        unit.close()
    recovered = sum(
        outcome.status is CallStatus.COMPLETED and outcome.text == "".join(_ANSWER)
        for outcome in calls.values()
    )
    yield Figure("resilience.recovered", 100 * recovered / _CALLS, "%", _LEAST_RECOVERED, at_least=True)
    once = len(calls.keys() & set(ids))
    yield Figure("resilience.recorded_twice", max(len(ids), int(summed)) - once, "calls", 0)
    yield Figure("resilience.lost", _CALLS - once, "calls", 0)


def _calls(unit: UnitOfWork, url: str) -> dict[str, Outcome]:
    """Make the calls, some at once; their outcomes by request id."""
    adapter = OpenAICompatibleProvider("demo", "Faulty", None, url, timeout_seconds=_PATIENCE_SECONDS)
    # The demo's place is where a registry takes an adapter as it is.
    registry = ProviderRegistry(Settings(), adapter)
    engine = GenerationEngine(
        unit, Ledger(ZoneInfo("UTC")), registry, CallPricer(registry, PriceBook()), retry=_RETRY
    )
    note, begun = _Note(threading.Semaphore(_AT_ONCE)), time.perf_counter()
    try:
        running_calls = {}
        for number in range(_CALLS):
            note.free.acquire()
            completion = CompletionRequest(_MODEL, (ChatMessage(Role.USER, f"Call {number}"),))
            request = GenerationRequest(str(uuid.uuid4()), 1, Source.API, "demo", completion)
            running_calls[request.request_id] = engine.start(request, note)
        if not all(generation.wait(60) for generation in running_calls.values()):
            raise RuntimeError("a call did not end")
    finally:
        engine.close()
    outcomes = {
        name: generation.outcome
        for name, generation in running_calls.items()
        if generation.outcome is not None
    }
    tries = Counter(outcome.attempts for outcome in outcomes.values())
    errors = Counter(outcome.error.kind.value for outcome in outcomes.values() if outcome.error)
    took = time.perf_counter() - begun
    say(
        f"resilience: {_CALLS:,} calls in {took:.0f} s; tries {dict(sorted(tries.items()))}; errors {dict(errors)}"
    )
    return outcomes


class _Note:
    """A recorder that only lets the next call begin: what is measured here is the ledger."""

    def __init__(self, free: threading.Semaphore) -> None:
        self.free = free

    def progress(self, session: Session, text: str) -> None:
        """Nothing to keep."""

    def finish(self, session: Session, outcome: Outcome) -> None:
        self.free.release()


class _Faulty(OpenAIServer):
    """Fails every fifth request on average, in five ways, the same ones every time."""

    def __init__(self) -> None:
        super().__init__(Script(chunks=_ANSWER), models=(_MODEL,))
        self._dice = random.Random(5)

    async def respond(self, request: Received, connection: Connection) -> None:
        self.requests.clear()  # nobody asks for them, and ten thousand are many
        if self._dice.random() >= _FAULTY:
            return await super().respond(request, connection)
        fault = self._dice.randrange(5)
        if fault == 3:
            connection._writer.transport.abort()  # the only way to a reset
            raise CutConnectionError
        if fault == 4:
            await asyncio.sleep(60)  # longer than anyone waits; ends when the client leaves
        return await self.whole(_REFUSALS[fault % 3], connection)


_REFUSALS = (openai_server.rate_limit(seconds=1), openai_server.broken(), openai_server.overloaded())


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    address = folder / "faulty-url"
    environment = child_environment(folder / "home", PYTHONPATH=ROOT)
    with running(["-m", __name__, str(address)], folder, environment) as process:
        wait_until(address.exists, process)
        yield address.read_text()


def _serve(address: Path) -> None:
    with _Faulty() as server:
        # Renamed into place: whoever sees the file can read all of it.
        draft = address.with_suffix(".draft")
        draft.write_text(server.url)
        draft.replace(address)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


BENCH = Bench(("resilience.recovered", "resilience.recorded_twice", "resilience.lost"), run)

if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    _serve(Path(sys.argv[1]))
