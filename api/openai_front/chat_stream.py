"""An answer to a client that waits for it: it is stopped when the client leaves, since nobody can come back for it."""

import asyncio
import time
from contextlib import aclosing, suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.errors import refusal
from api.openai_front.answers import Reply, failure_of
from api.sse import KEEP_ALIVE, KEEP_ALIVE_SECONDS
from core.generation.engine import GenerationEngine
from core.generation.generation import Generation
from core.generation.types import Outcome


async def awaited(receive: Receive, engine: GenerationEngine, generation: Generation) -> Outcome:
    """How the answer ended; it is stopped when the client leaves, or whoever waits is cancelled."""
    watch = asyncio.create_task(_stop_when_left(receive, engine, generation))
    try:
        return await generation.wait_async()
    finally:
        watch.cancel()
        _stop(engine, generation)


class ChatStream(Response):
    """The answer as server-sent events.

    It begins with the first word, so that what goes wrong before has its own status, or after `silence` seconds
    without one; as long a silence is filled with a comment whenever there is one.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        engine: GenerationEngine,
        generation: Generation,
        reply: Reply,
        silence: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        # Not the base's: it would say that there are no bytes to come.
        self.status_code = 200
        self.background = None
        self.init_headers({"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        self._engine = engine
        self._generation = generation
        self._reply = reply
        self._silence = silence
        self._begun = False
        self._said_at = time.monotonic()
        self._writing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the whole of it."""
        guard = asyncio.create_task(self._guard(receive, send))
        try:
            # A server may say with an error that nobody is there any more.
            with suppress(OSError):
                async with aclosing(self._generation.follow_async()) as chunks:
                    async for chunk in chunks:
                        await self._write(send, self._reply.piece(chunk.text))
                guard.cancel()
                await self._finish(scope, receive, send)
        finally:
            guard.cancel()
            _stop(self._engine, self._generation)
            await asyncio.gather(guard, return_exceptions=True)

    async def _finish(self, scope: Scope, receive: Receive, send: Send) -> None:
        outcome = await self._generation.wait_async()
        error = failure_of(outcome)
        if error is None:
            await self._write(send, self._reply.end(outcome), more=False)
            return
        answer = refusal(scope, error)
        if not self._begun:
            await answer(scope, receive, send)
        else:
            # No [DONE] follows: that is how OpenAI's own clients tell a broken answer from a whole one.
            await self._write(send, b"data: " + bytes(answer.body) + b"\n\n", more=False)

    async def _guard(self, receive: Receive, send: Send) -> None:
        """Fill silences, and stop the answer when the client leaves."""
        while True:
            try:
                async with asyncio.timeout_at(self._next_comment()):
                    message = await receive()
            except TimeoutError:
                if time.monotonic() - self._said_at >= self._silence:
                    await self._write(send, KEEP_ALIVE)
                continue
            if message["type"] == "http.disconnect":
                _stop(self._engine, self._generation)
                return

    def _next_comment(self) -> float:
        left = self._said_at + self._silence - time.monotonic()
        return asyncio.get_running_loop().time() + max(0.0, left)

    async def _write(self, send: Send, data: bytes, *, more: bool = True) -> None:
        # The guard writes too, and what begins the answer comes first.
        async with self._writing:
            self._said_at = time.monotonic()
            if not self._begun:
                self._begun = True
                data = self._reply.begin() + data
                await send(
                    {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                )
            await send({"type": "http.response.body", "body": data, "more_body": more})


async def _stop_when_left(receive: Receive, engine: GenerationEngine, generation: Generation) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    _stop(engine, generation)


def _stop(engine: GenerationEngine, generation: Generation) -> None:
    if not generation.done:
        engine.stop(generation.request.request_id)
