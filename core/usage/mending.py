"""Every figure right again, while others record: roll-ups are compared with the calls, and made anew where they differ.

A day is made anew in a transaction of its own, so that nobody waits for more than one.
"""

import calendar
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.store.unit_of_work import UnitOfWork
from core.usage import folding
from core.usage.columns import DAILY, EVENTS, FACETS, MONTHS, SHAPES
from core.usage.daily_rows import add_up_days
from core.usage.days import ADDING_UP, CHUNK, day_in, lock_recording, misplaced, moving
from core.usage.facets import add_to_facets
from core.usage.ledger import Ledger
from core.usage.merging import merge
from core.usage.months import pack_month
from core.usage.shapes import DAY, SHAPE_ROWS, add_up_month, shape_shares
from core.usage.verify import months, wrong_days
from core.usage.verify_finer import batches_of


class Mending:
    """Goes through a ledger once. `progress` is told DATING and ADDING_UP for each call; what it raises ends the
    work between two transactions, and what was made anew until then stays."""

    def __init__(self, unit: UnitOfWork, ledger: Ledger, progress: Callable[[int], None]) -> None:
        self._unit = unit
        self._ledger = ledger
        self._zone = ledger.zone
        self._progress = progress

    def run(self) -> None:
        """Compare everything, and make anew what differs."""
        self._move()
        if (ends := self._ends()) is not None:
            for first, last in months(*ends):
                with self._unit.snapshot() as session:
                    wrong = wrong_days(session, self._zone, first, last, self._compared)
                for day in sorted(wrong):
                    self._alone(lambda session, day=day: _make_day(session, self._zone, day))
                if wrong:
                    self._alone(lambda session, first=first: _make_month(session, first))
        with self._unit.write() as session:
            self._ledger.note_rebuilt(session)

    def _compared(self, calls: int) -> None:
        self._progress(ADDING_UP * calls)

    def _move(self) -> None:
        """Give calls that lie in a wrong day the right one."""
        with self._unit.read() as session:
            calls, first, last = session.execute(
                select(func.count(), func.min(EVENTS.c.id), func.max(EVENTS.c.id))
            ).one()
            right = day_in(session, self._zone)
        seen = 0
        for start in range(first, last + 1, CHUNK) if calls else ():
            end = min(start + CHUNK, last + 1)
            with self._unit.read() as session:
                found = session.execute(
                    select(EVENTS.c.id).where(misplaced(right, start, end)).limit(1)
                ).first()
            if found is not None:
                self._alone(lambda session, start=start, end=end: self._move_ids(session, start, end))
            # Ids have gaps: what is told adds up to the calls all the same.
            now = calls * (end - first) // (last + 1 - first)
            self._progress(now - seen)
            seen = now

    def _move_ids(self, session: Session, start: int, end: int) -> None:
        # Asked anew: calls that came since may lie beyond the clock changes that `right` knew of.
        session.execute(moving(day_in(session, self._zone), start, end))

    def _ends(self) -> tuple[date, date] | None:
        """The first of the month in which the first call or figure lies, and the end of that of the last."""
        with self._unit.read() as session:
            found = [
                day
                for table in (EVENTS, DAILY, SHAPES, MONTHS, FACETS)
                for day in session.execute(select(func.min(table.c.day), func.max(table.c.day))).one()
                if day is not None
            ]
        if not found:
            return None
        end = max(found)
        return min(found).replace(day=1), end.replace(day=_days_of(end))

    def _alone(self, do: Callable[[Session], object]) -> None:
        """In a transaction in which nobody else records, and no call waits to be folded."""
        with self._unit.write() as session:
            self._ledger.lock(session)
            lock_recording(session)
            if self._ledger.zone_in(session).key == self._zone.key:
                folding.fold_all(session, self._zone)
                do(session)


def _make_day(session: Session, zone: ZoneInfo, day: date) -> None:
    add_up_days(session, day)
    session.execute(delete(SHAPES).where(SHAPES.c.span == DAY, SHAPES.c.day == day))
    session.execute(delete(FACETS).where(FACETS.c.day == day))
    for batch in batches_of(session, day, zone):
        merge(session, SHAPE_ROWS, shape_shares(batch, spans=(DAY,)))
        add_to_facets(session, batch, 1)


def _make_month(session: Session, first: date) -> None:
    add_up_month(session, first)
    pack_month(session, first)


def _days_of(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
