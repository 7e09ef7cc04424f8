"""The REST application on a port of its own, in a thread of the test: for clients that need a real connection."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from api.app import create_api
from api.chat_socket.limits import MAX_FRAME
from tests.support.server import free_port


@contextmanager
def serving(app: ASGIApp | None = None) -> Iterator[str]:
    """Serves `app`, else the whole application; yields its address. Ends when the test does."""
    port = free_port()
    config = uvicorn.Config(
        app or create_api(),
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server, ready = _Server(config), threading.Event()
    server.ready = ready
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), name="live-api", daemon=True)
    thread.start()
    assert ready.wait(20), "the application did not start"
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the application did not end"


class _Server(uvicorn.Server):
    ready: threading.Event

    async def startup(self, *args: object, **more: object) -> None:
        """See uvicorn.Server; says when the port is open."""
        await super().startup(*args, **more)  # pyright: ignore[reportArgumentType]
        self.ready.set()
