"""Nothing that is said or that opens a door is in a log, however chatty the SDKs are told to be."""

import asyncio
import base64
import logging
from collections.abc import Iterator

import pytest

from core.config import Settings
from core.logs import configure_logging
from core.providers.embedding import EmbeddingRequest
from tests.contract.adapter import Adapter, ask, collect, embedded
from tests.contract.adapters import on_the_wire
from tests.fakes.http_server import FakeServer
from tests.fakes.script import Script

SAID, ANSWERED = "the-quiet-question", "the-quiet-answer"


class _Kept(logging.Handler):
    """Every record as any formatter could write it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name} {record.getMessage()} {record.args} {record.exc_info}")


@pytest.fixture
def kept() -> Iterator[_Kept]:
    """The log of a server that is run with AIHUB_LOG_LEVEL=DEBUG; afterwards logging is as it was."""
    root, manager = logging.getLogger(), logging.Logger.manager
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in list(manager.loggerDict)}
    configure_logging(Settings.model_validate({"log_level": "DEBUG"}))
    kept = _Kept()
    root.addHandler(kept)
    yield kept
    root.handlers[:], root.level = handlers, level
    for name in list(manager.loggerDict):
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


@on_the_wire
def test_the_log_at_debug_holds_no_key_and_no_message(
    adapter: Adapter, server: FakeServer, kept: _Kept
) -> None:
    server.queue(Script(chunks=[ANSWERED]))

    async def run() -> None:
        async with adapter.provider(server.url) as provider:
            await provider.models()
            await collect(provider, ask(adapter.model, SAID, system_prompt=SAID))
            if adapter.embedding_model:
                await embedded(provider, EmbeddingRequest(adapter.embedding_model, (SAID,)))

    asyncio.run(run())
    logging.getLogger("core").debug("the log is open")
    log = "\n".join(kept.lines)
    assert "the log is open" in log
    for secret in (
        adapter.key,
        base64.b64encode(adapter.key.encode()).decode(),
        adapter.key[:20],
        SAID,
        ANSWERED,
    ):
        assert secret not in log
