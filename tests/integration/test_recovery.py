"""Closing what a crash left open, while others read and write."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import update

from core.chat import tables
from core.chat.types import MessageStatus, Sent
from core.generation.owner import this_process
from core.services import Services
from tests.fakes.gemini_server import GeminiServer
from tests.support.hub import answered, ask, last, opened_with_gemini

Hub = tuple[Services, GeminiServer]
DEAD = this_process().rsplit("|", 2)[0] + "|999999999|1.00"


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    with opened_with_gemini(database_url, tmp_path) as both:
        yield both


def left_open(services: Services, owner: str) -> Sent:
    """An answer that stands as being written by `owner`."""
    sent = ask(services)
    answered(services, sent)
    with services.unit.write() as session:
        values = {"status": "streaming", "owner": owner, "content": "so far"}
        session.execute(update(tables.Message).where(tables.Message.id == sent.message_id).values(values))
    return sent


def another_living_process() -> str:
    parent = psutil.Process(os.getppid())
    return f"{this_process().split('|')[0]}|{parent.pid}|{parent.create_time():.2f}"


def test_reading_along_with_another_process_waits_for_no_writer(hub: Hub) -> None:
    services, _server = hub
    sent = left_open(services, another_living_process())
    read = threading.Event()
    seen: list[MessageStatus] = []

    def look() -> None:
        seen.append(last(services, sent).status)
        read.set()

    with services.unit.write() as session:
        # Every message is locked by a writer while somebody watches the page.
        session.execute(update(tables.Message).values(finish_reason=None))
        reader = threading.Thread(target=look)
        reader.start()
        in_time = read.wait(3)
    reader.join()
    assert in_time
    assert seen == [MessageStatus.STREAMING]


def test_an_answer_that_ends_at_that_moment_is_not_called_interrupted(hub: Hub) -> None:
    services, _server = hub
    sent = left_open(services, DEAD)
    recovery = threading.Thread(target=services.chat.recover)
    with services.unit.write() as session:
        values = {"status": "complete", "owner": None, "content": "the whole answer"}
        session.execute(update(tables.Message).where(tables.Message.id == sent.message_id).values(values))
        recovery.start()
        recovery.join(0.5)
        assert recovery.is_alive(), "recovery did not wait for the writer"
    recovery.join()
    message = last(services, sent)
    assert (message.content, message.status) == ("the whole answer", MessageStatus.COMPLETE)


def test_an_answer_whose_writer_died_is_closed_by_whoever_opens_it(hub: Hub) -> None:
    services, _server = hub
    sent = left_open(services, DEAD)
    message = last(services, sent)
    assert (message.content, message.status) == ("so far", MessageStatus.INTERRUPTED)
    assert services.chat.recover() == 0
