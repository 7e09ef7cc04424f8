"""The ledger: every call recorded once, its roll-ups in the same transaction.

Reading is `queries.py`; nothing here scans.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.pricing.types import Money
from core.store.text import storable
from core.store.unit_of_work import after_commit, at_commit
from core.usage import folding
from core.usage.columns import (
    DAILY,
    EVENT_TAGS,
    EVENTS,
    KEY,
    LABEL,
    MOST_TAG_CHARS,
    MOST_TAGS,
    SUMS,
    TOKEN_COLUMNS,
    sources_of,
    sums_over,
)
from core.usage.days import assign_days, lock_recording
from core.usage.tables import ALL_SOURCES, ALL_USERS, LedgerState
from core.usage.types import Call, CallStatus, Source

# Which roll-ups there are: a ledger that was built for others is built anew when it is opened.
VERSION = 3
# Calls that a process records until it folds those that wait.
FOLD_EVERY = 256

# What calls are counted in, told with every one that is written.
_STORED_ZONE: Any = select(LedgerState.timezone).where(LedgerState.id == 1).scalar_subquery()
_DIALECTS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}
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
            rows = {request_id: _row(call, zone) for request_id, call in reversed(first.items())}
            added, zone = _insert_new(session, rows, zone)
            _add_tags(session, ((event_id, tags_of(rows[request_id])) for request_id, event_id in added))
            _add_to_roll_ups(session, (_as_sums(rows[request_id]) for request_id, _ in added))
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
        sums = [dict(row) for row in session.execute(_sums_of_events(condition)).mappings()]
        _add_to_roll_ups(session, sums)
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
        sums = [dict(row) for row in session.execute(_sums_of_events(EVENTS.c.id.in_(ids))).mappings()]
        _add_to_roll_ups(session, sums, sign=-1)
        session.execute(delete(EVENTS).where(EVENTS.c.id.in_(ids)))
        session.execute(delete(DAILY).where(_rows_of(sums), DAILY.c.requests == 0))
        return len(ids)

    def rebuild(self, session: Session, progress: Callable[[int], None] | None = None) -> None:
        """Compute days and roll-ups anew from the events; changes no figure unless the zone changed.

        In constant memory; other writers wait. `progress` is told twice of each call: how many more were looked
        at, and how many more were folded.
        """
        folding.lock(session)
        lock_recording(session)
        assign_days(session, self._zone, progress)
        session.execute(delete(DAILY))
        for sums in (_sums_of_events(literal(True)), _sums_of_sources(), _sums_of_users()):
            session.execute(insert(DAILY).from_select([*KEY, *SUMS], sums))
        folding.refold(session, self._zone, progress)
        self._note_state(session, datetime.now(UTC))

    def open(self, session: Session) -> None:
        """Note the report time zone on first use; rebuild when the roll-ups have another one, or are not those
        that this program reads. Fold what an earlier process left."""
        state = session.get(LedgerState, 1)
        if state is None and session.execute(select(EVENTS.c.id).limit(1)).first() is None:
            self._note_state(session, None)
        elif state is None or (state.timezone, state.version) != (self._zone.key, VERSION):
            self.rebuild(session)
        else:
            self.fold_all(session)

    def _note_state(self, session: Session, rebuilt_at: datetime | None) -> None:
        state = session.get(LedgerState, 1) or LedgerState(id=1)
        state.timezone, state.rebuilt_at, state.version = self._zone.key, rebuilt_at, VERSION
        session.add(state)
        session.flush()

    def zone_in(self, session: Session) -> ZoneInfo:
        """What the calls that stand are counted in; after `lock`, until the end of the transaction."""
        name = session.execute(select(_STORED_ZONE)).scalar_one()
        return self._zone if name in (None, self._zone.key) else ZoneInfo(name)


def _row(call: Call, zone: ZoneInfo) -> dict[str, Any]:
    usage = call.usage
    amount = call.cost.amount
    if call.user_id <= ALL_USERS:
        raise ValueError(f"a call belongs to a user, not to id {call.user_id}")
    tags = _tags_of(call)
    return {
        "request_id": call.request_id,
        "user_id": call.user_id,
        "occurred_at": call.occurred_at,
        "day": call.occurred_at.astimezone(zone).date(),
        "provider": call.provider,
        "model": call.model,
        "source": call.source.value,
        "status": call.status.value,
        "error_kind": call.error_kind.value if call.error_kind else None,
        **{name: getattr(usage, name) for name in TOKEN_COLUMNS},
        "tokens_estimated": usage.estimated,
        "cost_nano": amount.nano if isinstance(amount, Money) else None,
        "currency": amount.currency if isinstance(amount, Money) else "USD",
        "price_source": call.cost.source[:200],
        "latency_ms": call.latency_ms,
        "first_token_ms": call.first_token_ms,
        "thread_id": call.thread_id,
        "message_id": call.message_id,
        "batch": call.batch,
        "attempts": call.attempts,
        "from_cache": call.from_cache,
        "saved_nano": call.saved_nano,
        "flag": call.flag[:200] if call.flag else None,
        # SQL's NULL, not JSON's null.
        "reported": null() if call.reported is None else dict(call.reported),
        "fallback_from": call.fallback_from,
        "key_ref": call.key_ref,
        "requests": call.requests,
        "tags": tags or null(),
    }


def ids_of_batch(session: Session, batch: str) -> "array[int]":
    """The calls of a batch in the order of their days: eight bytes each."""
    statement = select(EVENTS.c.id).where(EVENTS.c.batch == batch).order_by(EVENTS.c.day, EVENTS.c.id)
    return array("q", session.execute(statement.execution_options(yield_per=folding.CHUNK)).scalars())


def _rows_of(sums: Sequence[Mapping[str, Any]]) -> ColumnElement[bool]:
    """The part of `usage_daily` in which sums stand."""
    days = [row["day"] for row in sums]
    return and_(
        DAILY.c.user_id.in_({ALL_USERS, *(row["user_id"] for row in sums)}),
        DAILY.c.source.in_({name for row in sums for name in sources_of(row["source"])}),
        DAILY.c.day.between(min(days), max(days)),
    )


@lru_cache
def _insert_event(dialect: str) -> Any:
    # Built once: SQLAlchemy keeps the compiled form of a statement it has seen before. It names no index: on
    # PostgreSQL it is a trigger that keeps request ids unique, see migration 0005.
    statement = _DIALECTS[dialect].insert(EVENTS).on_conflict_do_nothing()
    return statement.returning(EVENTS.c.request_id, EVENTS.c.id, _STORED_ZONE.label("stored_zone"))


@lru_cache
def _add_to_daily(dialect: str) -> Any:
    statement = _DIALECTS[dialect].insert(DAILY)
    added = {name: DAILY.c[name] + statement.excluded[name] for name in SUMS}
    return statement.on_conflict_do_update(index_elements=list(KEY), set_=added)


def _insert_new(
    session: Session, rows: dict[str, dict[str, Any]], zone: ZoneInfo
) -> tuple[list[tuple[str, int]], ZoneInfo]:
    """Insert the events whose request id is new; returns these with their ids, and the zone that their days are in.

    `rows` by request id, with the days of `zone`; the ledger may be counted in another one since. Who changes that
    lets nobody write meanwhile, so it is still so when the transaction ends.
    """
    statement = _insert_event(session.get_bind().dialect.name)
    inserted = session.connection().execute(statement, list(rows.values())).all()
    added: list[tuple[str, int]] = [(row.request_id, row.id) for row in inserted]
    stored: str | None = inserted[0].stored_zone if inserted else None
    if stored is not None and stored != zone.key:
        zone = ZoneInfo(stored)
        for request_id, event_id in added:
            row = rows[request_id]
            row["day"] = row["occurred_at"].astimezone(zone).date()
            session.execute(update(EVENTS).where(EVENTS.c.id == event_id).values(day=row["day"]))
    return added, zone


def _tags_of(call: Call) -> list[list[str]]:
    """The tags of a call as they are stored: each once, one category and one prompt, neither empty nor endless."""
    tags: dict[tuple[str, str], None] = {}
    single: set[str] = set()
    for kind, value in call.tags:
        kept = storable(value)[:MOST_TAG_CHARS]
        if not kept or kind in single:
            continue
        if kind != LABEL:
            single.add(kind)
        tags[kind, kept] = None
    return [[kind, value] for kind, value in list(tags)[:MOST_TAGS]]


def tags_of(row: Mapping[str, Any]) -> list[list[str]]:
    """The pairs of kind and value in an event's row; that it has none may be said in several ways."""
    tags: Any = row["tags"]
    return list(tags) if isinstance(tags, list | tuple) else []  # pyright: ignore[reportUnknownArgumentType]


