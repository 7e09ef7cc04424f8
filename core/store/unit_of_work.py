"""The unit of work: the only place that commits, and that turns database faults into ours."""

import copy
import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.engine import READ_ONLY
from core.store.group_commit import Group

T = TypeVar("T")
_LAST, _LATER, _ONCE = "aihub_last", "aihub_later", "aihub_once"
_logger = logging.getLogger(__name__)
_BUSY_SQLSTATES = {"55P03", "57014", "40P01", "40001"}


class UnitOfWork:
    """Hands out database transactions.

    `with unit.write() as session` commits once at the end, all or nothing; `with unit.read()` never
    writes. Both raise AppError (storage_busy, storage_full, storage) for what the database refuses;
    programming faults (constraints, SQL) come through unchanged. `write_together` is a write that shares its
    transaction with those of other threads.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READ_ONLY: True})
        # SQLite has one writer. Queueing our own threads here is fair and instant, where its busy
        # handler polls with growing pauses.
        self._queue = threading.Lock() if engine.dialect.name == "sqlite" else None
        self._group = Group(self._transaction)
        self._tell: Callable[[], object] | None = None

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def ping(self) -> None:
        """Ask the database for next to nothing; AppError when it does not answer."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close the database connections; a later transaction opens new ones."""
        self._engine.dispose()

    def telling(self, tell: Callable[[], object]) -> "UnitOfWork":
        """The same unit of work, which calls `tell` after each `write`, whichever way that ended: for whoever
        remembers what was read."""
        another = copy.copy(self)
        another._tell = tell
        return another

    @contextmanager
    def write(self) -> Generator[Session]:
        try:
            with self._transaction() as session:
                yield session
        finally:
            if self._tell is not None:
                self._tell()
        self._run_later(session)

    def write_together(self, work: Callable[[Session], T]) -> T:
        """Do `work` in a transaction, and return what it returns once that is committed.

        Threads that ask at the same time share one transaction, so that they wait for the disk once; who comes
        alone waits for nobody. When something in it fails, each does its work again in one of its own, so `work`
        may be called twice, the first time to no effect.
        """
        result, session = self._group.run(work)
        if session is not None:
            self._run_later(session)
        return result

    @contextmanager
    def _transaction(self) -> Generator[Session]:
        with _faults_as_ours(), self._queue or nullcontext(), Session(self._engine) as session:
            yield session
            while steps := session.info.pop(_LAST, None):
                for step in steps:
                    step(session)
            session.commit()

    def _run_later(self, session: Session) -> None:
        """What was put off until the transaction is written; it is no fault of that one when it fails."""
        for step in session.info.pop(_LATER, {}).values():
            try:
                while True:
                    with self._transaction() as another:
                        more = step(another)
                    if not more:
                        break
            except (AppError, DBAPIError):
                _logger.warning("work that was put off has to wait for another time", exc_info=True)

    @contextmanager
    def read(self) -> Generator[Session]:
        with _faults_as_ours(), Session(self._reader, autoflush=False) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Generator[Session]:
        """As `read`, and all statements see the database as it is at the first."""
        with self.read() as session:
            if self._queue is None:
                # SQLite's transactions are like this by themselves.
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            session.info[_ONCE] = {}
            yield session


def at_commit(session: Session, step: Callable[[Session], object]) -> None:
    """Do `step` at the end of the transaction of a unit of work, as a part of it."""
    session.info.setdefault(_LAST, []).append(step)


def after_commit(session: Session, name: str, step: Callable[[Session], bool]) -> None:
    """Do `step` in a transaction of its own after this one, again as long as it returns True; once by `name`.

    Should the program end before, it is not done.
    """
    session.info.setdefault(_LATER, {})[name] = step


def once(session: Session, name: str, read: Callable[[], T]) -> T:
    """What `read` returns; in a snapshot, where nothing changes, it is asked once by `name`."""
    known: dict[str, T] | None = session.info.get(_ONCE)
    if known is None:
        return read()
    if name not in known:
        known[name] = read()
    return known[name]


@contextmanager
def _faults_as_ours() -> Generator[None]:
    try:
        yield
    except DBAPIError as error:
        ours = storage_error(error)
        if ours is None:
            raise
        raise ours from error


def storage_error(error: DBAPIError) -> AppError | None:
    """Our error for what a database could not do just now; None for a fault of the program."""
    reason = str(error.orig).lower()
    sqlstate = getattr(error.orig, "sqlstate", None)
    if "locked" in reason or "busy" in reason or sqlstate in _BUSY_SQLSTATES:
        return AppError(
            ErrorKind.STORAGE_BUSY,
            N_("The database is locked by another program. Close what else has it open, then try again."),
        )
    if "disk is full" in reason or "no space left" in reason or sqlstate == "53100":
        return AppError(
            ErrorKind.STORAGE_FULL,
            N_("The disk that holds the database is full. Free some space, then try again."),
        )
    if not isinstance(error, OperationalError):
        return None
    return AppError(
        ErrorKind.STORAGE,
        N_(
            "The database cannot be used ({reason}). Check that it runs and may be written to, then try again."
        ),
        reason=str(error.orig).splitlines()[0][:200] if str(error.orig) else "no answer",
    )
