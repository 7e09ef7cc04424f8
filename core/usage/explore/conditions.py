"""A selection as SQL over calls: what it leaves, and what it is grouped by."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, String, and_, cast, false, func, literal, or_, select, text

from core.usage.columns import EVENT_TAGS
from core.usage.days import in_days
from core.usage.explore.types import Dimension, Selection
from core.usage.types import CallStatus, Source

TAGS = frozenset({Dimension.CATEGORY, Dimension.PROMPT, Dimension.LABEL})
# Word for word as in the partial index on unfinished calls: SQLite uses one when it reads its condition again.
_UNFINISHED = text("status <> 'completed'")


def conditions(calls: FromClause, selection: Selection) -> ColumnElement[bool]:
    """Which rows of `calls` (usage_events, or a part of them) belong to a selection."""
    found: list[Any] = [in_days(selection.start, selection.end, calls)]
    if selection.scope is not None:
        found.append(calls.c.user_id == selection.scope)
    sample = calls.c.source == Source.SAMPLE.value
    found.append(sample if selection.sample else ~sample)
    found += [_any_of(calls, dimension, values) for dimension, values in selection.where]
    if (status := selection.values(Dimension.STATUS)) and CallStatus.COMPLETED.value not in status:
        found.append(_UNFINISHED)
    return and_(*found)


def model_pairs(columns: Any, values: tuple[str, ...]) -> ColumnElement[bool]:
    """Which rows are of one of the models "provider/model"."""
    pairs = [value.partition("/") for value in values]
    return or_(
        *(and_(columns.provider == provider, columns.model == model) for provider, _, model in pairs), false()
    )


def value_of(calls: FromClause, dimension: Dimension | None) -> tuple[ColumnElement[str], FromClause]:
    """What calls are grouped by, and what it is selected from: a call with several labels stands there with each."""
    if dimension is None:
        return literal(""), calls
    if dimension in TAGS:
        tags = EVENT_TAGS.alias("tags")
        joined = calls.outerjoin(
            tags, and_(tags.c.event_id == calls.c.id, tags.c.facet == literal(dimension.value))
        )
        return _or_empty(tags.c.value), joined
    columns: dict[Dimension, ColumnElement[Any]] = {
        Dimension.PROVIDER: calls.c.provider,
        Dimension.MODEL: calls.c.provider + "/" + calls.c.model,
        Dimension.SOURCE: calls.c.source,
        Dimension.USER: cast(calls.c.user_id, String),
        Dimension.STATUS: calls.c.status,
        Dimension.ERROR: _or_empty(calls.c.error_kind),
        Dimension.THREAD: _or_empty(cast(calls.c.thread_id, String)),
    }
    return columns[dimension], calls


def _or_empty(column: ColumnElement[Any]) -> ColumnElement[str]:
    return func.coalesce(column, "")


def _any_of(calls: FromClause, dimension: Dimension, values: tuple[str, ...]) -> ColumnElement[bool]:
    if dimension is Dimension.MODEL:
        return model_pairs(calls.c, values)
    if dimension in TAGS:
        return _tagged(calls, dimension, values)
    named = [value for value in values if value]
    if dimension in (Dimension.USER, Dimension.THREAD):
        column = calls.c.user_id if dimension is Dimension.USER else calls.c.thread_id
        chosen: ColumnElement[bool] = column.in_([int(value) for value in named])
    else:
        column = calls.c["error_kind" if dimension is Dimension.ERROR else dimension.value]
        chosen = column.in_(named)
    return chosen if len(named) == len(values) else or_(chosen, column.is_(None))


def _tagged(calls: FromClause, dimension: Dimension, values: tuple[str, ...]) -> ColumnElement[bool]:
    of_kind = select(EVENT_TAGS.c.event_id).where(EVENT_TAGS.c.facet == literal(dimension.value))
    named = [value for value in values if value]
    chosen = calls.c.id.in_(of_kind.where(EVENT_TAGS.c.value.in_(named)))
    if len(named) == len(values):
        return chosen
    bare = ~of_kind.where(EVENT_TAGS.c.event_id == calls.c.id).exists()
    return or_(chosen, bare)
