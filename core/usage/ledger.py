"""The ledger: every call recorded once, its roll-ups in the same transaction.

Reading is `queries.py`; nothing here scans.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Table, case, delete, func, insert, literal, null, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.pricing.types import Money
from core.usage.tables import ALL_SOURCES, ALL_USERS, LedgerState, UsageDaily, UsageEvent
from core.usage.types import Call, CallStatus, Source

EVENTS: Table = UsageEvent.__table__  # type: ignore[assignment]
DAILY: Table = UsageDaily.__table__  # type: ignore[assignment]

KEY = ("user_id", "source", "day", "provider", "model", "currency")
TOKEN_COLUMNS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "input_audio_tokens",
    "output_tokens",
    "reasoning_tokens",
    "output_audio_tokens",
)
SUMS = (
    "requests",
    "errors",
    "unpriced",
    "estimated",
    *TOKEN_COLUMNS,
    "cost_nano",
    "from_cache",
    "saved_nano",
    "flagged",
)
_DIALECTS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}
# Rows a statement: below PostgreSQL's 65,535 and SQLite's 32,766 bound values.
_CHUNK = 500


class Ledger:
    """Writes calls. The caller owns the transaction, so that a message and its cost are one fact."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    @property
    def zone(self) -> ZoneInfo:
        """The report time zone."""
        return self._zone

    def day_of(self, moment: datetime) -> date:
        """The calendar day of an aware `moment` in the report time zone."""
        return moment.astimezone(self._zone).date()

    def record(self, session: Session, call: Call) -> bool:
        """Record one call; False when its request id already stands, and then nothing changes."""
        return self.record_many(session, (call,)) == 1

    def record_many(self, session: Session, calls: Sequence[Call]) -> int:
        """Record calls and their roll-ups; returns how many were new."""
        fresh = 0
        for start in range(0, len(calls), _CHUNK):
            # One request id twice in a batch is one call: the first stands.
            rows = {call.request_id: self._row(call) for call in reversed(calls[start : start + _CHUNK])}
            added = _insert_new(session, list(rows.values()))
            _add_to_roll_ups(session, (_as_sums(rows[request_id]) for request_id in added))
            fresh += len(added)
        return fresh

    def remove_batch(self, session: Session, batch: str) -> int:
        """Take exactly one batch out of the ledger and its roll-ups; returns how many calls it had."""
        gone = session.execute(select(func.count()).where(EVENTS.c.batch == batch)).scalar_one()
        of_batch = session.execute(_sums_of_events(EVENTS.c.batch == batch)).mappings()
        _add_to_roll_ups(session, (dict(row) for row in of_batch), sign=-1)
        session.execute(delete(EVENTS).where(EVENTS.c.batch == batch))
        session.execute(delete(DAILY).where(DAILY.c.requests == 0))
        return gone

    def rebuild(self, session: Session, progress: Callable[[int], None] | None = None) -> None:
        """Compute days and roll-ups anew from the events; changes no figure unless the zone changed."""
        self._assign_days(session, progress)
        session.execute(delete(DAILY))
        for sums in (_sums_of_events(literal(True)), _sums_of_sources(), _sums_of_users()):
            session.execute(insert(DAILY).from_select([*KEY, *SUMS], sums))
        session.execute(delete(LedgerState))
        now = datetime.now(UTC)
        session.add(LedgerState(id=1, timezone=self._zone.key, rebuilt_at=now))

    def open(self, session: Session) -> None:
        """Note the report time zone on first use; rebuild when it is another than the roll-ups have."""
        state = session.get(LedgerState, 1)
        if state is None:
            session.add(LedgerState(id=1, timezone=self._zone.key, rebuilt_at=None))
        elif state.timezone != self._zone.key:
            self.rebuild(session)

    def _assign_days(self, session: Session, progress: Callable[[int], None] | None) -> None:
        last = 0
        while True:
            rows = session.execute(
                select(EVENTS.c.id, EVENTS.c.occurred_at, EVENTS.c.day)
                .where(EVENTS.c.id > last)
                .order_by(EVENTS.c.id)
                .limit(20_000)
            ).all()
            if not rows:
                return
            moved: dict[date, list[int]] = {}
            for event_id, occurred_at, day in rows:
                if (right := self.day_of(occurred_at)) != day:
                    moved.setdefault(right, []).append(event_id)
            for day, ids in moved.items():
                for start in range(0, len(ids), _CHUNK):
                    part = EVENTS.c.id.in_(ids[start : start + _CHUNK])
                    session.execute(update(EVENTS).where(part).values(day=day))
            last = rows[-1][0]
            if progress is not None:
                progress(len(rows))

    def _row(self, call: Call) -> dict[str, Any]:
        usage = call.usage
        amount = call.cost.amount
        if call.user_id <= ALL_USERS:
            raise ValueError(f"a call belongs to a user, not to id {call.user_id}")
        return {
            "request_id": call.request_id,
            "user_id": call.user_id,
            "occurred_at": call.occurred_at,
            "day": self.day_of(call.occurred_at),
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
        }


