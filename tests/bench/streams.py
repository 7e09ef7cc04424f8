"""What the engine adds before the first token: one answer at a time, and with 50 streams on one process.

The bare SDK and the engine take turns against the same server (a process of its own). The engine's time is that of
a reader: one alone reads in a thread, as a page does, 50 read on one event loop, as an API's clients do. Each of the
engine's answers is recorded as a chat's is.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from core.chat import tables
from core.chat.recording import MessageRecorder
from core.config import Settings
from core.generation.types import GenerationRequest
from core.providers.types import ChatMessage, CompletionRequest, Role
from core.services import Services, open_services
from core.usage.columns import EVENTS
from core.usage.types import Source
from tests.bench.figures import Bench, Figure, say
from tests.bench.gemini_process import ANSWER, CHUNKS, MODEL, gemini_server

if TYPE_CHECKING:
    from google.genai import Client

_QUESTION = "How long does it take until the first word?"
_KEY = "bench"
_PATIENCE = 30.0
_WARM_UP, _PAIRS = 15, 150
_STREAMS = 50
_DELAY = 1 / 20  # 20 tokens a second
_TIMES = 4
_LENGTH = _DELAY * len(CHUNKS) * _TIMES  # seconds that a stream takes
_ROUNDS = 2  # of either kind, in turns
_STARTS = 3 * _STREAMS  # a round: the first ones fill up to 50 at once
_MOST, _MOST_50 = 3, 8


def run(folder: Path) -> Iterator[Figure]:
    with gemini_server(folder) as quick, _Sides(folder / "one", quick) as sides:
        pairs = [(sides.bare_one(), sides.ours_one()) for _ in range(_WARM_UP + _PAIRS)][_WARM_UP:]
        sides.check(_WARM_UP + _PAIRS)
    say(f"streams: {_PAIRS} pairs; {_spread(pairs)}")
    yield Figure(
        "engine.first_token_over_sdk", median(ours - bare for bare, ours in pairs) * 1000, "ms", _MOST
    )
    with gemini_server(folder, _DELAY, _TIMES) as slow, _Sides(folder / "fifty", slow) as sides:
        # The first call of each loads its SDK.
        sides.bare_one()
        sides.ours_one()
        bare: list[float] = []
        ours: list[float] = []
        for _ in range(_ROUNDS):
            bare += sides.bare_many()
            ours += sides.ours_many()
        sides.check(1 + _ROUNDS * _STARTS)
    say(f"streams: {len(ours)} starts beside 49 other streams; {_spread(list(zip(bare, ours, strict=True)))}")
    added = (median(ours) - median(bare)) * 1000
    yield Figure("engine.first_token_over_sdk.50_streams", added, "ms", _MOST_50)


def _spread(pairs: list[tuple[float, float]]) -> str:
    bare, ours = (sorted(1000 * pair[side] for pair in pairs) for side in (0, 1))
    return "; ".join(
        f"{name} median {median(values):.2f}, 95 % within {values[len(values) * 95 // 100]:.2f} ms"
        for name, values in (("SDK", bare), ("engine", ours))
    )


class _Sides:
    """The bare SDK on an event loop of its own, and AIHub's services, in one process."""

    def __init__(self, data: Path, url: str) -> None:
        from google import genai
        from google.genai import types

        keys = {"GEMINI_API_KEY": _KEY, "GOOGLE_GEMINI_BASE_URL": url}
        self._services: Services = open_services(Settings.model_validate({"data_dir": data, **keys}))
        self._services.prices.warm()
        self._user = self._services.accounts.local_account().id
        self._thread = self._new_thread()
        self._client = genai.Client(
            enterprise=False, api_key=_KEY, http_options=types.HttpOptions(base_url=url)
        )
        self._loop = asyncio.Runner()

    def __enter__(self) -> "_Sides":
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._client.aio.aclose())
        self._loop.close()
        self._services.close()

    def bare_one(self) -> float:
        return self._loop.run(_bare(self._client))

    def ours_one(self) -> float:
        return self._ours(*self._new_answers(1)[0])

    def bare_many(self) -> list[float]:
        """A start every 80 ms, so that 50 streams run; the times of those that begin while all 50 do."""
        return self._loop.run(_staggered([lambda: _bare(self._client)] * _STARTS))

    def ours_many(self) -> list[float]:
        """The same with the engine."""
        answers = self._new_answers(_STARTS)
        return self._loop.run(_staggered([lambda each=each: self._ours_async(*each) for each in answers]))

    async def _ours_async(self, message_id: int, request_id: str) -> float:
        text, first = "", 0.0
        begun = time.perf_counter()
        request = self._request(message_id, request_id)
        generation = self._services.generation.start(
            request, MessageRecorder(message_id, request_id, self._thread)
        )
        async with asyncio.timeout(_PATIENCE):
            async for chunk in generation.follow_async():
                first = first or time.perf_counter() - begun
                text += chunk.text
        assert text in (ANSWER, ANSWER * _TIMES), text
        return first

    def _request(self, message_id: int, request_id: str) -> GenerationRequest:
        completion = CompletionRequest(MODEL, (ChatMessage(Role.USER, _QUESTION),))
        return GenerationRequest(
            request_id, self._user, Source.CHAT, "gemini", completion, self._thread, message_id
        )

    def _ours(self, message_id: int, request_id: str) -> float:
        request = self._request(message_id, request_id)
        text, first = "", 0.0
        begun = time.perf_counter()
        generation = self._services.generation.start(
            request, MessageRecorder(message_id, request_id, self._thread)
        )
        for chunk in generation.follow():
            if time.perf_counter() - begun > _PATIENCE:
                raise TimeoutError("an answer did not end")
            if chunk is not None:
                first = first or time.perf_counter() - begun
                text += chunk.text
        assert text in (ANSWER, ANSWER * _TIMES), text
        return first

    def _new_thread(self) -> int:
        now = datetime.now(UTC)
        times = dict.fromkeys(("created_at", "updated_at", "last_message_at"), now)
        values = {"uuid": str(uuid.uuid4()), "user_id": self._user, "title": "Bench", **times}
        with self._services.unit.write() as session:
            added = insert(tables.Thread).values(provider="gemini", model=MODEL, **values)
            return session.scalars(added.returning(tables.Thread.id)).one()

    def _new_answers(self, count: int) -> list[tuple[int, str]]:
        """Messages that wait for their answer, as a chat stores them before it starts the engine."""
        rows = [
            {
                "thread_id": self._thread,
                "role": "assistant",
                "content": "",
                "status": "streaming",
                "created_at": datetime.now(UTC),
                "request_id": str(uuid.uuid4()),
            }
            for _ in range(count)
        ]
        with self._services.unit.write() as session:
            added = insert(tables.Message).returning(
                tables.Message.id, tables.Message.request_id, sort_by_parameter_order=True
            )
            return [(row.id, row.request_id or "") for row in session.execute(added, rows)]

    def check(self, answers: int) -> None:
        """Every answer stands in the ledger and in its message; one that skipped that would be a cheap one."""
        with self._services.unit.read() as session:
            events = session.execute(select(func.count()).select_from(EVENTS)).scalar_one()
            whole = tables.Message.content.in_((ANSWER, ANSWER * _TIMES))
            messages = session.execute(select(func.count(tables.Message.id)).where(whole)).scalar_one()
        if (events, messages) != (answers, answers):
            raise ValueError(f"{answers} answers, {events} in the ledger and {messages} messages")


async def _staggered(asks: Sequence[Callable[[], Coroutine[None, None, float]]]) -> list[float]:
    begun = time.perf_counter()
    running: list[asyncio.Task[float]] = []
    for number, ask in enumerate(asks):
        await asyncio.sleep(max(0.0, begun + number * _LENGTH / _STREAMS - time.perf_counter()))
        running.append(asyncio.create_task(ask()))
    return (await asyncio.gather(*running))[_STREAMS:]


async def _bare(client: "Client") -> float:
    text, first = "", 0.0
    begun = time.perf_counter()
    async with asyncio.timeout(_PATIENCE):
        async for chunk in await client.aio.models.generate_content_stream(model=MODEL, contents=_QUESTION):
            if not text and chunk.text:
                first = time.perf_counter() - begun
            text += chunk.text or ""
    assert text in (ANSWER, ANSWER * _TIMES), text
    return first


BENCH = Bench(("engine.first_token_over_sdk", "engine.first_token_over_sdk.50_streams"), run)