def _add_tags(session: Session, events: Iterable[tuple[int, list[list[str]]]]) -> None:
    rows: list[dict[str, Any]] = []
    for event_id, tags in events:
        rows += ({"facet": kind, "value": value, "event_id": event_id} for kind, value in tags)
    if rows:
        session.connection().execute(insert(EVENT_TAGS), rows)


def _as_sums(row: dict[str, Any]) -> dict[str, Any]:
    """An event's row as what it adds to a roll-up."""
    requests, latency, first = row["requests"], row["latency_ms"], row["first_token_ms"]
    written = row["output_tokens"]
    timed = requests == 1 and not row["from_cache"] and written > 0 and None not in (latency, first)
    timed = timed and latency > first
    counts = {
        "requests": requests,
        "errors": requests if row["status"] == CallStatus.FAILED else 0,
        "unpriced": requests if row["cost_nano"] is None else 0,
        "estimated": requests if row["tokens_estimated"] else 0,
        "cost_nano": row["cost_nano"] or 0,
        "from_cache": requests if row["from_cache"] else 0,
        "saved_nano": row["saved_nano"] or 0,
        "flagged": requests if row["flag"] is not None else 0,
        "timed_output_tokens": written if timed else 0,
        "timed_ms": latency - first if timed else 0,
    }
    return {**{name: row[name] for name in (*KEY, *TOKEN_COLUMNS)}, **counts}


