"""What calls of a budget's scope cost in its window: days from the roll-ups, the day of a reset from its calls."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, cast, func, select
from sqlalchemy.orm import Session

from core.pricing.currency import ExchangeRates
from core.pricing.types import Money
from core.usage.budget_types import BudgetRule, BudgetScope, BudgetWindow
from core.usage.columns import DAILY, EVENTS
from core.usage.ledger import Ledger
from core.usage.tables import ALL_SOURCES, ALL_USERS
from core.usage.types import Source

# PostgreSQL widens the sum of a BIGINT to NUMERIC, which Python reads as Decimal.
_DAY_COST = cast(func.sum(DAILY.c.cost_nano), BigInteger)
_DAY_CALLS = cast(func.sum(DAILY.c.requests), BigInteger)
_EVENT_COST = cast(func.sum(EVENTS.c.cost_nano), BigInteger)
_MOST_KEPT = 1_000

_Costs = tuple[tuple[str, int], ...]
"""Nano-units by currency."""
_Row = tuple[str, int, int]
"""Currency, nano-units, calls: of a day."""


@dataclass(slots=True)
class Spent:
    """`nano` in the budget's currency; what has no rate, by currency; the first day of the window with a cost."""

    nano: int = 0
    unconverted: dict[str, int] = field(default_factory=dict[str, int])
    first_day: date | None = None


class Spending:
    """Sums what a budget has spent. Thread-safe."""

    def __init__(self, ledger: Ledger, rates: ExchangeRates) -> None:
        self._ledger = ledger
        self._rates = rates
        self._lock = Lock()
        # The calls since a reset on its day, by budget and moment, with the roll-up they were summed at:
        # as long as that stands, the sum does, and the calls need not be read for every check.
        self._since_reset: dict[tuple[Any, ...], tuple[tuple[_Row, ...], _Costs]] = {}

    def of(self, session: Session, rule: BudgetRule, today: date) -> Spent:
        """What is spent of `rule` by the calls in the ledger."""
        first = first_day(rule, today)
        reset_day = self._ledger.day_of(rule.reset_at) if rule.reset_at is not None else None
        spent = Spent()
        for day, rows in _by_day(session, rule, max(first, reset_day or first), today).items():
            if rule.reset_at is not None and day == reset_day:
                costs = self._costs_since_reset(session, rule, rule.reset_at, day, tuple(rows))
            else:
                costs = tuple((currency, nano) for currency, nano, _ in rows)
            self._add(spent, rule.amount.currency, day, costs)
        return spent

    def _add(self, spent: Spent, currency: str, day: date, costs: _Costs) -> None:
        for name, nano in costs:
            money = self._rates.convert(Money(nano, name), currency, day)
            if money is None:
                spent.unconverted[name] = spent.unconverted.get(name, 0) + nano
                continue
            spent.nano += money.nano
            if money.nano and spent.first_day is None:
                spent.first_day = day

    def _costs_since_reset(
        self, session: Session, rule: BudgetRule, moment: datetime, day: date, version: tuple[_Row, ...]
    ) -> _Costs:
        key = (rule.scope, rule.user_id, rule.provider, moment, day)
        with self._lock:
            kept = self._since_reset.get(key)
        if kept is not None and kept[0] == version:
            return kept[1]
        costs = _costs_since(session, rule, moment, day)
        with self._lock:
            if len(self._since_reset) >= _MOST_KEPT:
                self._since_reset.clear()
            self._since_reset[key] = (version, costs)
        return costs


def first_day(rule: BudgetRule, today: date) -> date:
    """The first day of the window that `today` is in."""
    if rule.window is BudgetWindow.MONTH:
        return today.replace(day=1)
    return today - timedelta((rule.window_days or 1) - 1)


def free_again(rule: BudgetRule, spent: Spent, today: date) -> date:
    """The day on which something of what is spent leaves the window."""
    if rule.window is BudgetWindow.MONTH:
        return (today.replace(day=1) + timedelta(32)).replace(day=1)
    return (spent.first_day or today) + timedelta(rule.window_days or 1)


def _by_day(session: Session, rule: BudgetRule, first: date, last: date) -> dict[date, list[_Row]]:
    """The roll-ups of the days with calls, in order."""
    columns = (DAILY.c.day, DAILY.c.currency, _DAY_COST, _DAY_CALLS)
    condition = and_(
        DAILY.c.user_id == (rule.user_id if rule.scope is BudgetScope.USER else ALL_USERS),
        DAILY.c.source == ALL_SOURCES,
        DAILY.c.day.between(first, last),
    )
    if rule.scope is BudgetScope.PROVIDER:
        condition = and_(condition, DAILY.c.provider == rule.provider)
    key = (DAILY.c.day, DAILY.c.currency)
    days: dict[date, list[_Row]] = {}
    statement = select(*columns).where(condition).group_by(*key).order_by(*key)
    for day, currency, cost, calls in session.execute(statement):
        days.setdefault(day, []).append((currency, cost, calls))
    return days


def _costs_since(session: Session, rule: BudgetRule, moment: datetime, day: date) -> _Costs:
    conditions = [
        EVENTS.c.day == day,
        EVENTS.c.occurred_at >= moment,
        EVENTS.c.source != Source.SAMPLE.value,
        EVENTS.c.cost_nano.is_not(None),
        _of_users(rule),
    ]
    if rule.scope is BudgetScope.PROVIDER:
        conditions.append(EVENTS.c.provider == rule.provider)
    statement = select(EVENTS.c.currency, _EVENT_COST).where(*conditions).group_by(EVENTS.c.currency)
    return tuple((currency, nano) for currency, nano in session.execute(statement))


def _of_users(rule: BudgetRule) -> ColumnElement[bool]:
    """The users whose calls count. The index of calls begins with the user, so all of them are named, each
    found by one look into that index, where a condition on the day alone would read every call there is."""
    if rule.scope is BudgetScope.USER:
        return EVENTS.c.user_id == rule.user_id
    users = select(func.min(EVENTS.c.user_id).label("user_id")).cte("users", recursive=True)
    following = select(func.min(EVENTS.c.user_id)).where(EVENTS.c.user_id > users.c.user_id)
    users = users.union_all(select(following.scalar_subquery()).where(users.c.user_id.is_not(None)))
    return EVENTS.c.user_id.in_(select(users.c.user_id).where(users.c.user_id.is_not(None)))
