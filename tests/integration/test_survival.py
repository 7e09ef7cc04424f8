"""What survives: a kill in mid-answer, a full disk, a locked database, a shutdown."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text

from core.chat.types import MessageStatus
from core.errors import AppError, ErrorKind
from core.store.engine import open_engine
from core.store.migrate import upgrade
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import EVENTS
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.script import Script
from tests.support.hub import answered, ask, last, opened, opened_with_gemini


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Look again and again; a condition that stays false fails the test."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"


def saved_text(unit: UnitOfWork) -> str:
    with unit.read() as session:
        return session.execute(text("SELECT content FROM messages WHERE role = 'assistant'")).scalar_one()


def test_a_killed_process_leaves_its_text_and_an_estimate(database_url: str, tmp_path: Path) -> None:
    engine = open_engine(database_url)
    upgrade(engine)
    unit = UnitOfWork(engine)
    with GeminiServer(Script(chunks=["Once ", "upon ", "a time"], hang_after=2)) as server:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.support.crash_child", database_url, str(tmp_path), server.url],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        with child.stdout:
            thread_uuid = child.stdout.readline().strip()
            until(lambda: saved_text(unit) == "Once upon ")
            child.kill()
            child.wait()
        unit.close()
        with opened(database_url, tmp_path, server.url) as services:
            message = services.chat.messages(1, thread_uuid)[-1]
            with services.unit.read() as session:
                (event,) = session.execute(select(EVENTS)).mappings()
            # A second start finds nothing more to close.
            assert services.chat.recover() == 0
    assert (message.content, message.status) == ("Once upon ", MessageStatus.INTERRUPTED)
    assert message.usage is not None
    assert message.usage.estimated
    assert (event["status"], event["tokens_estimated"]) == ("interrupted", True)
    assert event["output_tokens"] != 0
    assert event["request_id"] == message.request_id


def test_a_shutdown_records_what_was_running(database_url: str, tmp_path: Path) -> None:
    with GeminiServer(Script(chunks=["one ", "two"], hang_after=1)) as server:
        with opened(database_url, tmp_path, server.url) as services:
            sent = ask(services)
            until(lambda: sent.generation.text == "one ")
        with opened(database_url, tmp_path, server.url) as services:
            message = last(services, sent)
            with services.unit.read() as session:
                statuses = list(session.execute(select(EVENTS.c.status)).scalars())
    assert (message.content, message.status) == ("one ", MessageStatus.INTERRUPTED)
    assert statuses == ["interrupted"]


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    return tmp_path / "hub.db"


def test_a_full_disk_is_said_and_the_answer_is_kept_until_there_is_room(
    sqlite_file: Path, tmp_path: Path
) -> None:
    with opened_with_gemini(f"sqlite:///{sqlite_file}", tmp_path) as (services, server):
        server.queue(Script(chunks=["word " * 40_000, "end"], hang_after=1))
        sent = ask(services)
        until(lambda: sent.generation.text)
        _limit_pages(services.unit, to="now")
        server.release()
        assert sent.generation.wait(20)
        problem = sent.generation.storage_error
        assert problem is not None
        assert problem.kind is ErrorKind.STORAGE_FULL
        assert sent.generation.text.endswith("end")
        _limit_pages(services.unit, to="ample")
        until(lambda: sent.generation.storage_error is None)
        message = last(services, sent)
        with services.unit.read() as session:
            assert len(session.execute(select(EVENTS.c.id)).all()) == 1
    assert message.status is MessageStatus.COMPLETE
    assert message.content.endswith("end")


def test_a_full_disk_refuses_a_message_before_anything_is_sent(sqlite_file: Path, tmp_path: Path) -> None:
    with opened_with_gemini(f"sqlite:///{sqlite_file}", tmp_path) as (services, server):
        services.accounts.local_account()
        _limit_pages(services.unit, to="now")
        with pytest.raises(AppError) as refused:
            ask(services, "x" * 400_000)
        assert refused.value.kind is ErrorKind.STORAGE_FULL
        assert server.asked == []
        _limit_pages(services.unit, to="ample")
        assert services.chat.threads(1) == []


def test_a_locked_database_is_said_in_words(sqlite_file: Path, tmp_path: Path) -> None:
    unit = UnitOfWork(open_engine(f"sqlite:///{sqlite_file}", busy_timeout_ms=50))
    with opened_with_gemini(f"sqlite:///{sqlite_file}", tmp_path) as (services, _server):
        answered(services, ask(services))
        other = sqlite3.connect(sqlite_file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(AppError) as refused, unit.write() as session:
                session.execute(text("DELETE FROM messages"))
            # Readers go on meanwhile.
            assert len(services.chat.threads(1)) == 1
        finally:
            other.rollback()
            other.close()
    unit.close()
    assert refused.value.kind is ErrorKind.STORAGE_BUSY


def test_a_database_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    unreachable = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    with pytest.raises(AppError, match="cannot be used"), opened(unreachable, tmp_path):
        pass


def _limit_pages(unit: UnitOfWork, to: str) -> None:
    """Make SQLite's disk full: it may grow no further than it is `now`. The limit is a connection's own."""
    unit.close()
    engine = unit._engine  # the only way to every connection
    from sqlalchemy import event

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0] if to == "now" else 1_000_000
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(engine, "connect", limit)
