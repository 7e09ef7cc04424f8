"""One running answer: a buffer that the engine fills and that any number of readers follow."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager, suppress
from typing import overload

import anyio

from core.errors import AppError
from core.generation.types import GenerationRequest, ModelRef, Outcome, TextChunk, Waiting
from core.usage.types import CallStatus


class Generation:
    """A handle on one answer, from any thread. The engine alone appends and settles.

    It is `done` when its outcome is known and was either recorded or could not be recorded yet
    (then `storage_error` says why, and the engine keeps trying).
    """

    def __init__(self, request: GenerationRequest) -> None:
        self.request = request
        # The engine's, touched on its loop only: how a stop reaches the stream.
        self.scope: anyio.CancelScope | None = None
        self.ended_by: CallStatus | None = None
        # Set by the engine alone, read by anyone: what it waits for right now, and the model being asked.
        self.waiting: Waiting | None = None
        self.answered_by = ModelRef(request.provider, request.completion.model)
        self._changed = threading.Condition()
        # Of readers on event loops: those who follow the text, and those who wait for the end alone.
        self._wakes: list[Callable[[], None]] = []
        self._end_wakes: list[Callable[[], None]] = []
        self._pieces: list[str] = []
        self._outcome: Outcome | None = None
        self._storage_error: AppError | None = None
        self._done = False

    @property
    def text(self) -> str:
        """The answer so far."""
        with self._changed:
            return "".join(self._pieces)

    @property
    def outcome(self) -> Outcome | None:
        return self._outcome

    @property
    def storage_error(self) -> AppError | None:
        """Why the end could not be recorded yet; None when it was, or is still to come."""
        return self._storage_error

    @property
    def done(self) -> bool:
        return self._done

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is done, at most `seconds`; True when it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._done, seconds)

    def follow(self, offset: int = 0, patience: float = 0.1) -> Generator[TextChunk | None]:
        """The text from `offset` on, as it comes, until the answer is done.

        Yields None when nothing new came for `patience` seconds, so that the reader can look around.
        """
        position = offset
        while True:
            text, done = self._text_after(position, patience)
            if len(text) > position:
                yield TextChunk(position, text[position:])
                position = len(text)
            elif done:
                return
            else:
                yield None

    @overload
    def follow_async(self, offset: int = 0, patience: None = None) -> AsyncGenerator[TextChunk]: ...

    @overload
    def follow_async(self, offset: int, patience: float) -> AsyncGenerator[TextChunk | None]: ...

    async def follow_async(
        self, offset: int = 0, patience: float | None = None
    ) -> AsyncGenerator[TextChunk | None]:
        """`follow` for a reader on an event loop, whichever: it waits without a thread, and ends as that does.

        Without `patience` it never yields None. Closing the generator ends the reading, not the answer.
        """
        position = offset
        with self._waking(self._wakes) as changed:
            while True:
                changed.clear()
                with self._changed:
                    text, done = "".join(self._pieces), self._done
                if len(text) > position:
                    yield TextChunk(position, text[position:])
                    position = len(text)
                elif done:
                    return
                elif not await _is_set(changed, patience):
                    yield None

    async def wait_async(self) -> Outcome:
        """How it ended, for a reader on an event loop: it waits without a thread, and sleeps through the text."""
        with self._waking(self._end_wakes) as changed:
            while not self._done:
                await changed.wait()
                changed.clear()
        assert self._outcome is not None
        return self._outcome

    @contextmanager
    def _waking(self, wakes: list[Callable[[], None]]) -> Generator[asyncio.Event]:
        """An event of the running loop that is set whenever `wakes` are called."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            # A loop that has been closed has nobody left to wake.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(changed.set)

        with self._changed:
            wakes.append(wake)
        try:
            yield changed
        finally:
            with self._changed:
                wakes.remove(wake)

    def append(self, text: str) -> None:
        """The engine's: add a piece and wake the readers."""
        with self._changed:
            if len(self._pieces) > 64:
                # Few big pieces instead of many small ones keep every look cheap on a long answer.
                self._pieces = ["".join(self._pieces)]
            self._pieces.append(text)
            self._wake()

    def settle(self, outcome: Outcome, storage_error: AppError | None) -> None:
        """The engine's: the end, recorded (no error) or waiting to be."""
        with self._changed:
            self._outcome = outcome
            self._storage_error = storage_error
            self.waiting = None
            self._done = True
            self._wake()
            for wake in self._end_wakes:
                wake()

    def _text_after(self, position: int, patience: float) -> tuple[str, bool]:
        with self._changed:
            self._changed.wait_for(lambda: self._done or self._length() > position, patience)
            return "".join(self._pieces), self._done

    def _wake(self) -> None:
        self._changed.notify_all()
        for wake in self._wakes:
            wake()

    def _length(self) -> int:
        return sum(map(len, self._pieces))


async def _is_set(event: asyncio.Event, patience: float | None) -> bool:
    """Wait for it, at most `patience` seconds; whether it came."""
    try:
        async with asyncio.timeout(patience):
            await event.wait()
    except TimeoutError:
        return False
    return True