def _add_to_roll_ups(session: Session, sums: Iterable[dict[str, Any]], sign: int = 1) -> None:
    """Add sums by user and source (or take them out again) to the rows of that user and of all users, of
    that source and of all sources."""
    totals: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sums:
        for user_id in (ALL_USERS, row["user_id"]):
            for source in sources_of(row["source"]):
                key = (user_id, source, *(row[name] for name in KEY[2:]))
                nothing: dict[str, Any] = {**dict(zip(KEY, key, strict=True)), **dict.fromkeys(SUMS, 0)}
                total = totals.setdefault(key, nothing)
                for name in SUMS:
                    total[name] += sign * row[name]
    if totals:
        # In key order, so that two writers on PostgreSQL never wait for each other in a circle.
        ordered = [totals[key] for key in sorted(totals)]
        session.connection().execute(_add_to_daily(session.get_bind().dialect.name), ordered)


def _sums_of_events(condition: Any) -> Any:
    """The statement that sums events by roll-up key."""
    key = [EVENTS.c[name] for name in KEY]
    return select(*key, *sums_over(EVENTS).values()).where(condition).group_by(*key)


def _sums_of_sources() -> Any:
    """All sources but sample data, from the roll-ups of each; at ten million calls that saves minutes."""
    others = [DAILY.c[name] for name in KEY if name != "source"]
    sums = [cast(func.sum(DAILY.c[name]), BigInteger) for name in SUMS]
    real = DAILY.c.source != Source.SAMPLE.value
    return select(others[0], literal(ALL_SOURCES), *others[1:], *sums).where(real).group_by(*others)


def _sums_of_users() -> Any:
    """All users, from the roll-ups of each."""
    others = [DAILY.c[name] for name in KEY[1:]]
    sums = [cast(func.sum(DAILY.c[name]), BigInteger) for name in SUMS]
    return select(literal(ALL_USERS), *others, *sums).group_by(*others)
