"""What a budget is, and what it says of a call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.pricing.types import Money


class BudgetScope(StrEnum):
    """Whose calls count."""

    WORKSPACE = "workspace"
    USER = "user"
    PROVIDER = "provider"


class BudgetWindow(StrEnum):
    """When calls count: in this calendar month, or on the last days, today included."""

    MONTH = "month"
    ROLLING = "rolling"


class BudgetState(StrEnum):
    OK = "ok"
    WARN = "warn"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class BudgetInfo:
    """A budget and how much of it is gone.

    `user_id` and `provider` are set by their scopes only, `window_days` by a rolling window. `spent` is in the
    currency of `amount`; what has no exchange rate is not in it but in `unconverted`, nano-units by currency.
    Unpriced calls are in neither. `share` is spent / amount. Calls before `reset_at` do not count.
    """

    id: int
    scope: BudgetScope
    user_id: int | None
    provider: str | None
    amount: Money
    window: BudgetWindow
    window_days: int | None
    warn_percent: int
    blocks: bool
    reset_at: datetime | None
    spent: Money
    unconverted: Mapping[str, int]
    share: float
    state: BudgetState


@dataclass(frozen=True, slots=True)
class BudgetVerdict:
    """A call may be made. `warnings`: the budgets it brings to their warning line or beyond."""

    warnings: tuple[BudgetInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """A budget as it is stored, without what is spent of it."""

    id: int
    scope: BudgetScope
    user_id: int | None
    provider: str | None
    amount: Money
    window: BudgetWindow
    window_days: int | None
    warn_percent: int
    blocks: bool
    reset_at: datetime | None

    def covers(self, user_id: int, provider: str) -> bool:
        """Whether a call of that user to that provider counts."""
        if self.scope is BudgetScope.USER:
            return self.user_id == user_id
        return self.scope is BudgetScope.WORKSPACE or self.provider == provider


@dataclass(frozen=True, slots=True)
class Hold:
    """A call on its way: what it costs at most, None when nobody can tell, and since when."""

    user_id: int
    provider: str
    worst_case: Money | None
    since: datetime