@lru_cache
def _insert_event(dialect: str) -> Any:
    # Built once: SQLAlchemy keeps the compiled form of a statement it has seen before.
    statement = _DIALECTS[dialect].insert(EVENTS).on_conflict_do_nothing(index_elements=["request_id"])
    return statement.returning(EVENTS.c.request_id)


@lru_cache
def _add_to_daily(dialect: str) -> Any:
    statement = _DIALECTS[dialect].insert(DAILY)
    added = {name: DAILY.c[name] + statement.excluded[name] for name in SUMS}
    return statement.on_conflict_do_update(index_elements=list(KEY), set_=added)


def _insert_new(session: Session, rows: list[dict[str, Any]]) -> list[str]:
    return list(session.connection().execute(_insert_event(session.get_bind().dialect.name), rows).scalars())


def _as_sums(row: dict[str, Any]) -> dict[str, Any]:
    """An event's row as what it adds to a roll-up."""
    counts = {
        "requests": 1,
        "errors": int(row["status"] == CallStatus.FAILED),
        "unpriced": int(row["cost_nano"] is None),
        "estimated": int(row["tokens_estimated"]),
        "cost_nano": row["cost_nano"] or 0,
        "from_cache": int(row["from_cache"]),
        "saved_nano": row["saved_nano"] or 0,
        "flagged": int(row["flag"] is not None),
    }
    return {**{name: row[name] for name in (*KEY, *TOKEN_COLUMNS)}, **counts}


def _add_to_roll_ups(session: Session, sums: Iterable[dict[str, Any]], sign: int = 1) -> None:
    """Add sums by user and source (or take them out again) to the rows of that user and of all users, of
    that source and of all sources."""
    totals: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sums:
        for user_id in (ALL_USERS, row["user_id"]):
            for source in _sources_of(row["source"]):
                key = (user_id, source, *(row[name] for name in KEY[2:]))
                nothing: dict[str, Any] = {**dict(zip(KEY, key, strict=True)), **dict.fromkeys(SUMS, 0)}
                total = totals.setdefault(key, nothing)
                for name in SUMS:
                    total[name] += sign * row[name]
    if totals:
        # In key order, so that two writers on PostgreSQL never wait for each other in a circle.
        ordered = [totals[key] for key in sorted(totals)]
        session.connection().execute(_add_to_daily(session.get_bind().dialect.name), ordered)


def _sources_of(source: str) -> tuple[str, ...]:
    """The sources a call counts under: sample data never counts with the real ones."""
    return (source,) if source == Source.SAMPLE else (ALL_SOURCES, source)


def _sums_of_events(condition: Any) -> Any:
    """The statement that sums events by roll-up key."""
    key = [EVENTS.c[name] for name in KEY]
    sums = [
        func.count().label("requests"),
        func.sum(case((EVENTS.c.status == CallStatus.FAILED.value, 1), else_=0)).label("errors"),
        func.sum(case((EVENTS.c.cost_nano.is_(None), 1), else_=0)).label("unpriced"),
        func.sum(case((EVENTS.c.tokens_estimated, 1), else_=0)).label("estimated"),
        *(func.sum(EVENTS.c[name]).label(name) for name in TOKEN_COLUMNS),
        func.sum(func.coalesce(EVENTS.c.cost_nano, 0)).label("cost_nano"),
        func.sum(case((EVENTS.c.from_cache, 1), else_=0)).label("from_cache"),
        func.sum(func.coalesce(EVENTS.c.saved_nano, 0)).label("saved_nano"),
        func.sum(case((EVENTS.c.flag.is_not(None), 1), else_=0)).label("flagged"),
    ]
    return select(*key, *sums).where(condition).group_by(*key)


def _sums_of_sources() -> Any:
    """All sources but sample data, from the roll-ups of each; at ten million calls that saves minutes."""
    others = [DAILY.c[name] for name in KEY if name != "source"]
    sums = [func.sum(DAILY.c[name]) for name in SUMS]
    real = DAILY.c.source != Source.SAMPLE.value
    return select(others[0], literal(ALL_SOURCES), *others[1:], *sums).where(real).group_by(*others)


def _sums_of_users() -> Any:
    """All users, from the roll-ups of each."""
    others = [DAILY.c[name] for name in KEY[1:]]
    sums = [func.sum(DAILY.c[name]) for name in SUMS]
    return select(literal(ALL_USERS), *others, *sums).group_by(*others)
