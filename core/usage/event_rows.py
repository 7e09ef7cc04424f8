"""Calls as the rows of `usage_events`, and what each adds to a roll-up."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, null, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.pricing.types import Money
from core.store.text import storable
from core.usage.columns import EVENT_TAGS, EVENTS, KEY, LABEL, MOST_TAG_CHARS, MOST_TAGS, TOKEN_COLUMNS
from core.usage.tables import ALL_USERS, LedgerState
from core.usage.types import Call, CallStatus

STORED_ZONE: Any = select(LedgerState.timezone).where(LedgerState.id == 1).scalar_subquery()
"""What calls are counted in, told with every one that is written."""
_DIALECTS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}


def row_of(call: Call, zone: ZoneInfo) -> dict[str, Any]:
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


@lru_cache
def _insert_event(dialect: str) -> Any:
    # Built once: SQLAlchemy keeps the compiled form of a statement it has seen before. It names no index: on
    # PostgreSQL it is a trigger that keeps request ids unique, see migration 0005.
    statement = _DIALECTS[dialect].insert(EVENTS).on_conflict_do_nothing()
    return statement.returning(EVENTS.c.request_id, EVENTS.c.id, STORED_ZONE.label("stored_zone"))


def insert_new(
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


def add_tags(session: Session, events: Iterable[tuple[int, list[list[str]]]]) -> None:
    rows: list[dict[str, Any]] = []
    for event_id, tags in events:
        rows += ({"facet": kind, "value": value, "event_id": event_id} for kind, value in tags)
    if rows:
        session.connection().execute(insert(EVENT_TAGS), rows)


def as_sums(row: dict[str, Any]) -> dict[str, Any]:
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
