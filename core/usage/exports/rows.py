"""The calls of a selection in the order of their ids, a page at a time: memory does not grow with their number."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.store.unit_of_work import UnitOfWork
from core.usage.columns import CATEGORY, EVENTS, LABEL, PROMPT
from core.usage.days import in_days
from core.usage.explore.conditions import conditions
from core.usage.explore.types import Selection

PAGE = 5_000

Row = tuple[Any, ...]
"""One call in the order of `types.COLUMNS`."""

_BEFORE_MONEY = (
    "provider",
    "model",
    "source",
    "status",
    "error_kind",
    "requests",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "input_audio_tokens",
    "output_tokens",
    "reasoning_tokens",
    "output_audio_tokens",
    "tokens_estimated",
)
_AFTER_CURRENCY = ("price_source", "latency_ms", "first_token_ms", "attempts", "from_cache")
_AFTER_SAVED = ("flag", "fallback_from")
_AFTER_TAGS = ("thread_id", "request_id")
_SELECTED = tuple(
    EVENTS.c[name]
    for name in (
        "id",
        "occurred_at",
        "cost_nano",
        "currency",
        "saved_nano",
        "tags",
        "day",
        "user_id",
        *_BEFORE_MONEY,
        *_AFTER_CURRENCY,
        *_AFTER_SAVED,
        *_AFTER_TAGS,
    )
)
_FIRST = 8
_MIDDLE = _FIRST + len(_BEFORE_MONEY)
_LAST = _MIDDLE + len(_AFTER_CURRENCY)
_TAGS = _LAST + len(_AFTER_SAVED)
# What an import takes for the end of a label.
_BETWEEN = (",", ";")


Names = Mapping[int, str]
Told = Callable[[int, float], None]
"""Told how many calls were given so far, and which share of all ids they lie in (0 to 1); raises to stop."""


def untold(_calls: int, _share: float) -> None:
    """Nobody wants to know."""


def pages(
    unit: UnitOfWork,
    selection: Selection,
    zone: ZoneInfo,
    size: int = PAGE,
    progress: Told = untold,
    names: Names = MappingProxyType({}),
) -> Iterator[list[Row]]:
    """The calls that stand when the first page is asked for, at most `size` a page. `names`: of users by their ids.

    Each page is a transaction of its own, so that a slow download holds none open. `progress` is told when a page
    was used.
    """
    with unit.read() as session:
        first, last = _span(session, selection)
    at, calls = first, 0
    while first is not None and at is not None:
        with unit.read() as session:
            events = _page(session, selection, at, last, size)
        if events:
            yield [_as_row(event, zone, names) for event in events]
        calls, at = calls + len(events), events[-1][0] + 1 if len(events) == size else None
        progress(calls, 1.0 if at is None else (at - first) / (last + 1 - first))


def _span(session: Session, selection: Selection) -> tuple[int | None, int]:
    """The first and last id that may belong to the selection, from the index of users and days alone."""
    statement = select(func.min(EVENTS.c.id), func.max(EVENTS.c.id))
    statement = statement.where(in_days(selection.start, selection.end))
    if selection.scope is not None:
        statement = statement.where(EVENTS.c.user_id == selection.scope)
    first, last = session.execute(statement).one()
    return first, last or 0


def _page(session: Session, selection: Selection, first: int, last: int, size: int) -> Sequence[Any]:
    statement = select(*_SELECTED).where(EVENTS.c.id.between(first, last), *_conditions(selection))
    return session.execute(statement.order_by(EVENTS.c.id).limit(size)).all()


def _conditions(selection: Selection) -> list[ColumnElement[bool]]:
    # What the explorer shows is what is exported: the same conditions, but for the user.
    found = [conditions(EVENTS, replace(selection, scope=None))]
    if selection.scope is not None:
        # A sum, not the column: with its index a database would collect and sort the whole range anew for
        # every page, where the ids alone give each call once and in order.
        found.append(EVENTS.c.user_id + 0 == selection.scope)
    return found


def _as_row(event: Any, zone: ZoneInfo, names: Names) -> Row:
    _, occurred_at, cost, currency, saved, tags, day, user_id = event[:_FIRST]
    # The ledger names a currency even where there is no amount.
    priced = cost is not None or saved is not None
    return (
        occurred_at,
        occurred_at.astimezone(zone),
        day,
        user_id,
        names.get(user_id),
        *event[_FIRST:_MIDDLE],
        cost,
        currency if priced else None,
        *event[_MIDDLE:_LAST],
        saved,
        *event[_LAST:_TAGS],
        *_tags(tags or ()),
        *event[_TAGS:],
    )


def _tags(tags: Sequence[Sequence[str]]) -> tuple[str | None, str | None, str | None]:
    """Category, prompt and labels. Labels stand between semicolons; where one holds such a sign itself, as a JSON
    list: an import reads both."""
    first: dict[str, str] = {}
    labels: list[str] = []
    for kind, value in tags:
        if kind == LABEL:
            labels.append(value)
        else:
            first.setdefault(kind, value)
    plain = not any(sign in label for label in labels for sign in _BETWEEN)
    joined = "; ".join(labels) if plain else json.dumps(labels, ensure_ascii=False)
    return first.get(CATEGORY), first.get(PROMPT), joined or None
