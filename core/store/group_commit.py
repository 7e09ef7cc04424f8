"""Writers that come at the same time share one transaction, and one wait for the disk."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy.orm import Session

from core.errors import AppError, ErrorKind

# So that the first of a crowd does not wait for all of it.
_MOST = 64
# What is wrong with the database is wrong for everybody: to try one by one would only take longer.
_SHARED_FAULTS = frozenset({ErrorKind.STORAGE, ErrorKind.STORAGE_BUSY, ErrorKind.STORAGE_FULL})


class _Job:
    __slots__ = ("done", "error", "result", "signal", "work")

    def __init__(self, work: Callable[[Session], Any]) -> None:
        self.work = work
        self.signal = threading.Event()
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None

    def finish(self, error: BaseException | None = None) -> None:
        self.error = error
        self.done = True
        self.signal.set()


class Group:
    """The first to come leads: while it waits for its turn to write, others join; it writes for all of them,
    and the first of those who came too late leads next. `transaction` begins one and commits it."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Session]]) -> None:
        self._transaction = transaction
        self._mutex = threading.Lock()
        self._waiting: list[_Job] = []
        self._is_led = False

    def run(self, work: Callable[[Session], Any]) -> tuple[Any, Session | None]:
        """The result of `work`, and to the one who led the session, for what comes after the commit."""
        job = _Job(work)
        with self._mutex:
            self._waiting.append(job)
            leads, self._is_led = not self._is_led, True
        if not leads:
            # Until it is done, or until it is this one's turn to lead.
            job.signal.wait()
        session = None if job.done else self._lead(job)
        if job.error is not None:
            raise job.error
        return job.result, session

    def _lead(self, own: _Job) -> Session | None:
        jobs = [own]
        session: Session | None = None
        try:
            try:
                with self._transaction() as session:
                    jobs = self._take()
                    for job in jobs:
                        job.result = job.work(session)
            finally:
                self._hand_over(own)
        except BaseException as error:  # noqa: BLE001 - it is raised in each thread whose work it was
            session = None
            if len(jobs) == 1 or _is_shared(error):
                for job in jobs:
                    job.finish(error)
            else:
                for job in jobs:
                    self._alone(job)
        else:
            for job in jobs:
                job.finish()
        return session

    def _take(self) -> list[_Job]:
        with self._mutex:
            jobs = self._waiting[:_MOST]
            del self._waiting[:_MOST]
        return jobs

    def _hand_over(self, own: _Job) -> None:
        with self._mutex:
            if own in self._waiting:
                # The transaction could not even begin.
                self._waiting.remove(own)
            if self._waiting:
                self._waiting[0].signal.set()
            else:
                self._is_led = False

    def _alone(self, job: _Job) -> None:
        """Once more by itself: one bad piece of work does not take the others with it."""
        try:
            with self._transaction() as session:
                job.result = job.work(session)
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread whose work it was
            job.finish(error)
        else:
            job.finish()


def _is_shared(error: BaseException) -> bool:
    if isinstance(error, AppError):
        return error.kind in _SHARED_FAULTS
    return not isinstance(error, Exception)
