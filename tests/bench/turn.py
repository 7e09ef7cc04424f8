"""What AIHub adds to a call: a bare SDK call and a whole recorded chat turn, in turns, against the same server."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from core.config import Settings
from core.services import Services, open_services
from core.usage.types import CallStatus
from tests.bench.figures import Bench, Figure, milliseconds, say
from tests.bench.gemini_process import ANSWER, MODEL, gemini_server

if TYPE_CHECKING:
    from google.genai import Client

_WARM_UP = 15
_PAIRS = 100
_QUESTION = "How much does it cost to ask you something, and how long does it take?"
_KEY = "bench"
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds from the question to the first text, and to the end."""

    first: float
    total: float


def run(folder: Path) -> Iterator[Figure]:
    with gemini_server(folder) as url:
        # By their aliases: these settings are named in the environment without a prefix.
        keys = {"GEMINI_API_KEY": _KEY, "GOOGLE_GEMINI_BASE_URL": url}
        services = open_services(Settings.model_validate({"data_dir": folder / "data", **keys}))
        try:
            pairs = _pairs(services, url)
            _check(services)
        finally:
            services.close()
    bare, recorded = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    first = median(with_us.first - alone.first for alone, with_us in pairs)
    total = median(with_us.total - alone.total for alone, with_us in pairs)
    yield Figure("turn.bare_sdk", milliseconds([turn.total for turn in bare]), "ms")
    yield Figure("turn.recorded", milliseconds([turn.total for turn in recorded]), "ms")
    yield Figure("turn.overhead", total * 1000, "ms", 10)
    yield Figure("turn.first_token_overhead", first * 1000, "ms", 5)


def _pairs(services: Services, url: str) -> list[tuple[Turn, Turn]]:
    from google import genai
    from google.genai import types

    services.prices.warm()
    user_id = services.accounts.local_account().id
    client = genai.Client(enterprise=False, api_key=_KEY, http_options=types.HttpOptions(base_url=url))
    with asyncio.Runner() as loop:
        pairs = [(loop.run(_bare(client)), _recorded(services, user_id)) for _ in range(_WARM_UP + _PAIRS)]
        loop.run(client.aio.aclose())
    say(f"turn: {_PAIRS} pairs of a bare and a recorded call")
    return pairs[_WARM_UP:]


async def _bare(client: "Client") -> Turn:
    text, first = "", 0.0
    begun = time.perf_counter()
    async with asyncio.timeout(_PATIENCE):
        async for chunk in await client.aio.models.generate_content_stream(model=MODEL, contents=_QUESTION):
            if not text and chunk.text:
                first = time.perf_counter() - begun
            text += chunk.text or ""
    total = time.perf_counter() - begun
    assert text == ANSWER, text
    return Turn(first, total)


def _recorded(services: Services, user_id: int) -> Turn:
    """A new thread each time: with a growing history the two would not send the same request."""
    text, first = "", 0.0
    begun = time.perf_counter()
    generation = services.chat.send(user_id, None, _QUESTION, "gemini", MODEL).generation
    for chunk in generation.follow():
        if time.perf_counter() - begun > _PATIENCE:
            raise TimeoutError("a recorded turn did not end")
        if chunk is not None:
            first = first or time.perf_counter() - begun
            text += chunk.text
    total = time.perf_counter() - begun
    outcome = generation.outcome
    assert text == ANSWER, text
    assert outcome is not None
    assert outcome.status is CallStatus.COMPLETED, outcome
    return Turn(first, total)


def _check(services: Services) -> None:
    """Every turn stands in the ledger with the server's own count; a turn that skipped that would be a cheap one."""
    today: date = datetime.now(UTC).date()
    total = services.usage.report(None, today - timedelta(1), today + timedelta(1)).total
    turns = _WARM_UP + _PAIRS
    if (total.requests, total.input_tokens, total.output_tokens) != (turns, 12 * turns, 200 * turns):
        raise ValueError(f"{turns} turns were made, and the ledger says {total}")


BENCH = Bench(("turn.bare_sdk", "turn.recorded", "turn.overhead", "turn.first_token_overhead"), run)
