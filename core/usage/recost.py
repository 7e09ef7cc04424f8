"""The past priced anew: what it would change first, then the change, and a record of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.types import FREE, CallCost, Money
from core.providers.types import TokenUsage
from core.rights import Actor, require_admin
from core.store.text import storable
from core.store.unit_of_work import UnitOfWork
from core.usage.adjust import CostChange, CostChanges
from core.usage.columns import TOKEN_COLUMNS
from core.usage.ledger import Ledger
from core.usage.recost_rows import (
    Record,
    RecostInfo,
    RecostLine,
    RecostPlan,
    add_cost,
    chunks,
    info_of,
    last_id,
    new_recost,
)
from core.usage.tables import Recost

Pricer = Callable[[str, str, TokenUsage, datetime], CallCost]
"""Provider, model, usage and moment of a call -> what it cost."""

REASON_LENGTH = 200
# What the engine adds to a price's source, and no price knows.
_REMARK = re.compile(r" · \d+ earlier attempts? may be charged too$")


@dataclass(slots=True)
class _Sums:
    calls: int = 0
    changed: int = 0
    unpriced_before: int = 0
    unpriced_after: int = 0
    before: dict[str, int] = field(default_factory=dict[str, int])
    after: dict[str, int] = field(default_factory=dict[str, int])


class RecostService:
    """Prices recorded calls anew, each at its own moment.

    Left as they are: sample data, answers from the cache, calls that failed or were stopped without using a
    token, calls whose figures made no sense, and imported ones that came with a price. What was free for a stated
    reason stays so unless a price is known: the server it ran on may be gone. `price` prices a call.

    It is about everybody's calls: AppError(FORBIDDEN) for whoever is no administrator.
    """

    def __init__(self, unit: UnitOfWork, ledger: Ledger, price: Pricer) -> None:
        self._unit = unit
        self._ledger = ledger
        self._price = price

    def plan(
        self,
        actor: Actor,
        start: date,
        end: date,
        provider: str | None = None,
        model: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> RecostPlan:
        """What would change, in one pass over the calls and constant memory. AppError(VALIDATION) for a range
        that ends before it starts. `progress` is told how many more calls were looked at."""
        require_admin(actor)
        if start > end:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("The range ends before it starts. Choose a last day after the first one."),
            )
        with self._unit.read() as session:
            asked = RecostPlan(start, end, provider, model, 0, 0, (), last_id(session))
            sums: dict[tuple[str, str], _Sums] = {}
            for rows in chunks(session, asked):
                self._look_at(rows, sums)
                if progress is not None:
                    progress(len(rows))
        return _summed(asked, sums)

    def apply(
        self, actor: Actor, plan: RecostPlan, reason: str, progress: Callable[[int], None] | None = None
    ) -> RecostInfo:
        """Make the change in one transaction, and keep a record of each call it touches.

        Other writers wait until it is done. AppError(VALIDATION), and nothing is changed, when prices or
        calls are not what they were at the plan, or when there is nothing to change.
        """
        require_admin(actor)
        reason = storable(reason).strip()
        if len(reason) > REASON_LENGTH:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("A reason can have up to {most} characters. Shorten it."),
                most=REASON_LENGTH,
            )
        if not plan.changed:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("Each of these calls costs what it should. There is nothing to change."),
            )
        sums: dict[tuple[str, str], _Sums] = {}
        record = Record()
        with self._unit.write() as session:
            recost = new_recost(actor.id, plan, reason)
            session.add(recost)
            session.flush()
            costs = CostChanges(session, self._ledger)
            for rows in chunks(session, plan, lock=True):
                changes = self._look_at(rows, sums)
                costs.change(changes)
                record.keep(session, recost.id, changes)
                if progress is not None:
                    progress(len(rows))
            if _summed(plan, sums) != plan:
                raise AppError(
                    ErrorKind.VALIDATION,
                    N_(
                        "Prices or calls have changed since the difference was shown. Show it again, then apply it."
                    ),
                )
            costs.finish()
            recost.calls, recost.before, recost.after = plan.changed, record.before, record.after
            session.flush()
            return info_of(recost)

    def history(self, actor: Actor) -> tuple[RecostInfo, ...]:
        """The re-costings that were made, the latest first."""
        require_admin(actor)
        with self._unit.read() as session:
            return tuple(info_of(row) for row in session.scalars(select(Recost).order_by(Recost.id.desc())))

    def _look_at(self, rows: list[Mapping[str, Any]], sums: dict[tuple[str, str], _Sums]) -> list[CostChange]:
        """Price calls, add them to the sums of their models, and return those that cost something else."""
        changes: list[CostChange] = []
        for row in rows:
            total = sums.setdefault((row["provider"], row["model"]), _Sums())
            usage = TokenUsage(*(row[name] for name in TOKEN_COLUMNS), estimated=row["tokens_estimated"])
            cost = self._price(row["provider"], row["model"], usage, row["occurred_at"])
            if cost.amount is None and row["cost_nano"] == 0 and row["price_source"].startswith(FREE):
                cost = CallCost(Money(0, row["currency"]), row["price_source"])
            change = CostChange(row, _with_remark(cost, row["price_source"]))
            new = change.new
            total.calls += 1
            total.unpriced_before += add_cost(total.before, row["cost_nano"], row["currency"])
            total.unpriced_after += add_cost(total.after, new["cost_nano"], new["currency"])
            if _amount(row) != _amount(new):
                total.changed += 1
                changes.append(change)
        return changes


def _summed(plan: RecostPlan, sums: Mapping[tuple[str, str], _Sums]) -> RecostPlan:
    """The plan with the figures of its calls."""
    lines = tuple(
        RecostLine(
            *key,
            calls=total.calls,
            before=total.before,
            after=total.after,
            unpriced_before=total.unpriced_before,
            unpriced_after=total.unpriced_after,
            changed=total.changed,
        )
        for key, total in sorted(sums.items())
    )
    calls, changed = sum(line.calls for line in lines), sum(line.changed for line in lines)
    return replace(plan, calls=calls, changed=changed, lines=lines)


def _with_remark(cost: CallCost, old_source: str) -> CallCost:
    remark = _REMARK.search(old_source)
    return CallCost(cost.amount, f"{cost.source[:150]}{remark.group()}") if remark else cost


def _amount(row: Mapping[str, Any]) -> tuple[int, str] | None:
    return None if row["cost_nano"] is None else (row["cost_nano"], row["currency"])
