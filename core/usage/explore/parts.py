"""The calls of one bar or cell of `Patterns`, the newest first, without reading all the others.

The roll-ups tell which days have such calls, and of which models; only these days are looked through, from the last
one on until a page is full.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, and_, false, literal, or_
from sqlalchemy.orm import Session

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.usage.columns import EVENTS
from core.usage.event_batch import QUARTER, epoch
from core.usage.explore.calls import page_of, position_of, statement_of
from core.usage.explore.conditions import model_pairs
from core.usage.explore.part_days import Days, all_days, guided_days, offset_of
from core.usage.explore.part_types import Part, Spread
from core.usage.explore.raw import HOURS as HOURS_A_WEEK
from core.usage.explore.raw import finished, hour_of, timed_one_by_one
from core.usage.explore.types import CallPage, Selection

_HIGHEST = 2**63 - 1
_HOUR, _DAY = 3_600, 86_400
# Clocks are changed by less than that.
_SHIFT = 3 * _HOUR


def checked_part(part: Part) -> Part:
    """The part; AppError(VALIDATION) for one that is none."""
    highest = HOURS_A_WEEK if part.of is Spread.HOUR else _HIGHEST
    if not 0 <= part.low < part.high <= highest:
        raise AppError(
            ErrorKind.VALIDATION, N_("There is no such bar. Go back to the charts, and choose one of them.")
        )
    return part


def read_part(
    session: Session,
    selection: Selection,
    part: Part,
    older: str | None,
    limit: int,
    zone: ZoneInfo,
    is_guided: bool = True,
) -> CallPage:
    """A page of calls, as `read_calls`. Without `is_guided` each day with calls is looked through."""
    if older is not None:
        selection = replace(selection, end=min(selection.end, position_of(older)[0]))
    found: list[Any] = []
    days = guided_days(session, selection, part, zone) if is_guided else all_days(session, selection)
    for each in days:
        found += _of_days(session, selection, part, each, older, limit + 1 - len(found), zone)
        if len(found) > limit:
            break
    return page_of(found, limit)


def _of_days(
    session: Session,
    selection: Selection,
    part: Part,
    each: Days,
    older: str | None,
    limit: int,
    zone: ZoneInfo,
) -> list[Any]:
    statement = statement_of(replace(selection, start=each.days[-1], end=each.days[0]), older, limit)
    statement = statement.where(_is_of(part, each.days, zone, session.get_bind().dialect.name))
    if each.models:
        statement = statement.where(model_pairs(EVENTS.c, each.models))
    return list(session.execute(statement).mappings())


def _is_of(part: Part, days: Sequence[date], zone: ZoneInfo, dialect: str) -> ColumnElement[bool]:
    c = EVENTS.c
    if part.of is Spread.HOUR:
        if len(days) == 1:
            return and_(c.requests == 1, _in_hours(part, days[0], zone))
        # Of these days the clocks go as they do on the first.
        seconds = epoch(c.occurred_at, dialect)
        clock = (seconds - seconds % QUARTER + offset_of(days[0], zone)) % _DAY
        begin = part.low % 24 * _HOUR
        return and_(c.requests == 1, c.day.in_(days), clock >= begin, clock < begin + _HOUR)
    counted = timed_one_by_one(EVENTS) if part.of is Spread.FIRST else finished(EVENTS)
    columns = {
        Spread.LATENCY: c.latency_ms,
        Spread.FIRST: c.first_token_ms,
        Spread.LENGTH: c.output_tokens,
    }
    value = columns[part.of]
    # An address may name more milliseconds than their column holds.
    low, last = literal(part.low, BigInteger), literal(part.high - 1, BigInteger)
    return and_(counted, value >= low, value <= last)


def _in_hours(part: Part, day: date, zone: ZoneInfo) -> ColumnElement[bool]:
    """When it is one of the hours on that day, as the cells count it: by the hour at the beginning of each quarter."""
    within: list[tuple[int, int]] = []
    for hour in (each % 24 for each in range(part.low, part.high) if each // 24 == day.weekday()):
        about = int(datetime.combine(day, time(hour), zone).timestamp()) // QUARTER * QUARTER
        for start in range(about - _SHIFT, about + _SHIFT + _HOUR, QUARTER):
            if hour_of(start, zone) != hour:
                continue
            if within and within[-1][1] == start:
                within[-1] = within[-1][0], start + QUARTER
            else:
                within.append((start, start + QUARTER))
    moment = EVENTS.c.occurred_at
    spans = (and_(moment >= _utc(start), moment < _utc(end)) for start, end in within)
    return or_(*spans, false())


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
