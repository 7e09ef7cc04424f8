"""A table kept by month on PostgreSQL: the partitions of months are made before they are needed.

What has no month's partition yet lands in the default one, so that nothing is ever refused or waits; it moves when
its month is made. On SQLite there is nothing to do.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from sqlalchemy import column, func, select, table, text
from sqlalchemy.orm import Session

from core.errors import AppError
from core.store.unit_of_work import UnitOfWork

_logger = logging.getLogger(__name__)

FIRST_YEAR = 2015
"""Calls that claim to be older stay in the default partition, or a wrong clock could make any number of tables."""
MONTHS_AHEAD = 2
# A month's table needs all others out of the way for a moment. Who waits for that keeps others waiting, so it
# gives up soon and tries again later.
_LOCK_TIMEOUT = "1s"
_PAUSE_SECONDS = 30.0


def month_of(moment: datetime) -> datetime:
    """The first moment of the month in UTC that an aware `moment` lies in."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(month: datetime) -> datetime:
    """The first moment of the month after."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


class MonthPartitions:
    """Makes the partitions of `table`, which is partitioned by the moment in `column`. Thread-safe.

    `table` must have a default partition `<table>_default`. `alone` waits, in a transaction, until nobody else
    makes months or changes rows that stand: a row that moves while it is changed would be missed. `now`: the
    aware moment; `clock`: monotonic seconds.
    """

    def __init__(
        self,
        unit: UnitOfWork,
        table: str,
        column: str,
        alone: Callable[[Session], object],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._unit = unit
        self._table = table
        self._column = column
        self._alone = alone
        self._now = now
        self._clock = clock
        self._needed = unit.dialect == "postgresql"
        self._lock = threading.Lock()
        self._known: frozenset[datetime] = frozenset()
        self._not_before = 0.0
        self._worker: threading.Thread | None = None

    def tend(self) -> None:
        """Make this month's partition and the next two, and those of rows in the default one, which move.

        Whatever cannot be done just now is logged and left for the next time: no call depends on it.
        """
        if self._needed:
            self._make(self._wanted() | self._stranded())

    def prepare(self, first: datetime, last: datetime) -> None:
        """Make the partitions of all months from `first` to `last`, aware moments, before rows of them are
        written. To be called before the transaction that writes them."""
        if not self._needed:
            return
        months: set[datetime] = set()
        month, end = max(month_of(first), datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)), month_of(last)
        while month <= min(end, max(self._wanted())):
            months.add(month)
            month = next_month(month)
        self._make(months - self._known)

    def note(self, moments: Iterable[datetime]) -> None:
        """Rows of these moments were written: see to their months, and to the one that comes next, beside the
        caller, who does not wait."""
        if not self._needed:
            return
        months = {month_of(moment) for moment in moments}
        missing = {each for each in months | set(map(next_month, months)) if each not in self._known}
        if not missing or not any(self._may_be(each) for each in missing):
            return
        with self._lock:
            if self._worker is not None and self._worker.is_alive():
                return
            if self._clock() < self._not_before:
                return
            self._not_before = self._clock() + _PAUSE_SECONDS
            self._worker = threading.Thread(target=self.tend, name="aihub-partitions", daemon=True)
            self._worker.start()

    def wait(self) -> None:
        """Until what `note` began is over."""
        with self._lock:
            worker = self._worker
        if worker is not None:
            worker.join()

    def _may_be(self, month: datetime) -> bool:
        return month.year >= FIRST_YEAR and month <= max(self._wanted())

    def _wanted(self) -> set[datetime]:
        month = month_of(self._now())
        months = {month}
        for _ in range(MONTHS_AHEAD):
            month = next_month(month)
            months.add(month)
        return months

    def _stranded(self) -> set[datetime]:
        """The months of the rows in the default partition that may have one of their own."""
        moment = func.timezone("UTC", column(self._column))
        months = (
            select(func.date_trunc("month", moment)).distinct().select_from(table(f"{self._table}_default"))
        )
        try:
            with self._unit.read() as session:
                found = {each.replace(tzinfo=UTC) for each in session.execute(months).scalars()}
        except AppError as error:
            _logger.warning("the partitions of %s could not be looked at: %s", self._table, error)
            return set()
        return {month for month in found if self._may_be(month)}

    def _make(self, months: set[datetime]) -> None:
        for month in sorted(months):
            try:
                with self._unit.write() as session:
                    self._make_one(session, month)
            except AppError as error:
                # Calls of that month go to the default partition until the next time.
                _logger.warning("the partition %s was not made yet: %s", self._name(month), error)
                continue
            self._known |= {month}

    def _make_one(self, session: Session, month: datetime) -> None:
        """One transaction, seen whole or not at all."""
        name, whole = self._name(month), self._table
        session.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
        self._alone(session)
        if session.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar_one() is not None:
            return
        first, last = month.isoformat(), next_month(month).isoformat()
        inside = f"{self._column} >= '{first}' AND {self._column} < '{last}'"
        move = text(
            # All of it is made up here, nothing comes from outside.
            f"WITH moved AS (DELETE FROM {whole}_default WHERE {inside} RETURNING *) "  # noqa: S608 - see above
            f"INSERT INTO {name} SELECT * FROM moved"
        )
        session.execute(text(f"CREATE TABLE {name} (LIKE {whole} INCLUDING ALL)"))
        session.execute(move)
        # A row whose partition was chosen before this month had one would be refused, so for the last step those
        # that are being written are waited for, and the next ones wait: for milliseconds, whatever was moved above.
        session.execute(text(f"LOCK TABLE ONLY {whole} IN SHARE ROW EXCLUSIVE MODE"))
        session.execute(move)
        # With it PostgreSQL need not read the rows once more to see that they belong there.
        session.execute(text(f"ALTER TABLE {name} ADD CONSTRAINT {name}_month CHECK ({inside})"))
        session.execute(
            text(f"ALTER TABLE {whole} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{last}')")
        )
        session.execute(text(f"ALTER TABLE {name} DROP CONSTRAINT {name}_month"))

    def _name(self, month: datetime) -> str:
        return f"{self._table}_{month:%Y_%m}"
