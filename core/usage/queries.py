"""Reads of the roll-ups, as plain tuples added up in one pass: what a report costs depends on its days
and models, never on how many calls they hold."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, cast, func, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from core.usage.columns import DAILY, EVENTS
from core.usage.exchange import Exchange
from core.usage.explore.types import Selection, Where
from core.usage.narrowing import daily_rows
from core.usage.tables import ALL_SOURCES, ALL_USERS
from core.usage.types import (
    DayTotals,
    ModelTotals,
    ProviderTotals,
    Source,
    Totals,
    UsageReport,
)

# In the order of the fields of `Totals`.
COUNTS = (
    "requests",
    "errors",
    "unpriced",
    "estimated",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
)
_COLUMNS = tuple(DAILY.c[name] for name in (*COUNTS, "cost_nano"))
# PostgreSQL widens the sum of a BIGINT to NUMERIC, which Python reads as Decimal.
_SUMS = tuple(cast(func.sum(DAILY.c[name]), BigInteger) for name in (*COUNTS, "cost_nano"))
_KEY = (DAILY.c.day, DAILY.c.provider, DAILY.c.model, DAILY.c.currency)
# The day as the driver hands it over: to parse it anew in every row is a tenth of the statement.
_RAW_KEY = (type_coerce(DAILY.c.day, NullType()), *_KEY[1:])

Row = Sequence[Any]
"""day, provider, model, currency, the eight counts, cost in nano-units of the currency."""
_DAY, _PROVIDER, _MODEL, _CURRENCY, _REQUESTS, _UNPRICED, _COST = 0, 1, 2, 3, 4, 6, 12
_day_of = itemgetter(_DAY)
_model_of = itemgetter(_PROVIDER, _MODEL)


def read_report(
    session: Session,
    user_id: int,
    start: date,
    end: date,
    sample: bool,
    exchange: Exchange | None = None,
    where: Where = (),
) -> UsageReport:
    """The report on the days from `start` to `end`, both included, in two statements; one more when the
    period before has to be converted, too."""
    rows = _range(session, _within(user_id, start, end, sample, where))
    length = (end - start).days + 1
    first, last = start - timedelta(length), start - timedelta(1)
    earlier = (session, _within(user_id, first, last, sample, where))
    before: Sequence[Row] = [(None, None, None, *row) for row in _by_currency(*earlier)]
    if exchange is not None:
        if _has_others(before, exchange.currency):
            before = _converted(_range(*earlier), exchange)
        # Last, so that `exchange` tells of the range itself.
        exchange.forget()
        rows = _converted(rows, exchange)
    return report_of(start, end, rows, before, exchange)


def report_of(
    start: date, end: date, rows: Sequence[Row], before: Sequence[Row], exchange: Exchange | None = None
) -> UsageReport:
    """The report on rows in the order of their days, and on those of the period before in any."""
    days = [start + timedelta(offset) for offset in range((end - start).days + 1)]
    named: dict[object, date] = {}
    for day in days:
        named[day] = named[day.isoformat()] = day
    by_day = {named[day]: _sum(group) for day, group in groupby(rows, _day_of)}
    by_model = _by_model(rows)
    return UsageReport(
        start=start,
        end=end,
        total=_merge(model.totals for model in by_model),
        previous=_sum(before),
        days=tuple((day, by_day.get(day) or Totals()) for day in days),
        daily=tuple(_daily(rows, named)),
        by_model=by_model,
        by_provider=_by_provider(by_model),
        converted=exchange is not None and exchange.converted,
        unconverted=frozenset(exchange.unconverted) if exchange is not None else frozenset(),
    )


def read_totals(
    session: Session, user_id: int, start: date | None, end: date, sample: bool, exchange: Exchange
) -> Totals:
    """Everything from `start` (None: the very first day) to `end`, however long that is, as one sum."""
    start = start or date.min
    within = _within(user_id, start, end, sample)
    rows: Sequence[Row] = [(None, None, None, *row) for row in _by_currency(session, within)]
    if _has_others(rows, exchange.currency):
        # Only now the days matter: each has a rate of its own.
        statement = select(DAILY.c.day, DAILY.c.currency, *_SUMS).where(within)
        days = session.execute(statement.group_by(DAILY.c.day, DAILY.c.currency)).all()
        rows = _converted([(day, None, None, *row) for day, *row in days], exchange)
    return _sum(rows)


def has_real_calls(session: Session, user_id: int) -> bool:
    """Whether anything but sample data stands in the ledger for `user_id`."""
    statement = select(DAILY.c.user_id).where(DAILY.c.user_id == user_id, _of(sample=False)).limit(1)
    return session.execute(statement).first() is not None


def has_batch(session: Session, batch: str) -> bool:
    """Whether a batch stands in the ledger: one look into its index, whatever the number of calls."""
    return session.execute(select(EVENTS.c.id).where(EVENTS.c.batch == batch).limit(1)).first() is not None


def _range(session: Session, within: ColumnElement[bool]) -> Sequence[Row]:
    # Nothing to group: within one user and one source the rows of `usage_daily` are the answer, in order.
    return session.execute(select(*_RAW_KEY, *_COLUMNS).where(within).order_by(*_KEY)).all()


def _by_currency(session: Session, within: ColumnElement[bool]) -> Sequence[Row]:
    statement = select(DAILY.c.currency, *_SUMS).where(within)
    return session.execute(statement.group_by(DAILY.c.currency)).all()


def _has_others(rows: Sequence[Row], currency: str) -> bool:
    return any(row[_CURRENCY] != currency and row[_REQUESTS] > row[_UNPRICED] for row in rows)


def _converted(rows: Sequence[Row], exchange: Exchange) -> Sequence[Row]:
    """The rows with each cost converted at the rate of its day: once, so that all sums of them agree."""
    if not _has_others(rows, exchange.currency):
        return rows
    converted: list[Row] = []
    for row in rows:
        if row[_CURRENCY] == exchange.currency or row[_REQUESTS] == row[_UNPRICED]:
            converted.append(row)
            continue
        money = exchange.convert(row[_COST], row[_CURRENCY], row[_DAY])
        converted.append((*row[:_CURRENCY], money.currency, *row[_CURRENCY + 1 : _COST], money.nano))
    return converted


def _within(
    user_id: int,
    start: date,
    end: date,
    sample: bool,
    where: Where = (),
) -> ColumnElement[bool]:
    if where:
        scope = None if user_id == ALL_USERS else user_id
        return daily_rows(Selection(scope, start, end, sample, where))
    return and_(DAILY.c.user_id == user_id, DAILY.c.day.between(start, end), _of(sample))


def _of(sample: bool) -> ColumnElement[bool]:
    return DAILY.c.source == (Source.SAMPLE.value if sample else ALL_SOURCES)


def _sum(rows: Iterable[Row]) -> Totals:
    """Any rows added up; a currency is named when at least one call was priced in it, be it at 0."""
    rows = list(rows)
    costs: dict[str, int] = {}
    for row in rows:
        if row[_REQUESTS] > row[_UNPRICED]:
            costs[row[_CURRENCY]] = costs.get(row[_CURRENCY], 0) + row[_COST]
    # Column by column, so that the additions run in C.
    counts = list(zip(*rows, strict=True))[_REQUESTS:_COST]
    return Totals(*map(sum, counts), costs=costs) if rows else Totals()


def _daily(rows: Sequence[Row], named: dict[object, date]) -> list[DayTotals]:
    found: list[DayTotals] = []
    last_day = last_provider = last_model = None
    # Positions spelled out: this runs once a day and model, and is most of what Python adds to a report.
    for day, provider, model, currency, requests, errors, unpriced, a, b, c, d, e, cost in rows:
        costs = {currency: cost} if requests > unpriced else {}
        totals = Totals(requests, errors, unpriced, a, b, c, d, e, costs)
        if model == last_model and day == last_day and provider == last_provider:
            # Priced in a second currency on one day, or of another user or source that was asked for.
            totals = _merge((found.pop().totals, totals))
        found.append(DayTotals(named[day], provider, model, totals))
        last_day, last_provider, last_model = day, provider, model
    return found


def _by_model(rows: Sequence[Row]) -> tuple[ModelTotals, ...]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault(_model_of(row), []).append(row)
    models = [ModelTotals(provider, model, _sum(group)) for (provider, model), group in found.items()]
    main = main_currency(model.totals for model in models)
    return tuple(sorted(models, key=lambda each: (*_rank(each.totals, main), each.provider, each.model)))


def _by_provider(models: Iterable[ModelTotals]) -> tuple[ProviderTotals, ...]:
    found: dict[str, list[Totals]] = {}
    for each in models:
        found.setdefault(each.provider, []).append(each.totals)
    providers = [ProviderTotals(name, len(group), _merge(group)) for name, group in found.items()]
    main = main_currency(each.totals for each in providers)
    return tuple(sorted(providers, key=lambda each: (*_rank(each.totals, main), each.provider)))


def _merge(parts: Iterable[Totals]) -> Totals:
    parts = list(parts)
    rows = [tuple(getattr(part, name) for name in COUNTS) for part in parts]
    costs: dict[str, int] = {}
    for part in parts:
        for currency, nano in part.costs.items():
            costs[currency] = costs.get(currency, 0) + nano
    return Totals(*map(sum, zip(*rows, strict=True)), costs=costs)


def main_currency(parts: Iterable[Totals]) -> str:
    """The currency that most calls were priced in; amounts of two currencies cannot be compared."""
    calls: dict[str, int] = {}
    for part in parts:
        for currency in part.costs:
            calls[currency] = calls.get(currency, 0) + part.requests - part.unpriced
    return min(calls, key=lambda currency: (-calls[currency], currency), default="")


def _rank(totals: Totals, currency: str) -> tuple[int, int, int]:
    return -totals.costs.get(currency, 0), -totals.requests, -totals.tokens


def last_days(session: Session, sample: bool) -> dict[int, date]:
    """The latest day with calls of each user, from the roll-ups."""
    statement = select(DAILY.c.user_id, func.max(DAILY.c.day)).where(
        DAILY.c.user_id > ALL_USERS, DAILY.c.source == (Source.SAMPLE.value if sample else ALL_SOURCES)
    )
    rows = session.execute(statement.group_by(DAILY.c.user_id)).all()
    return {row[0]: row[1] for row in rows}
