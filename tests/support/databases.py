"""A fresh database for a test, without a row: a SQLite file, or a database on a PostgreSQL server.

The schema is made once a run: to migrate anew for each of a thousand tests would take minutes. SQLite's file is
copied. On PostgreSQL a copy waits for the disk, longer than most tests take, so a database is emptied and lent again.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from core.store.engine import open_engine
from core.store.migrate import upgrade
from core.store.unit_of_work import UnitOfWork
from tests.support import postgres
from tests.support.options import REQUIRE_POSTGRES


def sqlite_url(folder: Path) -> str:
    """A SQLite file in `folder`, with the newest schema; it goes with the folder."""
    path = folder / "aihub.db"
    if not path.exists():
        shutil.copyfile(_sqlite_template(), path)
    return f"sqlite:///{path}"


on_both_databases = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
"""For tests that are about what is stored, where a module's others run on SQLite alone (`sqlite_unless_both`): routes,
whose services are tested on both, and what providers do, which is no database's to decide."""


def sqlite_unless_both(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """For a module's own fixture `database_url`: PostgreSQL only in tests that are `on_both_databases`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield sqlite_url(folder)
    else:
        with postgres_database() as url:
            yield url


@cache
def _sqlite_template() -> Path:
    folder = tempfile.mkdtemp(prefix="aihub-template-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "aihub.db"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine)
    # Closing the last connection writes SQLite's log into the file that is copied.
    engine.dispose()


# Databases that no test holds. Each process has its own, so that runs and workers on one server keep apart.
_free: list[postgres.Database] = []


@contextmanager
def postgres_database() -> Iterator[str]:
    """URL of a database with the newest schema and no row, as if it were new."""
    if reason := _unreachable():
        message = f"no PostgreSQL at {postgres.SERVER.render_as_string()}: {reason}"
        if REQUIRE_POSTGRES:
            pytest.fail(message)
        pytest.skip(message)
    database = _free.pop() if _free else postgres.created(_migrate)
    try:
        yield database.url
    finally:
        if postgres.emptied(database):
            _free.append(database)
        else:
            postgres.drop(database.name)


@cache
def _unreachable() -> str | None:
    """Why the server cannot be used, asked once a run."""
    return postgres.unreachable()


@contextmanager
def connecting(unit: UnitOfWork, act: Callable[..., None]) -> Iterator[None]:
    """The next connection to the database does that first."""
    engine = unit._engine
    engine.dispose()
    event.listen(engine, "do_connect", act)
    try:
        yield
    finally:
        event.remove(engine, "do_connect", act)


def gone(*_args: object) -> None:
    """What `connecting` does when there is no server any more."""
    raise OperationalError("connect", None, Exception("the server is gone"))
