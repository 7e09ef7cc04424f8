"""Imports taken out again, some calls at a time, so that others record meanwhile.

Each step takes calls and their share of every figure out in one transaction: the figures are at every moment what the
calls add up to. `undone_at` is written with the first; what stands of an import that has it is still to go, also
after the program was ended in the middle.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import EVENTS
from core.usage.ledger import Ledger, ids_of_batch
from core.usage.queries import has_batch
from core.usage.tables import UsageImport

_logger = logging.getLogger(__name__)

STEP = 4_000
"""Calls a transaction: a few tenths of a second for which others wait."""
# Of a step's time, for others: who waits in another process looks only now and then whether it may write.
_PAUSE = 0.25


def left_of(session: Session, row: UsageImport) -> int:
    """How many calls of an import that is being undone still stand; 0 of any other."""
    if row.undone_at is None or not has_batch(session, row.batch):
        return 0
    return session.execute(select(func.count()).where(EVENTS.c.batch == row.batch)).scalar_one()


def unfinished(session: Session) -> list[UsageImport]:
    """The imports that are being undone, or were when the program ended."""
    undone = session.scalars(select(UsageImport).where(UsageImport.undone_at.is_not(None)))
    return [row for row in undone if has_batch(session, row.batch)]


@dataclass(frozen=True, slots=True)
class UndoProgress:
    """How far an undo is: `done` of `total` calls are gone. `seconds_left` is None while nobody can tell; `error` is
    why it stopped."""

    done: int
    total: int
    seconds_left: float | None = None
    error: AppError | None = None

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0


class Undoing:
    """Undoes imports, each on a thread of its own. Thread-safe; several processes may undo the same import."""

    def __init__(self, unit: UnitOfWork, ledger: Ledger, clock: Callable[[], float] = time.monotonic) -> None:
        self._unit = unit
        self._ledger = ledger
        self._clock = clock
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._workers: dict[int, threading.Thread] = {}
        self._progress: dict[int, UndoProgress] = {}

    def undo(self, user_id: int, import_id: int) -> int:
        """Take one import out of the ledger exactly, and wait for that; returns how many calls that were.

        AppError(NOT_FOUND) when the user has no such import, or it was undone before.
        """
        batch = self._begin(user_id, import_id)
        try:
            return self._take_out(import_id, batch)
        finally:
            with self._lock:
                self._progress.pop(import_id, None)

    def start(self, user_id: int, import_id: int) -> None:
        """The same in the background: `progress` tells how far it is. One that was cut off goes on."""
        batch = self._begin(user_id, import_id)
        self._work(import_id, batch)

    def resume(self) -> None:
        """Go on with what was cut off when the program last ended."""
        with self._unit.read() as session:
            rest = [(row.id, row.batch) for row in unfinished(session)]
        for import_id, batch in rest:
            self._work(import_id, batch)

    def progress(self, import_id: int) -> UndoProgress | None:
        """How far the undo is that this process does, or why it stopped; None without one."""
        with self._lock:
            return self._progress.get(import_id)

    def under_way(self) -> dict[int, UndoProgress]:
        """`progress` of every import that this process undoes. Asked before the list of imports, it names each that
        the list says is not undone yet, even if it ends in between."""
        with self._lock:
            return dict(self._progress)

    def wait(self, import_id: int, seconds: float = 60) -> None:
        """Until it is done, or for so many seconds."""
        with self._lock:
            worker = self._workers.get(import_id)
        if worker is not None:
            worker.join(seconds)

    def close(self) -> None:
        """Stop after the steps that are under way; `resume` goes on with them."""
        self._stop.set()
        for import_id in list(self._workers):
            self.wait(import_id)

    def _begin(self, user_id: int, import_id: int) -> str:
        """Say that the import is being undone; returns its batch."""
        mine = select(UsageImport).where(UsageImport.id == import_id, UsageImport.user_id == user_id)
        with self._unit.write() as session:
            self._ledger.lock(session)
            row = session.scalars(mine.with_for_update()).one_or_none()
            if row is None or (row.undone_at is not None and not has_batch(session, row.batch)):
                raise AppError(
                    ErrorKind.NOT_FOUND,
                    N_("This import is not there, or was undone already. Reload the page."),
                )
            row.undone_at = row.undone_at or datetime.now(UTC)
            return row.batch

    def _work(self, import_id: int, batch: str) -> None:
        with self._lock:
            if import_id in self._workers:
                return
            worker = threading.Thread(
                target=self._run, args=(import_id, batch), name="aihub-undo", daemon=True
            )
            self._workers[import_id] = worker
            self._progress[import_id] = UndoProgress(0, 0)
        worker.start()

    def _run(self, import_id: int, batch: str) -> None:
        error: AppError | None = None
        try:
            self._take_out(import_id, batch)
        except AppError as fault:
            error = fault
        except Exception:
            _logger.exception("an import could not be undone")
            error = AppError(
                ErrorKind.INTERNAL,
                N_(
                    "The rest of this import could not be taken out because of a fault in AIHub; see the log."
                ),
            )
        with self._lock:
            self._workers.pop(import_id)
            if error is None:
                self._progress.pop(import_id, None)
            else:
                self._progress[import_id] = UndoProgress(0, 0, error=error)

    def _take_out(self, import_id: int, batch: str) -> int:
        with self._unit.read() as session:
            ids = ids_of_batch(session, batch)
        gone, began = 0, self._clock()
        for start in range(0, len(ids), STEP):
            before = self._clock()
            with self._unit.write() as session:
                gone += self._ledger.remove_calls(session, batch, ids[start : start + STEP])
            now, done = self._clock(), min(start + STEP, len(ids))
            left = (now - began) * (len(ids) - done) / done
            with self._lock:
                self._progress[import_id] = UndoProgress(done, len(ids), left)
            if done < len(ids) and self._stop.wait((now - before) * _PAUSE):
                break
        return gone
