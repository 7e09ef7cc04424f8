"""The ledger: every call recorded once, its roll-ups in the same transaction.

Reading is `queries.py`; nothing here scans.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from core.store.unit_of_work import after_commit, at_commit
from core.usage import folding
from core.usage.columns import EVENT_TAGS, EVENTS
from core.usage.daily_rows import add_to_roll_ups, add_up_days, remove_empty, sums_of_events
from core.usage.days import assign_days, lock_recording
from core.usage.event_rows import STORED_ZONE, add_tags, as_sums, insert_new, row_of, tags_of
from core.usage.months import pack_all
from core.usage.tables import LedgerState
from core.usage.types import Call

# Which roll-ups there are: a ledger that was built for others is built anew when it is opened.
VERSION = 4
# From this one only months were not packed yet, which takes seconds where a rebuild takes minutes.
_UNPACKED = 3
# Calls that a process records until it folds those that wait.
FOLD_EVERY = 256

# Rows a statement: below PostgreSQL's 65,535 and SQLite's 32,766 bound values.
_CHUNK = 500


class Ledger:
    """Writes calls. The caller owns the transaction, so that a message and its cost are one fact."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._watch: Callable[[], ZoneInfo] | None = None
        self._note: Callable[[Iterable[datetime]], None] = lambda _moments: None
        # A hint, not a count: nothing is lost when two threads add to it at once.
        self._unfolded = 0

    @property
    def zone(self) -> ZoneInfo:
        """The report time zone; another process may have changed it up to two seconds ago."""
        if self._watch is not None:
            self._zone = self._watch()
        return self._zone

    def day_of(self, moment: datetime) -> date:
        """The calendar day of an aware `moment` in the report time zone."""
        return moment.astimezone(self.zone).date()

    def use(self, zone: ZoneInfo, watch: Callable[[], ZoneInfo] | None = None) -> None:
        """Count days in `zone` from now on; `watch` tells what it is when somebody else changes it."""
        self._zone, self._watch = zone, watch

    def tell(self, note: Callable[[Iterable[datetime]], None]) -> None:
        """`note` is told the moments of calls that are being written."""
        self._note = note

    def record(self, session: Session, call: Call) -> bool:
        """Record one call; False when its request id already stands, and then nothing changes."""
        return self.record_many(session, (call,)) == 1

    def record_soon(self, session: Session, call: Call) -> None:
        """Record one call at the end of the unit of work's transaction, together with the others of it."""
        calls: list[Call] | None = session.info.get(self)
        if calls is None:
            calls = session.info[self] = []
            at_commit(session, lambda session: self.record_many(session, session.info.pop(self)))
        calls.append(call)

    def record_many(self, session: Session, calls: Sequence[Call]) -> int:
        """Record calls and their roll-ups; returns how many were new."""
        fresh, zone = 0, self._zone
        for start in range(0, len(calls), _CHUNK):
            # One request id twice in a batch is one call: the first stands.
            first = {call.request_id: call for call in reversed(calls[start : start + _CHUNK])}
            # Numbered in their own order: calls of a day are shown by number, the newest first.
            rows = {request_id: row_of(call, zone) for request_id, call in reversed(first.items())}
            added, zone = insert_new(session, rows, zone)
            add_tags(session, ((event_id, tags_of(rows[request_id])) for request_id, event_id in added))
            add_to_roll_ups(session, (as_sums(rows[request_id]) for request_id, _ in added))
            folding.note(session, [event_id for _, event_id in added])
            self._note(call.occurred_at for call in calls[start : start + _CHUNK])
            fresh += len(added)
        if zone is not self._zone:
            self._zone = zone
        self._unfolded += fresh
        if self._unfolded >= FOLD_EVERY:
            self._unfolded = 0
            after_commit(session, "fold", self.fold)
        return fresh

    def count_batch(self, session: Session, batch: str) -> list[dict[str, Any]]:
        """Count a batch whose calls were written straight into `usage_events`: once, in the transaction that wrote
        them. Returns its sums, a row for each of KEY with SUMS."""
        condition = EVENTS.c.batch == batch
        sums = [dict(row) for row in session.execute(sums_of_events(condition)).mappings()]
        add_to_roll_ups(session, sums)
        folding.note_where(session, condition)
        after_commit(session, "fold", self.fold)
        return sums

    def fold(self, session: Session) -> bool:
        """Write calls that wait into the finer roll-ups; True when more wait. No figure changes by it."""
        return folding.lock_at_once(session) and folding.fold(session, self.zone_in(session))

    def fold_all(self, session: Session) -> None:
        """Write all calls that wait into the finer roll-ups."""
        folding.lock(session)
        folding.fold_all(session, self.zone_in(session))

    def lock(self, session: Session) -> None:
        """Before a transaction changes calls that stand: wait until nobody else does."""
        folding.lock(session)

    def before_change(self, session: Session, event_ids: Sequence[int]) -> None:
        """Take calls out of the finer roll-ups before they change; `fold_all` writes them back as they are then.

        After `lock`.
        """
        folding.unfold(session, event_ids, self.zone_in(session))

    def remove_batch(self, session: Session, batch: str) -> int:
        """Take exactly one batch out of the ledger and its roll-ups; returns how many calls it had."""
        ids = ids_of_batch(session, batch)
        parts = (ids[start : start + folding.CHUNK] for start in range(0, len(ids), folding.CHUNK))
        return sum(self.remove_calls(session, batch, part) for part in parts)

    def remove_calls(self, session: Session, batch: str, event_ids: Sequence[int]) -> int:
        """Take some calls of a batch out of the ledger and its roll-ups; returns how many of them were there still.

        At most `folding.CHUNK` of them. Those of a few days go quickest: they share their roll-ups.
        """
        folding.lock(session)
        wanted = and_(EVENTS.c.id.in_(list(event_ids)), EVENTS.c.batch == batch)
        ids = list(session.execute(select(EVENTS.c.id).where(wanted)).scalars())
        if not ids:
            return 0
        folding.unfold(session, ids, self.zone_in(session))
        folding.forget(session, ids)
        session.execute(delete(EVENT_TAGS).where(EVENT_TAGS.c.event_id.in_(ids)))
        sums = [dict(row) for row in session.execute(sums_of_events(EVENTS.c.id.in_(ids))).mappings()]
        add_to_roll_ups(session, sums, sign=-1)
        session.execute(delete(EVENTS).where(EVENTS.c.id.in_(ids)))
        remove_empty(session, sums)
        return len(ids)

    def rebuild(self, session: Session, progress: Callable[[int], None] | None = None) -> None:
        """Compute days and roll-ups anew from the events; changes no figure unless the zone changed.

        In constant memory; other writers wait. `progress` is told DATING and then ADDING_UP for each call.
        """
        folding.lock(session)
        lock_recording(session)
        assign_days(session, self._zone, progress)
        add_up_days(session)
        folding.refold(session, self._zone, progress)
        self._note_state(session, datetime.now(UTC))

    def open(self, session: Session) -> None:
        """Note the report time zone on first use; rebuild when the roll-ups have another one, or are not those
        that this program reads. Fold what an earlier process left."""
        state = session.get(LedgerState, 1)
        if state is None and session.execute(select(EVENTS.c.id).limit(1)).first() is None:
            self._note_state(session, None)
        elif state is None or state.timezone != self._zone.key or state.version not in (VERSION, _UNPACKED):
            self.rebuild(session)
        else:
            self.fold_all(session)
            if state.version == _UNPACKED:
                pack_all(session)
                self._note_state(session, state.rebuilt_at)

    def note_rebuilt(self, session: Session) -> None:
        """Every roll-up was looked at, and is right."""
        self.lock(session)
        if self.zone_in(session).key == self._zone.key:
            self._note_state(session, datetime.now(UTC))

    def _note_state(self, session: Session, rebuilt_at: datetime | None) -> None:
        state = session.get(LedgerState, 1) or LedgerState(id=1)
        state.timezone, state.rebuilt_at, state.version = self._zone.key, rebuilt_at, VERSION
        session.add(state)
        session.flush()

    def zone_in(self, session: Session) -> ZoneInfo:
        """What the calls that stand are counted in; after `lock`, until the end of the transaction."""
        name = session.execute(select(STORED_ZONE)).scalar_one()
        return self._zone if name in (None, self._zone.key) else ZoneInfo(name)


def ids_of_batch(session: Session, batch: str) -> "array[int]":
    """The calls of a batch in the order of their days: eight bytes each."""
    statement = select(EVENTS.c.id).where(EVENTS.c.batch == batch).order_by(EVENTS.c.day, EVENTS.c.id)
    return array("q", session.execute(statement.execution_options(yield_per=folding.CHUNK)).scalars())
