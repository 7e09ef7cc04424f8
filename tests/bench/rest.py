"""What the REST surfaces cost: a completion over the bare SDK, streams side by side, and the plain routes.

The hub, the provider's server and whoever asks are processes of their own. Latency is the official SDK's, pointed at
the hub and at the server in turns, with requests that come at their own times whether earlier ones were answered or
not. At saturation the bare SDK has a process to itself, and the hub is asked by a client that costs next to nothing.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

import psutil

from tests.bench.completion_process import ANSWER, MODEL, completion_server
from tests.bench.figures import Bench, Figure, say
from tests.bench.http_client import Client
from tests.bench.servers import hub_process

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_SECONDS = 0.3  # that the server takes to answer
_RATE, _LASTS, _ROUNDS = 25, 10.0, 2
_WARM_UP = 20
_CROWD, _CROWD_LASTS = 256, 6.0
_QUESTION = [{"role": "user", "content": "How long does an answer take when it comes through the hub?"}]
_PASSWORD = "a bench by the harbour"
_MODEL_HERE = f"local/{MODEL}"
_STREAMS, _PAUSE = 200, 0.2
_CRUD_CLIENTS, _CRUD_LASTS = 8, 6.0
_MEMORY_WARM_UP, _MEMORY_STREAMS, _MEMORY_CLIENTS = 1_000, 10_000, 20
_MB = 2**20


@dataclass(frozen=True, slots=True)
class _Hub:
    """A running hub: its port and process, and how its first account signs in."""

    port: int
    process: psutil.Process
    headers: dict[str, str]

    def client(self) -> Client:
        return Client(self.port, self.headers)


def run(folder: Path) -> Iterator[Figure]:
    with completion_server(folder, _SECONDS) as url, _hub(folder / "latency", url) as hub:
        yield from asyncio.run(_latency(url, hub))
        yield from asyncio.run(_saturation(url, hub))
    with completion_server(folder, 0.0, _PAUSE) as url, _hub(folder / "streams", url) as hub:
        yield from asyncio.run(_side_by_side(hub))
        yield from asyncio.run(_plain_routes(hub))
    with completion_server(folder, 0.0) as url, _hub(folder / "memory", url) as hub:
        yield from asyncio.run(_memory(hub))


@contextmanager
def _hub(folder: Path, url: str) -> Iterator[_Hub]:
    """The hub in front of the server at `url`, with its first account signed in."""
    folder.mkdir()
    with hub_process(folder / "data", LOCAL_BASE_URL=url) as (port, pid):
        yield _Hub(port, psutil.Process(pid), asyncio.run(_sign_in(port)))


async def _sign_in(port: int) -> dict[str, str]:
    who = {"email": "bench@example.com", "password": _PASSWORD}
    async with Client(port) as client:
        made = await client.request("POST", "/api/users", {**who, "username": "bench"})
        assert made.status == 201, made.body
        token = (await client.request("POST", "/api/auth/login", who)).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


# --- a completion over the bare SDK ---


async def _latency(url: str, hub: _Hub) -> list[Figure]:
    async with _sdk(url, "none") as bare, _sdk(f"http://127.0.0.1:{hub.port}/v1", _token(hub)) as ours:
        times: dict[str, list[float]] = {"bare": [], "ours": []}
        for client, model in ((bare, MODEL), (ours, _MODEL_HERE)):
            await asyncio.gather(*(_ask(client, model) for _ in range(_WARM_UP)))
        for _ in range(_ROUNDS):
            times["bare"] += await _open_loop(lambda: _ask(bare, MODEL))
            times["ours"] += await _open_loop(lambda: _ask(ours, _MODEL_HERE))
    at = {name: quantiles(values, n=100) for name, values in times.items()}
    say(f"rest: {len(times['ours'])} calls at {_RATE} a second; " + _shown(at))
    return [
        Figure("rest.completion.added_p50", (at["ours"][49] - at["bare"][49]) * 1000, "ms", 10),
        Figure("rest.completion.added_p99", (at["ours"][98] - at["bare"][98]) * 1000, "ms", 40),
    ]


def _shown(at: dict[str, list[float]]) -> str:
    return "; ".join(
        f"{name} p50 {values[49] * 1000:.1f}, p99 {values[98] * 1000:.1f} ms" for name, values in at.items()
    )


def _token(hub: _Hub) -> str:
    return hub.headers["Authorization"].removeprefix("Bearer ")


def _sdk(url: str, key: str) -> "AsyncOpenAI":
    from openai import AsyncOpenAI

    return AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=60)


async def _ask(client: "AsyncOpenAI", model: str) -> float:
    begun = time.perf_counter()
    answer = await client.chat.completions.create(model=model, messages=_QUESTION)  # pyright: ignore[reportArgumentType]
    took = time.perf_counter() - begun
    assert answer.choices[0].message.content == ANSWER, answer
    return took


async def _open_loop(ask: Callable[[], Awaitable[float]]) -> list[float]:
    begun = time.perf_counter()
    running: list[asyncio.Future[float]] = []
    for number in range(int(_RATE * _LASTS)):
        await asyncio.sleep(max(0.0, begun + number / _RATE - time.perf_counter()))
        running.append(asyncio.ensure_future(ask()))
    return await asyncio.gather(*running)


async def _saturation(url: str, hub: _Hub) -> list[Figure]:
    async with _sdk(url, "none") as client:
        bare = await _throughput([lambda: _ask(client, MODEL)] * _CROWD)
    body = {"model": _MODEL_HERE, "messages": _QUESTION}
    clients = [hub.client() for _ in range(_CROWD)]
    for each in clients:
        await each.__aenter__()
    ours = await _throughput([_asker(each, "/v1/chat/completions", body) for each in clients])
    for each in clients:
        await each.__aexit__()
    return [
        Figure("rest.completion.per_second.bare_sdk", bare, "1/s"),
        Figure("rest.completion.per_second.hub", ours, "1/s"),
        Figure("rest.completion.throughput_of_bare_sdk", ours / bare, "ratio", 0.5, at_least=True),
    ]


def _asker(client: Client, path: str, body: object) -> Callable[[], Awaitable[object]]:
    async def ask() -> None:
        answer = await client.request("POST", path, body)
        assert answer.status == 200, answer.body
        assert answer.json()["choices"][0]["message"]["content"] == ANSWER

    return ask


async def _throughput(asks: list[Callable[[], Awaitable[object]]], lasts: float = _CROWD_LASTS) -> float:
    """Answers a second, when each of `asks` is asked again as soon as it was answered."""
    done, counting = 0, False
    ends = time.perf_counter() + 2 + lasts

    async def keep_asking(ask: Callable[[], Awaitable[object]]) -> None:
        nonlocal done
        while time.perf_counter() < ends:
            await ask()
            done += counting

    running = [asyncio.ensure_future(keep_asking(ask)) for ask in asks]
    # Connections open, pools fill and caches warm before anything counts.
    await asyncio.sleep(2)
    counting, begun = True, time.perf_counter()
    await asyncio.gather(*running)
    return done / (time.perf_counter() - begun)


# --- streams ---


async def _side_by_side(hub: _Hub) -> list[Figure]:
    begun = time.perf_counter()
    results = await asyncio.gather(*(_stream(hub) for _ in range(_STREAMS)))
    say(f"rest: {_STREAMS} streams side by side took {time.perf_counter() - begun:.1f} s")
    lost, disordered = sum(text != ANSWER for text, _ in results), sum(not ordered for _, ordered in results)
    return [
        Figure("rest.streams.200.not_whole", lost, "streams", 0),
        Figure("rest.streams.200.out_of_order", disordered, "streams", 0),
    ]


async def _stream(hub: _Hub, client: Client | None = None) -> tuple[str, bool]:
    """The text of an answer that was streamed, and whether its events came in the order of their ids."""
    if client is None:
        async with hub.client() as own:
            return await _stream(hub, own)
    body = {"provider": "local", "model": MODEL, "title": "Bench", "initial_message": "Begin."}
    names: list[str] = []
    numbers: list[int] = []
    text = ""
    async for event in client.events("POST", "/api/threads/stream", body):
        names.append(event["event"])
        numbers.append(int(event["id"].rpartition(":")[2]))
        if event["event"] == "delta":
            text += json.loads(event["data"])["text"]
    deltas = len(names) - 3
    in_order = names == ["thread", "connected", *["delta"] * deltas, "done"] and numbers == sorted(
        set(numbers)
    )
    return text, in_order


async def _memory(hub: _Hub) -> list[Figure]:
    await _many_streams(hub, _MEMORY_WARM_UP)
    held = [hub.process.memory_info().rss]
    begun = time.perf_counter()
    for _ in range(2):
        await _many_streams(hub, _MEMORY_STREAMS // 2)
        held.append(hub.process.memory_info().rss)
    took = time.perf_counter() - begun
    say(
        f"rest: the hub held {', '.join(f'{each / _MB:.0f}' for each in held)} MB before, in the middle, after"
    )
    return [
        Figure("rest.streams.per_second", _MEMORY_STREAMS / took, "1/s"),
        # The first half fills what has a size of its own: the databases' page caches, one a connection.
        Figure("rest.streams.memory_grown.first_5k", (held[1] - held[0]) / _MB, "MB"),
        Figure("rest.streams.memory_grown.next_5k", (held[2] - held[1]) / _MB, "MB", 8),
    ]


async def _many_streams(hub: _Hub, count: int) -> None:
    async def some() -> None:
        async with hub.client() as client:
            for _ in range(count // _MEMORY_CLIENTS):
                text, in_order = await _stream(hub, client)
                assert (text, in_order) == (ANSWER, True)

    await asyncio.gather(*(some() for _ in range(_MEMORY_CLIENTS)))


# --- plain routes ---


async def _plain_routes(hub: _Hub) -> list[Figure]:
    counts = await asyncio.gather(*(_lives(hub, number) for number in range(_CRUD_CLIENTS)))
    return [Figure("rest.crud.per_second", sum(counts) / _CRUD_LASTS, "1/s", 300, at_least=True)]


async def _lives(hub: _Hub, number: int) -> int:
    """Things are made, read, listed, changed and deleted over and over; how many requests were answered."""
    count, ends = 0, time.perf_counter() + _CRUD_LASTS
    prompt = {"title": f"Prompt {number}", "content": "Write about {topic}."}
    category = {"name": f"Shelf {number}", "description": "For a while", "color": "#4B0082"}
    thread = {"title": "Short-lived", "provider": "local", "model": MODEL, "initial_message": "Hello"}
    async with hub.client() as client:
        while time.perf_counter() < ends:
            for path, new, changed in (
                ("/api/prompts", prompt, {"is_favorite": True}),
                ("/api/categories", category, {"color": "#008000"}),
                ("/api/threads", thread, {"is_pinned": True}),
            ):
                made = await client.request("POST", path, new)
                own = f"{path}/{made.json()['id']}"
                statuses = [
                    made.status,
                    (await client.request("GET", f"{path}?limit=20")).status,
                    (await client.request("PUT", own, changed)).status,
                    (await client.request("GET", own)).status,
                    (await client.request("DELETE", own)).status,
                ]
                assert statuses == [201, 200, 200, 200, 204], (path, statuses)
                count += len(statuses)
    return count


BENCH = Bench(
    (
        "rest.completion.added_p50",
        "rest.completion.added_p99",
        "rest.completion.throughput_of_bare_sdk",
        "rest.streams.200.not_whole",
        "rest.streams.200.out_of_order",
        "rest.crud.per_second",
        "rest.streams.memory_grown.next_5k",
    ),
    run,
)
