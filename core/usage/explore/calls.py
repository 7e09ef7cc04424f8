"""The calls of a selection, the newest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.types import Money
from core.usage.columns import EVENTS
from core.usage.explore.conditions import conditions
from core.usage.explore.types import CallPage, CallRow, Selection

MOST_CALLS = 1_000
_LARGEST_ID = 2**63 - 1
_SAME = (
    "id",
    "request_id",
    "user_id",
    "occurred_at",
    "day",
    "provider",
    "model",
    "source",
    "status",
    "error_kind",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "price_source",
    "latency_ms",
    "first_token_ms",
    "thread_id",
    "message_id",
    "attempts",
    "from_cache",
    "flag",
    "reported",
    "fallback_from",
    "requests",
)
_OTHERS = ("tokens_estimated", "cost_nano", "currency", "saved_nano", "tags")


def read_calls(session: Session, selection: Selection, older: str | None, limit: int) -> CallPage:
    """A page of calls. AppError(VALIDATION) for an `older` that no page has."""
    return page_of(session.execute(statement_of(selection, older, limit + 1)).mappings().all(), limit)


def page_of(rows: Sequence[Any], limit: int) -> CallPage:
    """The first `limit` rows of statement_of; there is an older page when there are more."""
    found = tuple(_call(dict(row)) for row in rows[:limit])
    more = len(rows) > limit
    return CallPage(found, f"{found[-1].day.isoformat()}:{found[-1].id}" if more else None)


def statement_of(selection: Selection, older: str | None, limit: int) -> Select[Any]:
    """The calls from the one after `older`: in the order of the indexes, so that none is sorted."""
    statement = select(*(EVENTS.c[name] for name in (*_SAME, *_OTHERS)))
    if older is not None:
        day, event_id = position_of(older)
        # Days that were shown are not read again.
        selection = replace(selection, end=min(selection.end, day))
        statement = statement.where(or_(EVENTS.c.day < day, EVENTS.c.id < event_id))
    statement = statement.where(conditions(EVENTS, selection))
    return statement.order_by(EVENTS.c.day.desc(), EVENTS.c.id.desc()).limit(limit)


def position_of(older: str) -> tuple[date, int]:
    """Where the page before ended: the day and the id of its last call. AppError(VALIDATION) for what is none."""
    day, colon, number = older.partition(":")
    try:
        if not (colon and number.isascii() and number.isdigit() and len(number) <= 19):
            raise ValueError(older)
        if int(number) > _LARGEST_ID:
            raise ValueError(older)
        return date.fromisoformat(day), int(number)
    except ValueError as error:
        raise AppError(
            ErrorKind.VALIDATION, N_("This page of calls does not exist. Start again from the newest call.")
        ) from error


def _call(row: dict[str, Any]) -> CallRow:
    currency = row["currency"]
    return CallRow(
        **{name: row[name] for name in _SAME},
        estimated=row["tokens_estimated"],
        cost=None if row["cost_nano"] is None else Money(row["cost_nano"], currency),
        saved=None if row["saved_nano"] is None else Money(row["saved_nano"], currency),
        tags=tuple((kind, value) for kind, value in row["tags"] or ()),
    )
