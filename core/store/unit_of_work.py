"""The unit of work: the only place that commits, and that turns database faults into ours."""

import threading
from collections.abc import Generator
from contextlib import contextmanager, nullcontext

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.engine import READ_ONLY

_BUSY_SQLSTATES = {"55P03", "57014", "40P01", "40001"}


class UnitOfWork:
    """Hands out database transactions.

    `with unit.write() as session` commits once at the end, all or nothing; `with unit.read()` never
    writes. Both raise AppError (storage_busy, storage_full, storage) for what the database refuses;
    programming faults (constraints, SQL) come through unchanged.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READ_ONLY: True})
        # SQLite has one writer. Queueing our own threads here is fair and instant, where its busy
        # handler polls with growing pauses.
        self._queue = threading.Lock() if engine.dialect.name == "sqlite" else None

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def close(self) -> None:
        """Close the database connections; a later transaction opens new ones."""
        self._engine.dispose()

    @contextmanager
    def write(self) -> Generator[Session]:
        with _faults_as_ours(), self._queue or nullcontext(), Session(self._engine) as session:
            yield session
            session.commit()

    @contextmanager
    def read(self) -> Generator[Session]:
        with _faults_as_ours(), Session(self._reader, autoflush=False) as session:
            yield session


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
