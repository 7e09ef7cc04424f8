"""Long work on the ledger beside the pages: a rebuild, another report time zone, a check. One at a time a process.

A rebuild is one transaction: readers see the figures as they were until it is done, then as they are. Calls that end
meanwhile wait and are recorded afterwards, in the zone that holds then. Stopping it leaves everything as it was.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.facts import DatabaseFacts, database_facts
from core.store.partitions import MonthPartitions
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import EVENTS
from core.usage.days import ADDING_UP, DATING
from core.usage.ledger import Ledger
from core.usage.mending import Mending
from core.usage.service import check_range
from core.usage.verify import Findings, verify
from core.usage.zone import follow_zone, zone_of

_logger = logging.getLogger(__name__)
_A_CALL = DATING + ADDING_UP


class Work(StrEnum):
    REBUILD = "rebuild"
    ZONE = "zone"
    CHECK = "check"


class WorkState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of work is. `done` of `total` steps: shares of the work on calls, or days of a check; `seconds`
    since it began, or that it took. `zone` is the new one of a change; `findings` come from a check that is done,
    `error` from what failed."""

    work: Work
    state: WorkState = WorkState.RUNNING
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    zone: str | None = None
    findings: Findings | None = None
    error: AppError | None = None

    @property
    def running(self) -> bool:
        return self.state is WorkState.RUNNING

    @property
    def share(self) -> float:
        """From 0 to 1; less than 1 while it runs."""
        most = 0.99 if self.running else 1.0
        return min(self.done / self.total, most) if self.total else 0.0

    @property
    def rate(self) -> float | None:
        """Calls a second, or days of a check; None before the first."""
        steps = 1 if self.work is Work.CHECK else _A_CALL
        return self.done / steps / self.seconds if self.done and self.seconds else None

    @property
    def calls(self) -> int:
        """How many calls a rebuild is about."""
        return self.total // _A_CALL

    @property
    def seconds_left(self) -> float | None:
        """By the rate so far; None when nobody can tell."""
        if not (self.running and self.done):
            return None
        return max(self.total - self.done, 0) * self.seconds / self.done


class _Stopped(Exception):
    """Somebody asked for it."""


class Upkeep:
    """Starts work on the ledger, tells how far it is, and stops it. Thread-safe.

    Who may ask for it is the caller's to see to: it is for administrators.
    """

    def __init__(
        self,
        unit: UnitOfWork,
        ledger: Ledger,
        partitions: MonthPartitions | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._unit = unit
        self._ledger = ledger
        self._partitions = partitions
        self._clock = clock
        self._lock = threading.Lock()
        self._now: Progress | None = None
        self._began = 0.0
        self._stop = threading.Event()
        self._worker: threading.Thread | None = None

    def rebuild(self) -> None:
        """Begin to compare all days and roll-ups with the calls, and to compute anew what differs, while others
        record. AppError(VALIDATION) while other work runs."""
        self._start(Progress(Work.REBUILD), self._mend)

    def change_zone(self, name: str) -> None:
        """Begin to count days in another zone. AppError(VALIDATION) for one that is unknown, or that they are
        counted in already, and while other work runs."""
        zone = zone_of(name)
        if zone.key == self._ledger.zone.key:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("Days are counted in {name} already. Choose another zone."),
                name=name,
            )
        self._start(Progress(Work.ZONE, zone=zone.key), lambda: self._rebuild(zone))

    def check(self, start: date, end: date) -> None:
        """Begin to compare roll-ups with calls. AppError(VALIDATION) for a range that no report could have, and
        while other work runs."""
        check_range(start, end)
        self._start(Progress(Work.CHECK, total=(end - start).days + 1), lambda: self._check(start, end))

    def prepare(self, first: datetime, last: datetime) -> None:
        """Before a load of calls of the past, and outside its transaction: make room for the months from `first`
        to `last`, aware moments. Without it nothing is lost, only put in its place later."""
        if self._partitions is not None:
            self._partitions.prepare(first, last)

    def database(self) -> DatabaseFacts:
        """What keeps the ledger, and how large it is."""
        return database_facts(self._unit)

    def progress(self) -> Progress | None:
        """How far the work is that runs, or how the last one ended; None before the first."""
        with self._lock:
            if self._now is not None and self._now.running:
                return replace(self._now, seconds=self._clock() - self._began)
            return self._now

    def stop(self) -> None:
        """Stop what runs as soon as it can. A change of zone changes nothing then; what a rebuild mended stays. Does
        not wait."""
        self._stop.set()

    def wait(self) -> None:
        """Until nothing runs."""
        with self._lock:
            worker = self._worker
        if worker is not None:
            worker.join()

    def close(self) -> None:
        """Stop what runs, and wait for that."""
        self.stop()
        self.wait()
        if self._partitions is not None:
            self._partitions.wait()

    def _start(self, work: Progress, do: Callable[[], Findings | None]) -> None:
        with self._lock:
            if self._now is not None and self._now.running:
                raise AppError(
                    ErrorKind.VALIDATION,
                    N_("The ledger is being worked on already. Wait until that is done, or stop it."),
                )
            self._stop.clear()
            self._now, self._began = work, self._clock()
            self._worker = threading.Thread(target=self._run, args=(do,), name="aihub-upkeep", daemon=True)
            self._worker.start()

    def _run(self, do: Callable[[], Findings | None]) -> None:
        try:
            findings = do()
        except _Stopped:
            self._end(WorkState.STOPPED)
        except AppError as error:
            self._end(WorkState.FAILED, error=error)
        except Exception:
            _logger.exception("work on the ledger failed")
            message = N_("It could not be finished, and nothing was changed. The log says why.")
            self._end(WorkState.FAILED, error=AppError(ErrorKind.STORAGE, message))
        else:
            self._end(WorkState.DONE, findings=findings)

    def _end(self, state: WorkState, findings: Findings | None = None, error: AppError | None = None) -> None:
        with self._lock:
            assert self._now is not None
            seconds = self._clock() - self._began
            self._now = replace(self._now, state=state, seconds=seconds, findings=findings, error=error)

    def _mend(self) -> None:
        self._expect_calls()
        Mending(self._unit, self._ledger, self._step).run()

    def _rebuild(self, zone: ZoneInfo) -> None:
        self._expect_calls()
        with self._unit.write() as session:
            Ledger(zone).rebuild(session, self._step)
        follow_zone(self._unit, self._ledger)

    def _check(self, start: date, end: date) -> Findings:
        with self._unit.snapshot() as session:
            return verify(session, self._ledger.zone, start, end, self._step)

    def _expect_calls(self) -> None:
        with self._unit.read() as session:
            total = _A_CALL * session.execute(select(func.count()).select_from(EVENTS)).scalar_one()
        with self._lock:
            assert self._now is not None
            self._now = replace(self._now, total=total)

    def _step(self, steps: int) -> None:
        if self._stop.is_set():
            raise _Stopped
        with self._lock:
            assert self._now is not None
            self._now = replace(self._now, done=self._now.done + steps)
