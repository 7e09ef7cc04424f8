"""The REST application on a real port, in a thread: what only real connections show, beside services a test can ask."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from tests.support.server import free_port

_SECONDS = 20


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Yields the address."""
    port = free_port()
    config = uvicorn.Config(
        app, "127.0.0.1", port, log_config=None, access_log=False, ws="none", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(_SECONDS * 100):
        if server.started:
            break
        thread.join(0.01)
        assert thread.is_alive(), "the server ended"
    assert server.started, "the server did not start"
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(_SECONDS)
        assert not thread.is_alive(), "the server did not end"
