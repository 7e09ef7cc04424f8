"""The engine itself: deadlines, odd recorders, many answers at once."""

import asyncio
import threading
import uuid
from collections.abc import Iterator
from contextlib import aclosing
from itertools import accumulate
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import AppError, ErrorKind
from core.generation.generation import Generation
from core.generation.types import GenerationRequest, Outcome, TextChunk
from core.providers.types import ChatMessage, CompletionRequest, Role
from core.services import Services
from core.usage.columns import EVENTS
from core.usage.types import CallStatus, Source
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.script import Script
from tests.support.hub import MODEL, opened_with_gemini

Hub = tuple[Services, GeminiServer]


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    with opened_with_gemini(database_url, tmp_path) as both:
        yield both


class Notes:
    """A recorder that keeps what it is told, and fails where a test wants it to."""

    def __init__(self, failing: bool = False) -> None:
        self.failing = failing
        self.progressed = threading.Event()
        self.outcomes: list[Outcome] = []

    def progress(self, session: Session, text: str) -> None:
        self.progressed.set()
        if self.failing:
            raise RuntimeError("a fault of the program")

    def finish(self, session: Session, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


def start(services: Services, notes: Notes, deadline_seconds: float = 60) -> Generation:
    completion = CompletionRequest(MODEL, (ChatMessage(Role.USER, "Hello"),))
    request = GenerationRequest(
        str(uuid.uuid4()), 1, Source.API, "gemini", completion, deadline_seconds=deadline_seconds
    )
    return services.generation.start(request, notes)


def recorded(services: Services) -> int:
    with services.unit.read() as session:
        return session.execute(select(func.count()).select_from(EVENTS)).scalar_one()


def test_a_deadline_ends_an_answer_and_says_so(hub: Hub) -> None:
    services, server = hub
    # The first answer loads the SDK, which takes longer than the deadline.
    assert start(services, Notes()).wait(20)
    server.queue(Script(chunks=["a little ", "more"], hang_after=1))
    notes = Notes()
    generation = start(services, notes, deadline_seconds=0.5)
    assert generation.wait(20)
    (outcome,) = notes.outcomes
    assert (outcome.status, outcome.text) == (CallStatus.FAILED, "a little ")
    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.TIMEOUT
    assert outcome.usage.estimated


def test_a_fault_in_saving_progress_does_not_end_the_answer(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(chunks=["one ", "two"], hang_after=1))
    notes = Notes(failing=True)
    generation = start(services, notes)
    assert notes.progressed.wait(20)
    server.release()
    assert generation.wait(20)
    assert [(o.status, o.text) for o in notes.outcomes] == [(CallStatus.COMPLETED, "one two")]
    assert recorded(services) == 1


def test_fifty_answers_at_once_are_all_recorded_and_keep_apart(hub: Hub) -> None:
    services, server = hub
    server.queue(*(Script(chunks=[f"answer {n} ", "is ", "whole"], delay=0.01) for n in range(50)))
    generations = [start(services, Notes()) for _ in range(50)]
    assert all(generation.wait(60) for generation in generations)
    texts = {generation.text for generation in generations}
    assert texts == {f"answer {n} is whole" for n in range(50)}
    assert recorded(services) == 50


def test_a_stop_before_the_first_token_is_recorded_as_stopped(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(hang_after=0))
    notes = Notes()
    generation = start(services, notes)
    server.wait_for(lambda: server.asked)
    assert services.generation.stop(generation.request.request_id)
    assert generation.wait(20)
    assert [(o.status, o.text) for o in notes.outcomes] == [(CallStatus.STOPPED, "")]
    server.wait_for(lambda: server.asked[0].left)


def test_a_closed_engine_takes_no_more(hub: Hub) -> None:
    services, _server = hub
    services.generation.close()
    with pytest.raises(AppError, match="shutting down"):
        start(services, Notes())
    assert recorded(services) == 0


def test_readers_on_an_event_loop_see_every_piece_and_the_end(hub: Hub) -> None:
    services, gemini = hub
    gemini.queue(Script(chunks=["one ", "two ", "three"], hang_after=1))

    async def read(generation: Generation, offset: int = 0, release: bool = False) -> list[TextChunk]:
        chunks: list[TextChunk] = []
        async for chunk in generation.follow_async(offset):
            chunks.append(chunk)
            if release:
                gemini.release()
        return chunks

    async def both() -> tuple[list[TextChunk], list[TextChunk]]:
        generation = start(services, Notes())
        return await asyncio.gather(read(generation, release=True), read(generation, offset=4))

    whole, rest = asyncio.run(both())
    assert "".join(chunk.text for chunk in whole) == "one two three"
    ends = [0, *accumulate(len(chunk.text) for chunk in whole)]
    assert [chunk.offset for chunk in whole] == ends[:-1]
    assert "".join(chunk.text for chunk in rest) == "two three"


def test_a_reader_that_leaves_ends_no_answer(hub: Hub) -> None:
    services, gemini = hub
    gemini.queue(Script(chunks=["one ", "two"], hang_after=1))
    generation = start(services, Notes())

    async def leave() -> str:
        async with aclosing(generation.follow_async()) as chunks:
            return (await anext(chunks)).text

    assert asyncio.run(leave()) == "one "
    gemini.release()
    assert generation.wait(20)
    assert generation.text == "one two"
