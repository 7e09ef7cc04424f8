"""Budgets as they are stored: checked on the way in, read on the way out, and the sentence that refuses a call."""

from datetime import date

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.checks import check_currency
from core.pricing.types import NANO, Money
from core.usage.budget_types import BudgetRule, BudgetScope, BudgetWindow
from core.usage.tables import Budget

LONGEST_WINDOW_DAYS = 366
MOST_UNITS = 10**9
_PROVIDER_LENGTH = 64

_PASSED = {
    BudgetScope.WORKSPACE: N_(
        "The workspace has {left} left of its budget of {amount}, and this call may cost up to {cost}. "
        "More comes free on {day}. Ask for less, or change the budget under Models, Budgets."
    ),
    BudgetScope.USER: N_(
        "You have {left} left of your budget of {amount}, and this call may cost up to {cost}. "
        "More comes free on {day}. Ask for less, or change the budget under Models, Budgets."
    ),
    BudgetScope.PROVIDER: N_(
        "{provider} has {left} left of its budget of {amount}, and this call may cost up to {cost}. "
        "More comes free on {day}. Use another provider, ask for less, or change the budget under Models, Budgets."
    ),
}
_TOO_DEAR = {
    BudgetScope.WORKSPACE: N_(
        "This call may cost up to {cost}, and the workspace's whole budget is {amount}. "
        "Ask for less, or change the budget under Models, Budgets."
    ),
    BudgetScope.USER: N_(
        "This call may cost up to {cost}, and your whole budget is {amount}. "
        "Ask for less, or change the budget under Models, Budgets."
    ),
    BudgetScope.PROVIDER: N_(
        "This call may cost up to {cost}, and the whole budget for {provider} is {amount}. "
        "Use another provider, ask for less, or change the budget under Models, Budgets."
    ),
}


def rule_of(row: Budget) -> BudgetRule:
    """The row as a value."""
    return BudgetRule(
        id=row.id,
        scope=BudgetScope(row.scope),
        user_id=row.user_id,
        provider=row.provider,
        amount=Money(row.amount_nano, row.currency),
        window=BudgetWindow(row.window),
        window_days=row.window_days,
        warn_percent=row.warn_percent,
        blocks=row.blocks,
        reset_at=row.reset_at,
    )


def fill(
    row: Budget,
    scope: BudgetScope,
    amount: Money,
    for_user: int | None,
    provider: str | None,
    window: BudgetWindow,
    window_days: int | None,
    warn_percent: int,
    blocks: bool,
) -> None:
    """Set what a person chooses; AppError(VALIDATION) naming what is wrong."""
    check_currency(amount.currency)
    if not 0 < amount.nano < MOST_UNITS * NANO:
        raise _wrong(
            N_("A budget is more than 0 and below {most}. Enter how much may be spent."),
            "amount",
            most=MOST_UNITS,
        )
    if not 1 <= warn_percent <= 100:
        raise _wrong(
            N_("A budget warns at 1 to 100 percent of it. Choose a number in between."), "warn_percent"
        )
    row.scope, row.amount_nano, row.currency = scope.value, amount.nano, amount.currency
    row.warn_percent, row.blocks = warn_percent, blocks
    row.user_id, row.provider = _whose(scope, for_user, provider)
    row.window, row.window_days = window.value, _days(window, window_days)


def passed(rule: BudgetRule, taken: int, cost: Money, free_again: date) -> AppError:
    """What to say to a call that would pass a budget of which `taken` nano-units are spent or on hold."""
    left = Money(max(0, rule.amount.nano - taken), rule.amount.currency)
    return AppError(
        ErrorKind.BUDGET,
        # Waiting helps only where the call fits into the whole of it.
        (_TOO_DEAR if cost.nano > rule.amount.nano else _PASSED)[rule.scope],
        left=_plain(left),
        amount=_plain(rule.amount),
        cost=_plain(cost),
        day=free_again.isoformat(),
        provider=rule.provider or "",
    )


def _whose(scope: BudgetScope, for_user: int | None, provider: str | None) -> tuple[int | None, str | None]:
    if scope is BudgetScope.USER:
        if for_user is None:
            raise _wrong(
                N_("A budget of one person needs that person. Choose whose calls count."), "for_user"
            )
        return for_user, None
    if scope is BudgetScope.PROVIDER:
        if not provider or len(provider) > _PROVIDER_LENGTH:
            raise _wrong(N_("A budget of one provider needs that provider. Choose which one."), "provider")
        return None, provider
    return None, None


def _days(window: BudgetWindow, days: int | None) -> int | None:
    if window is BudgetWindow.MONTH:
        return None
    if days is None or not 1 <= days <= LONGEST_WINDOW_DAYS:
        raise _wrong(
            N_("A window of days has 1 to {most} of them. Enter how many days count, today included."),
            "window_days",
            most=LONGEST_WINDOW_DAYS,
        )
    return days


def _wrong(sentence: str, field: str, **params: int) -> AppError:
    return AppError(ErrorKind.VALIDATION, sentence, field=field, **params)


def _plain(money: Money) -> str:
    """`1.5 USD`: to the cent, and small amounts to the first two digits that are not 0."""
    amount = money.decimal
    digits = 2 if amount == 0 or amount >= 1 else min(9, 1 - amount.adjusted())
    text = f"{round(amount, digits):f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {money.currency}"
