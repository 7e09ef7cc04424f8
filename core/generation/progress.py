"""The text of running answers, kept while it grows: one transaction for all of them, twice a second."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
from anyio import to_thread

from core.errors import AppError
from core.generation.generation import Generation
from core.generation.types import Recorder
from core.store.unit_of_work import UnitOfWork

_logger = logging.getLogger(__name__)

# A crash loses at most this much text, and then the time of one write.
PROGRESS_SECONDS = 0.5
# Written even when no text comes, so that another machine can tell a slow model from a dead writer.
HEARTBEAT_SECONDS = 5.0


@dataclass(slots=True)
class _Watched:
    generation: Generation
    recorder: Recorder
    saved: str
    saved_at: float


_Due = list[tuple[_Watched, str]]


class Progress:
    """Saves the answers it watches. On the engine's loop."""

    def __init__(self, unit: UnitOfWork, stop: Callable[[Generation], Awaitable[None]]) -> None:
        """`stop` ends an answer that its recorder was told to end."""
        self._unit = unit
        self._stop = stop
        self._watched: dict[str, _Watched] = {}
        self._saving: asyncio.Task[None] | None = None
        self._written = anyio.Event()
        self._written.set()

    def watch(self, generation: Generation, recorder: Recorder) -> None:
        """Keep the text of `generation` from now on."""
        watched = _Watched(generation, recorder, "", time.monotonic())
        self._watched[generation.request.request_id] = watched
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save())

    async def leave(self, generation: Generation) -> None:
        """Keep it no more; afterwards no write of its text is on its way, so that its end comes last."""
        self._watched.pop(generation.request.request_id, None)
        if not self._written.is_set():
            await self._written.wait()

    async def _save(self) -> None:
        while self._watched:
            await asyncio.sleep(PROGRESS_SECONDS)
            due = self._due()
            if not due:
                continue
            self._written = anyio.Event()
            try:
                unwanted = await to_thread.run_sync(self._write, due)
            finally:
                self._written.set()
            for watched in unwanted:
                # One that has ended meanwhile keeps its own end.
                if watched.generation.request.request_id in self._watched:
                    await self._stop(watched.generation)

    def _due(self) -> _Due:
        now, due = time.monotonic(), _Due()
        for watched in self._watched.values():
            text = watched.generation.text
            if text != watched.saved or now - watched.saved_at >= HEARTBEAT_SECONDS:
                due.append((watched, text))
        return due

    def _write(self, due: _Due) -> list[_Watched]:
        """Returns those that are to be stopped."""
        try:
            with self._unit.write() as session:
                unwanted = [watched for watched, text in due if watched.recorder.progress(session, text)]
        except AppError as error:
            # The next round tries again, and the end is kept until it can be written.
            _logger.warning("progress of %d answers was not saved: %s", len(due), error)
            return []
        except Exception:
            # Whatever it was, it must end no answer, nor keep the others from being saved.
            if len(due) > 1:
                return [watched for each in due for watched in self._write([each])]
            _logger.exception("progress of an answer was not saved")
            return []
        now = time.monotonic()
        for watched, text in due:
            watched.saved, watched.saved_at = text, now
        return unwanted
