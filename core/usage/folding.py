"""Calls into the finer roll-ups, some time after they were recorded, and out of them again.

Whoever records a call notes it in `usage_pending`; whoever reads the finer roll-ups reads the calls noted there,
too. So these are never behind, though a call is written into them together with many others.
"""

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, insert, select, tuple_
from sqlalchemy.orm import Session

from core.usage.columns import EVENTS, FACETS, PENDING, SHAPES
from core.usage.days import ADDING_UP
from core.usage.event_batch import EventBatch, batch_of, batch_statement, read_batch
from core.usage.facets import add_to_facets
from core.usage.months import add_to_months, pack_all
from core.usage.shapes import add_to_shapes

# Calls at a time: enough to share what they have in common, few enough to keep in memory, and bound values that
# both databases take.
CHUNK = 20_000
_ONE_STATEMENT = 20_000
# Any number will do as long as nothing else on the server takes the same one.
_ADVISORY_LOCK = 4_151_948_222


def note(session: Session, event_ids: Sequence[int]) -> None:
    """Calls that the finer roll-ups do not hold yet."""
    if event_ids:
        session.connection().execute(insert(PENDING), [{"event_id": each} for each in event_ids])


def note_where(session: Session, condition: ColumnElement[bool]) -> None:
    """The same for all calls of a condition, without reading their ids."""
    session.execute(insert(PENDING).from_select(["event_id"], select(EVENTS.c.id).where(condition)))


def lock(session: Session) -> None:
    """Wait until nobody else changes what is folded, until the end of the transaction. Taken before all other
    locks, so that nobody waits in a circle; SQLite has one writer anyway."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))


def lock_at_once(session: Session) -> bool:
    """`lock`, unless somebody else has it: then False."""
    if session.get_bind().dialect.name == "sqlite":
        return True
    return bool(session.execute(select(func.pg_try_advisory_xact_lock(_ADVISORY_LOCK))).scalar_one())


def fold(session: Session, zone: ZoneInfo, most: int = CHUNK) -> bool:
    """Fold up to `most` calls; True when there are more. After `lock`."""
    waiting = select(PENDING.c.event_id).order_by(PENDING.c.event_id).limit(most)
    ids = list(session.execute(waiting).scalars())
    if ids:
        _add(session, ids, zone, 1)
        session.execute(delete(PENDING).where(PENDING.c.event_id.in_(ids)))
    return len(ids) == most


def fold_all(session: Session, zone: ZoneInfo) -> None:
    """Fold every call that waits; after `lock`."""
    while fold(session, zone):
        pass


def unfold(session: Session, event_ids: Sequence[int], zone: ZoneInfo) -> None:
    """Take calls out of the finer roll-ups, before they change or go; after `lock`. They wait to be folded anew."""
    for start in range(0, len(event_ids), _ONE_STATEMENT):
        part = event_ids[start : start + _ONE_STATEMENT]
        waiting = set(
            session.execute(select(PENDING.c.event_id).where(PENDING.c.event_id.in_(part))).scalars()
        )
        folded = [each for each in part if each not in waiting]
        if folded:
            _add(session, folded, zone, -1)
            note(session, folded)


def forget(session: Session, event_ids: Sequence[int]) -> None:
    """Calls that go: nothing waits for them any more. After `unfold`."""
    for start in range(0, len(event_ids), _ONE_STATEMENT):
        part = event_ids[start : start + _ONE_STATEMENT]
        session.execute(delete(PENDING).where(PENDING.c.event_id.in_(part)))


def _add(session: Session, event_ids: Sequence[int], zone: ZoneInfo, sign: int) -> None:
    statement = batch_statement(session.get_bind().dialect.name).where(EVENTS.c.id.in_(event_ids))
    batch = read_batch(session, statement, zone)
    if batch is not None:
        add_batch(session, batch, sign)


def refold(session: Session, zone: ZoneInfo, progress: Callable[[int], None] | None = None) -> None:
    """Make the finer roll-ups anew from all calls, and the months from `usage_daily`; after `lock`. By days, so that
    each row is written about once."""
    for table in (SHAPES, FACETS, PENDING):
        session.execute(delete(table))
    # The day and the id stand last in a row, and first in the index the calls are read by.
    statement = batch_statement(session.get_bind().dialect.name).add_columns(EVENTS.c.day, EVENTS.c.id)
    statement = statement.order_by(EVENTS.c.day, EVENTS.c.id).limit(CHUNK)
    part = statement
    while rows := session.execute(part).all():
        _add_spread(session, batch_of([row[:-2] for row in rows], zone), 1)
        part = statement.where(tuple_(EVENTS.c.day, EVENTS.c.id) > tuple_(*rows[-1][-2:]))
        if progress is not None:
            progress(ADDING_UP * len(rows))
    pack_all(session)


def add_batch(session: Session, batch: EventBatch, sign: int) -> None:
    """Add calls to the finer roll-ups, or with -1 take them out."""
    add_to_months(session, batch, sign)
    _add_spread(session, batch, sign)


def _add_spread(session: Session, batch: EventBatch, sign: int) -> None:
    add_to_shapes(session, batch, sign)
    add_to_facets(session, batch, sign)
