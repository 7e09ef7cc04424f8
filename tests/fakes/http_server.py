"""A small HTTP/1.1 server in a thread, on a port of its own on loopback, whose every byte the test controls.

Real frameworks hide what these tests are about: connections cut inside a chunk, clients that leave, garbage.
"""

import asyncio
import ssl
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Self

from tests.fakes.script import Received, Script
from tests.fakes.wire import Connection, WatchedReader, read_request


class CutConnectionError(Exception):
    """Raised while answering: the connection is torn down without a goodbye."""


class FakeServer:
    """Base of the fakes: which script answers which request, and what was received.

    A request is answered by, in this order: the next queued script (`queue`), the script whose marker stands
    in the request's body (`when`), the script of its model (`for_model`), `default`.

        with GeminiServer() as server:
            server.queue(Script(chunks=["one"]), Script(status=503))
            server.when("please be slow", Script(delay=0.2))
            ... server.url ...
            server.wait_for(lambda: server.requests[0].left)
    """

    def __init__(
        self, default: Script | None = None, models: tuple[str, ...] = (), api_key: str = ""
    ) -> None:
        """`models`: others get the provider's own 404. `api_key`: others get its own error for wrong keys."""
        self.default = default or Script()
        self.models = models
        self.api_key = api_key
        self.requests: list[Received] = []
        self.listing: Script | None = None  # answers GET models instead of the list
        self.tls: ssl.SSLContext | None = None  # set before the start: serves https
        self._queue: deque[Script] = deque()
        self._markers: dict[str, Script] = {}
        self._by_model: dict[str, Script] = {}
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._port = 0

    # --- for tests ---

    @property
    def url(self) -> str:
        """What the provider's base URL setting is to be."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._port}"

    def queue(self, *scripts: Script) -> None:
        """Scripts for the next requests for an answer, one each."""
        self._queue.extend(scripts)

    def when(self, marker: str, script: Script) -> None:
        """The script for each request whose last message contains `marker`."""
        self._markers[marker] = script

    def for_model(self, model: str, script: Script) -> None:
        """The script for each request for `model`."""
        self._by_model[model] = script

    def release(self) -> None:
        """Let every answer that hangs go on, now and later."""
        self._loop.call_soon_threadsafe(self._released.set)

    def hold(self) -> None:
        """Let answers hang again."""
        self._loop.call_soon_threadsafe(self._released.clear)

    def wait_for(self, condition: Callable[[], object], seconds: float = 10) -> None:
        """Blocks until `condition` holds; it is looked at whenever a request changes. AssertionError when late."""
        with self._changed:
            assert self._changed.wait_for(condition, seconds), "the fake server waited in vain"

    @property
    def asked(self) -> list[Received]:
        """The requests for an answer, without those for the list of models."""
        return [request for request in self.requests if request.method == "POST"]

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10), "the fake server did not start"
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    # --- for the wire protocols ---

    async def respond(self, request: Received, connection: Connection) -> None:
        """Answer one request."""
        raise NotImplementedError

    def script_for(self, request: Received, last_message: str) -> Script:
        if self._queue:
            return self._queue.popleft()
        for marker, script in self._markers.items():
            if marker in last_message:
                return script
        return self._by_model.get(request.model, self.default)

    async def pieces(self, script: Script, connection: Connection) -> AsyncIterator[str]:
        """The script's chunks, with its delays and mishaps in between."""
        for done, chunk in enumerate((*script.chunks, None)):
            if done == script.cut_after:
                raise CutConnectionError
            if done == script.garbage_after:
                await connection.send(script.garbage)
            if done == script.hang_after:
                await self._released.wait()
            if chunk is not None:
                if script.delay:
                    await asyncio.sleep(script.delay)
                yield chunk

    async def whole(self, script: Script, connection: Connection) -> None:
        """The script's error as the whole response, after it has hung if it is to."""
        if script.hang_after is not None:
            await self._released.wait()
        await connection.whole(script.status, script.error, script.headers)

    async def in_one_piece(self, script: Script, body: Any, connection: Connection) -> None:
        """`body` as an answer that is no stream, or the script's error; it may hang first, or be cut in its middle."""
        if script.error:
            return await self.whole(script, connection)
        if script.hang_after is not None:
            await self._released.wait()
        if script.cut_after is not None:
            await connection.half()
            raise CutConnectionError
        return await connection.whole(200, body)

    # --- inside ---

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._released, self._stopping = asyncio.Event(), asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        def protocol() -> asyncio.StreamReaderProtocol:
            reader = WatchedReader(limit=2**24)

            def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.create_task(self._connection(reader, writer))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

            return asyncio.StreamReaderProtocol(reader, connected)

        server = await self._loop.create_server(protocol, "127.0.0.1", 0, backlog=256, ssl=self.tls)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: WatchedReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader)) is not None:
                with self._changed:
                    self.requests.append(request)
                    self._changed.notify_all()
                connection = Connection(writer)
                watch = asyncio.create_task(reader.ended.wait())
                answer = asyncio.create_task(self.respond(request, connection))
                await asyncio.wait({watch, answer}, return_when=asyncio.FIRST_COMPLETED)
                # Who left at once may be noticed first by the answer, which can no longer be written.
                if not answer.done() or isinstance(answer.exception(), ConnectionError):
                    answer.cancel()
                    await asyncio.gather(answer, return_exceptions=True)
                    self._mark(request, left=True)
                    return
                self._mark(request, left=False)
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
                answer.result()
        except (CutConnectionError, ConnectionError, asyncio.IncompleteReadError):
            pass  # what was sent before still arrives: the connection closes, but is not reset
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def _mark(self, request: Received, *, left: bool) -> None:
        with self._changed:
            request.left, request.finished = left, not left
            self._changed.notify_all()
