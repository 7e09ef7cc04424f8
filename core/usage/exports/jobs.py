"""Exports that are prepared on a thread of their own, and kept until they are fetched or the next one is asked for."""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.rights import Actor, require_scope
from core.usage.explore.types import Selection
from core.usage.exports.service import ExportService
from core.usage.exports.types import ExportKind, Separator

_SOON = 0.5
_logger = logging.getLogger(__name__)


class ExportStep(StrEnum):
    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ExportState:
    """Where an export is. `size`: bytes written so far, of `calls` calls; `seconds_left` is an estimate, None until
    there is one. `path` is the finished file."""

    step: ExportStep
    kind: ExportKind
    file_name: str
    selection: Selection
    size: int = 0
    calls: int = 0
    seconds_left: float | None = None
    path: Path | None = None
    error: AppError | None = None


class _Cancelled(Exception):
    """Raised inside the work to leave it."""


@dataclass(slots=True)
class _Job:
    state: ExportState
    folder: Path
    stop: threading.Event
    clock: Callable[[], float]
    begun: float
    thread: threading.Thread | None = None

    def tell(self, calls: int, share: float) -> None:
        """Progress; leaves the work when the job was dismissed."""
        if self.stop.is_set():
            raise _Cancelled
        elapsed = self.clock() - self.begun
        # At once nobody can tell: the first rows take longer than the others.
        left = elapsed * (1 - share) / share if share and elapsed > _SOON else None
        self.state = replace(self.state, calls=calls, seconds_left=left)


class ExportJobs:
    """At most one export a user; another one takes its place."""

    def __init__(
        self, exports: ExportService, folder: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._exports = exports
        self._clock = clock
        self._folder = folder
        self._jobs: dict[int, _Job] = {}

    def start(
        self, actor: Actor, kind: ExportKind, selection: Selection, language: str, separator: Separator
    ) -> None:
        """Begin to write a file of the calls of a selection. AppError(FORBIDDEN) for those of others, unless an
        administrator asks."""
        require_scope(actor, selection.scope)
        user_id = actor.id
        self.dismiss(user_id)
        name = self._exports.file_name(
            kind, selection.start, selection.end, language, sample=selection.sample
        )
        folder = self._folder / f"{user_id}-{uuid4().hex}"
        state = ExportState(ExportStep.PREPARING, kind, name, selection)
        job = _Job(state, folder, threading.Event(), self._clock, self._clock())
        self._jobs[user_id] = job
        job.thread = threading.Thread(
            target=self._work, args=(job, language, separator), name="aihub-export", daemon=True
        )
        job.thread.start()

    def state(self, user_id: int) -> ExportState | None:
        """Where the user's export is; None without one."""
        job = self._jobs.get(user_id)
        if job is None:
            return None
        state = job.state
        if state.step is ExportStep.PREPARING:
            return replace(state, size=_size(job.folder / "file"))
        return state

    def wait(self, user_id: int, seconds: float = 60) -> ExportState | None:
        """The state when the export has ended, or after so many seconds."""
        job = self._jobs.get(user_id)
        if job is not None and job.thread is not None:
            job.thread.join(seconds)
        return self.state(user_id)

    def dismiss(self, user_id: int) -> None:
        """Stop and forget the user's export, and remove its file."""
        job = self._jobs.pop(user_id, None)
        if job is None:
            return
        job.stop.set()
        if job.thread is not None:
            job.thread.join()
        shutil.rmtree(job.folder, ignore_errors=True)

    def close(self) -> None:
        """Stop everything."""
        for user_id in list(self._jobs):
            self.dismiss(user_id)

    def _work(self, job: _Job, language: str, separator: Separator) -> None:
        try:
            job.folder.mkdir(parents=True)
            self._write(job, language, separator)
            path = job.folder / "file"
            job.state = replace(job.state, step=ExportStep.READY, path=path, size=_size(path))
        except _Cancelled:
            return
        except AppError as error:
            job.state = replace(job.state, step=ExportStep.FAILED, error=error)
        except Exception:
            _logger.exception("an export failed")
            reason = N_("The file could not be written because of a fault in AIHub; see the log.")
            job.state = replace(job.state, step=ExportStep.FAILED, error=AppError(ErrorKind.INTERNAL, reason))

    def _write(self, job: _Job, language: str, separator: Separator) -> None:
        asked = job.state.selection
        span = (asked.scope, asked.start, asked.end)
        options: dict[str, Any] = {"where": asked.where, "sample": asked.sample, "progress": job.tell}
        with (job.folder / "file").open("wb") as target:
            if job.state.kind is ExportKind.CSV:
                for piece in self._exports.calls_csv(*span, separator=separator, **options):
                    target.write(piece)
            elif job.state.kind is ExportKind.PARQUET:
                self._exports.calls_parquet(*span, target, **options)
            else:
                self._exports.report_xlsx(*span, language, target, **options)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
