"""Imports that run on a thread of their own: they go on when the page is drawn anew, and when it is closed."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.usage.imports.service import ImportService
from core.usage.imports.types import DETECTED, ImportInfo, ImportOptions, JobState, Preview, Step

_logger = logging.getLogger(__name__)

_LEFT_OVER = 24 * 3_600  # seconds after which a folder of another run belongs to no one
MOST_BYTES = 4 << 30
"""The largest file that is taken."""


class _Cancelled(Exception):
    """Raised inside a step to leave it."""


class _Job:
    """One file of one user. Its fields change under `lock` only."""

    def __init__(self, folder: Path, file_name: str, options: ImportOptions) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.thread: threading.Thread | None = None
        self.begun = time.monotonic()
        self.state = JobState(Step.READING, file_name, options=options)

    @property
    def file(self) -> Path:
        return self.folder / "file"

    @property
    def staged(self) -> Path:
        return self.folder / "calls.parquet"

    def update(self, **changes: Any) -> None:
        with self.lock:
            self.state = replace(self.state, **changes)

    def tell(self, done: int, total: int, rows: int) -> None:
        """Progress; leaves the step when the job was cancelled."""
        if self.stop.is_set():
            raise _Cancelled
        elapsed = time.monotonic() - self.begun
        rate = round(rows / elapsed) if elapsed > 0.5 else None
        left = round(elapsed * (total - done) / done) if done and elapsed > 0.5 else None
        self.update(done=done, total=total, rows=rows, rows_per_second=rate, seconds_left=left)


class ImportJobs:
    """At most one job a user; a new file takes the place of the one before, unless that is being written."""

    def __init__(self, imports: ImportService, folder: Path) -> None:
        self._imports = imports
        self._folder = folder
        self._jobs: dict[int, _Job] = {}
        self._lock = threading.Lock()

    def upload(
        self, user_id: int, file_name: str, pieces: Iterable[bytes], options: ImportOptions = DETECTED
    ) -> None:
        """Keep a file and begin to read it. AppError when it is too large or another import is being written."""
        self.dismiss(user_id)
        self._remove_left_overs()
        job = _Job(self._folder / f"{user_id}-{uuid4().hex}", file_name, options)
        try:
            job.folder.mkdir(parents=True)
            _save(pieces, job.file)
        except AppError:
            shutil.rmtree(job.folder, ignore_errors=True)
            raise
        except OSError as error:
            shutil.rmtree(job.folder, ignore_errors=True)
            raise AppError(
                ErrorKind.STORAGE_FULL,
                N_(
                    "The file could not be kept in the data folder ({reason}). Free some space, then try again."
                ),
                reason=error.strerror or "",
            ) from error
        with self._lock:
            self._jobs[user_id] = job
        self._begin(job, lambda: self._read(user_id, job))

    def read_again(self, user_id: int, options: ImportOptions) -> None:
        """Read the same file otherwise."""
        job = self._jobs.get(user_id)
        if job is None or job.state.step in (Step.WRITING, Step.DONE):
            return
        self._end(job)
        job.stop.clear()
        job.update(step=Step.READING, done=0, total=0, rows=0, preview=None, error=None, options=options)
        self._begin(job, lambda: self._read(user_id, job))

    def start(self, user_id: int) -> None:
        """Import what the preview shows; nothing happens when there is none."""
        job = self._jobs.get(user_id)
        preview = job.state.preview if job and job.state.step is Step.READY else None
        if job is None or preview is None:
            return
        job.update(
            step=Step.WRITING, done=0, total=preview.calls, rows=0, seconds_left=None, rows_per_second=None
        )
        self._begin(job, lambda: self._write(user_id, job, preview))

    def state(self, user_id: int) -> JobState | None:
        """Where the user's job is; None without one."""
        job = self._jobs.get(user_id)
        return job.state if job else None

    def cancel(self, user_id: int) -> None:
        """Stop what runs. Nothing is imported, unless it was just finished."""
        if job := self._jobs.get(user_id):
            job.stop.set()

    def wait(self, user_id: int, seconds: float = 60) -> JobState | None:
        """The state when the present step has ended, or after so many seconds."""
        job = self._jobs.get(user_id)
        if job is not None and job.thread is not None:
            job.thread.join(seconds)
        return self.state(user_id)

    def dismiss(self, user_id: int) -> None:
        """Forget the user's job and its files. AppError while it is being written."""
        job = self._jobs.get(user_id)
        if job is None:
            return
        if job.state.step is Step.WRITING:
            raise AppError(
                ErrorKind.VALIDATION, N_("An import is being written. Wait for its end, or cancel it first.")
            )
        self._end(job)
        with self._lock:
            self._jobs.pop(user_id, None)
        shutil.rmtree(job.folder, ignore_errors=True)

    def close(self) -> None:
        """Stop everything; what was not committed is not imported."""
        for user_id in list(self._jobs):
            self.abandon(user_id)

    def abandon(self, user_id: int) -> None:
        """Stop and forget the user's job and its files, even while it is being written: then nothing is imported."""
        job = self._jobs.get(user_id)
        if job is None:
            return
        self._end(job)
        with self._lock:
            self._jobs.pop(user_id, None)
        shutil.rmtree(job.folder, ignore_errors=True)

    def _end(self, job: _Job) -> None:
        job.stop.set()
        if job.thread is not None:
            job.thread.join()

    def _begin(self, job: _Job, work: Callable[[], None]) -> None:
        job.begun = time.monotonic()
        job.thread = threading.Thread(target=_guarded, args=(job, work), name="aihub-import", daemon=True)
        job.thread.start()

    def _read(self, user_id: int, job: _Job) -> None:
        job.staged.unlink(missing_ok=True)
        state = job.state
        preview = self._imports.read(
            user_id,
            job.file,
            job.staged,
            file_name=state.file_name,
            options=state.options,
            progress=job.tell,
        )
        job.update(step=Step.READY, preview=preview)

    def _write(self, user_id: int, job: _Job, preview: Preview) -> None:
        rows = 0

        def tell(more: int) -> None:
            nonlocal rows
            rows += more
            job.tell(rows, preview.calls, rows)

        info: ImportInfo = self._imports.write(user_id, preview, job.staged, tell)
        job.update(step=Step.DONE, info=info)
        shutil.rmtree(job.folder, ignore_errors=True)

    def _remove_left_overs(self) -> None:
        """Folders of processes that ended without tidying up."""
        for folder in self._folder.glob("*-*"):
            try:
                old = time.time() - folder.stat().st_mtime > _LEFT_OVER
            except OSError:
                continue
            if old:
                shutil.rmtree(folder, ignore_errors=True)


def _guarded(job: _Job, work: Callable[[], None]) -> None:
    writing = job.state.step is Step.WRITING
    try:
        work()
    except _Cancelled:
        # A preview outlives a cancelled import: nothing was written, and it can be started again.
        job.stop.clear()
        job.update(step=Step.READY if writing else Step.CANCELLED)
    except AppError as error:
        job.update(step=Step.FAILED, error=error)
    except Exception:
        _logger.exception("an import failed")
        reason = N_(
            "The file could not be imported because of a fault in AIHub. Nothing was added; see the log."
        )
        job.update(step=Step.FAILED, error=AppError(ErrorKind.INTERNAL, reason))


def _save(pieces: Iterable[bytes], path: Path) -> None:
    size = 0
    with path.open("wb") as target:
        for piece in pieces:
            size += len(piece)
            if size > MOST_BYTES:
                raise AppError(
                    ErrorKind.VALIDATION,
                    N_("The file is larger than {most} GB. Split it, then import its parts."),
                    most=MOST_BYTES >> 30,
                )
            target.write(piece)
