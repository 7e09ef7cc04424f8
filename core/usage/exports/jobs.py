"""Exports that are prepared on a thread of their own, and kept until they are fetched or the next one is asked for."""

import logging
import shutil
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.usage.explore.types import Selection
from core.usage.exports.service import ExportService
from core.usage.exports.types import ExportKind, Separator

_logger = logging.getLogger(__name__)


class ExportStep(StrEnum):
    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ExportState:
    """Where an export is. `size`: bytes written so far. `path` is the finished file."""

    step: ExportStep
    kind: ExportKind
    file_name: str
    selection: Selection
    size: int = 0
    path: Path | None = None
    error: AppError | None = None


class _Cancelled(Exception):
    """Raised inside the work to leave it."""


@dataclass(slots=True)
class _Job:
    state: ExportState
    folder: Path
    stop: threading.Event
    thread: threading.Thread | None = None


class ExportJobs:
    """At most one export a user; another one takes its place."""

    def __init__(self, exports: ExportService, folder: Path) -> None:
        self._exports = exports
        self._folder = folder
        self._jobs: dict[int, _Job] = {}

    def start(
        self, user_id: int, kind: ExportKind, selection: Selection, language: str, separator: Separator
    ) -> None:
        """Begin to write a file of the calls of a selection."""
        self.dismiss(user_id)
        name = self._exports.file_name(
            kind, selection.start, selection.end, language, sample=selection.sample
        )
        folder = self._folder / f"{user_id}-{uuid4().hex}"
        job = _Job(ExportState(ExportStep.PREPARING, kind, name, selection), folder, threading.Event())
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
            return _with(state, size=_size(job.folder / "file"))
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
            job.state = _with(job.state, step=ExportStep.READY, path=path, size=_size(path))
        except _Cancelled:
            return
        except AppError as error:
            job.state = _with(job.state, step=ExportStep.FAILED, error=error)
        except Exception:
            _logger.exception("an export failed")
            reason = N_("The file could not be written because of a fault in AIHub; see the log.")
            job.state = _with(job.state, step=ExportStep.FAILED, error=AppError(ErrorKind.INTERNAL, reason))

    def _write(self, job: _Job, language: str, separator: Separator) -> None:
        asked = job.state.selection
        span = (asked.scope, asked.start, asked.end)
        with (job.folder / "file").open("wb") as target:
            if job.state.kind is ExportKind.CSV:
                for piece in self._exports.calls_csv(
                    *span, where=asked.where, sample=asked.sample, separator=separator
                ):
                    if job.stop.is_set():
                        raise _Cancelled
                    target.write(piece)
            elif job.state.kind is ExportKind.PARQUET:
                self._exports.calls_parquet(*span, target, where=asked.where, sample=asked.sample)
            else:
                self._exports.report_xlsx(*span, language, target, where=asked.where, sample=asked.sample)


def _with(
    state: ExportState,
    step: ExportStep | None = None,
    size: int | None = None,
    path: Path | None = None,
    error: AppError | None = None,
) -> ExportState:
    return ExportState(
        step or state.step,
        state.kind,
        state.file_name,
        state.selection,
        state.size if size is None else size,
        path or state.path,
        error or state.error,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
