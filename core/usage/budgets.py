"""Budgets: what calls may cost in a window, checked before a call is sent."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.currency import ExchangeRates
from core.pricing.fresh import Fresh
from core.pricing.types import CallCost, Money
from core.rights import Actor, require_admin
from core.store.unit_of_work import UnitOfWork
from core.usage.budget_rows import fill, passed, rule_of
from core.usage.budget_types import (
    BudgetInfo,
    BudgetRule,
    BudgetScope,
    BudgetState,
    BudgetVerdict,
    BudgetWindow,
    Hold,
)
from core.usage.ledger import Ledger
from core.usage.spending import Spending, Spent, free_again
from core.usage.tables import Budget


class BudgetService:
    """Keeps budgets and judges calls by them. Thread-safe.

    Calls on their way count with their worst case, so that two calls of this process cannot pass a budget
    together. A process does not know what others have on their way: with several of them a budget can be
    passed by what those calls cost. Changing budgets is for administrators; AppError(FORBIDDEN) for others.
    """

    def __init__(
        self,
        unit: UnitOfWork,
        ledger: Ledger,
        rates: ExchangeRates,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`clock`: monotonic seconds. `now`: the aware moment of day."""
        self._unit = unit
        self._ledger = ledger
        self._rates = rates
        self._spending = Spending(ledger, rates)
        self._rules = Fresh(self._version, self._load, clock)
        self._now = now
        self._lock = threading.RLock()
        self._holds: dict[str, Hold] = {}

    @property
    def active(self) -> bool:
        """Whether there is any budget; from memory but for one query every 2 s."""
        return bool(self._rules.get())

    @property
    def may_be_active(self) -> bool:
        """See BudgetGate: from memory alone."""
        rules = self._rules.peek()
        return rules is None or bool(rules)

    def list(self, scope: int | None) -> tuple[BudgetInfo, ...]:
        """The budgets that concern user `scope` (None: all), the oldest first, with what is spent of each."""
        rules = [
            rule
            for rule in self._load()
            if scope is None or rule.scope is not BudgetScope.USER or rule.user_id == scope
        ]
        return tuple(self._info(rule, spent) for rule, spent in self._spent(rules, self._today()))

    def add(
        self,
        actor: Actor,
        scope: BudgetScope,
        amount: Money,
        *,
        for_user: int | None = None,
        provider: str | None = None,
        window: BudgetWindow = BudgetWindow.MONTH,
        window_days: int | None = None,
        warn_percent: int = 80,
        blocks: bool = True,
    ) -> BudgetInfo:
        """A new budget; AppError(VALIDATION) naming what is wrong."""
        require_admin(actor)
        now = self._now()
        row = Budget(created_by=actor.id, created_at=now, updated_at=now, reset_at=None)
        fill(row, scope, amount, for_user, provider, window, window_days, warn_percent, blocks)
        with self._unit.write() as session:
            session.add(row)
            session.flush()
            rule = rule_of(row)
        return self._written(rule)

    def update(
        self,
        actor: Actor,
        budget_id: int,
        *,
        scope: BudgetScope | None = None,
        amount: Money | None = None,
        for_user: int | None = None,
        provider: str | None = None,
        window: BudgetWindow | None = None,
        window_days: int | None = None,
        warn_percent: int | None = None,
        blocks: bool | None = None,
    ) -> BudgetInfo:
        """Change what is given; the rest stays. AppError(VALIDATION, NOT_FOUND)."""
        require_admin(actor)
        with self._unit.write() as session:
            row = self._row(session, budget_id)
            rule = rule_of(row)
            fill(
                row,
                scope or rule.scope,
                amount or rule.amount,
                rule.user_id if for_user is None else for_user,
                rule.provider if provider is None else provider,
                window or rule.window,
                rule.window_days if window_days is None else window_days,
                rule.warn_percent if warn_percent is None else warn_percent,
                rule.blocks if blocks is None else blocks,
            )
            row.updated_at = self._now()
            rule = rule_of(row)
        return self._written(rule)

    def delete(self, actor: Actor, budget_id: int) -> None:
        """Remove a budget; AppError(NOT_FOUND) for an unknown one."""
        require_admin(actor)
        with self._unit.write() as session:
            session.delete(self._row(session, budget_id))
        self._rules.expire()

    def reset(self, actor: Actor, budget_id: int) -> BudgetInfo:
        """Count from zero again: calls that began before now do not count any more. AppError(NOT_FOUND)."""
        require_admin(actor)
        with self._unit.write() as session:
            row = self._row(session, budget_id)
            row.reset_at = row.updated_at = self._now()
            rule = rule_of(row)
        return self._written(rule)

    def check(self, user_id: int, provider: str, worst_case: CallCost) -> BudgetVerdict:
        """Whether a call may be made that costs `worst_case` at most.

        AppError(BUDGET) when it would pass a budget that blocks. A call that is free passes none, and one
        that nobody can price, or convert, cannot be judged: both may be made.
        """
        with self._lock:
            return self._judge(user_id, provider, worst_case.amount, None)

    def hold(self, request_id: str, user_id: int, provider: str, worst_case: CallCost) -> None:
        """Count a call that is on its way with its worst case; a second hold replaces the first."""
        with self._lock:
            self._holds[request_id] = Hold(user_id, provider, worst_case.amount, self._now())

    def admit(self, request_id: str, user_id: int, provider: str, worst_case: CallCost) -> BudgetVerdict:
        """`check` and `hold` as one step: of two calls at once the second sees the first. AppError(BUDGET)."""
        with self._lock:
            verdict = self._judge(user_id, provider, worst_case.amount, request_id)
            self.hold(request_id, user_id, provider, worst_case)
            return verdict

    def release(self, request_id: str) -> None:
        """The call is in the ledger now, or will never be."""
        with self._lock:
            self._holds.pop(request_id, None)

    def _judge(
        self, user_id: int, provider: str, worst_case: Money | None, request_id: str | None
    ) -> BudgetVerdict:
        rules = [rule for rule in self._rules.get() if rule.covers(user_id, provider)]
        if not rules or worst_case is None or worst_case.nano == 0:
            return BudgetVerdict()
        warnings: list[BudgetInfo] = []
        today = self._today()
        # The lock is held: a call that ends meanwhile is in the ledger and still on hold, never in neither.
        for rule, spent in self._spent(rules, today):
            cost = self._rates.convert(worst_case, rule.amount.currency, today)
            if cost is None:
                continue
            taken = spent.nano + self._held(rule, request_id)
            if rule.blocks and taken + cost.nano > rule.amount.nano:
                raise passed(rule, taken, cost, free_again(rule, spent, today))
            if (taken + cost.nano) * 100 >= rule.amount.nano * rule.warn_percent:
                warnings.append(self._info(rule, spent))
        return BudgetVerdict(tuple(warnings))

    def _held(self, rule: BudgetRule, request_id: str | None) -> int:
        """What other calls on their way may cost at most, in the budget's currency."""
        total = 0
        for name, hold in self._holds.items():
            counts = rule.reset_at is None or hold.since >= rule.reset_at
            if name == request_id or hold.worst_case is None or not counts:
                continue
            if rule.covers(hold.user_id, hold.provider):
                day = self._ledger.day_of(hold.since)
                money = self._rates.convert(hold.worst_case, rule.amount.currency, day)
                total += money.nano if money is not None else 0
        return total

    def _spent(self, rules: Iterable[BudgetRule], today: date) -> Iterable[tuple[BudgetRule, Spent]]:
        with self._unit.read() as session:
            return [(rule, self._spending.of(session, rule, today)) for rule in rules]

    def _info(self, rule: BudgetRule, spent: Spent) -> BudgetInfo:
        state = BudgetState.OK
        if spent.nano >= rule.amount.nano:
            state = BudgetState.OVER
        elif spent.nano * 100 >= rule.amount.nano * rule.warn_percent:
            state = BudgetState.WARN
        return BudgetInfo(
            id=rule.id,
            scope=rule.scope,
            user_id=rule.user_id,
            provider=rule.provider,
            amount=rule.amount,
            window=rule.window,
            window_days=rule.window_days,
            warn_percent=rule.warn_percent,
            blocks=rule.blocks,
            reset_at=rule.reset_at,
            spent=Money(spent.nano, rule.amount.currency),
            unconverted=dict(spent.unconverted),
            share=spent.nano / rule.amount.nano,
            state=state,
        )

    def _row(self, session: Session, budget_id: int) -> Budget:
        row = session.get(Budget, budget_id)
        if row is None:
            raise AppError(ErrorKind.NOT_FOUND, N_("That budget is not there any more. Load the page again."))
        return row

    def _written(self, rule: BudgetRule) -> BudgetInfo:
        self._rules.expire()
        return next(self._info(rule, spent) for rule, spent in self._spent((rule,), self._today()))

    def _today(self) -> date:
        return self._ledger.day_of(self._now())

    def _version(self) -> tuple[object, ...]:
        # All of them, for there are few: the latest alone misses a change by a clock that was set back, and
        # one that took longer to be committed than the next.
        statement = select(Budget.id, Budget.updated_at).order_by(Budget.id)
        with self._unit.read() as session:
            return tuple(tuple(row) for row in session.execute(statement))

    def _load(self) -> tuple[BudgetRule, ...]:
        with self._unit.read() as session:
            return tuple(rule_of(row) for row in session.scalars(select(Budget).order_by(Budget.id)))
