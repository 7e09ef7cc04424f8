"""The chart of the month: what stands, what may come, and the budgets as levels."""

from core.usage.budget_types import BudgetInfo
from core.usage.forecast_types import Estimate, Forecast, Standing
from ui import format as fmt
from ui.charts_outlook import CumulativeDay, Limit, cumulative
from ui.components.usage_outlook_budgets import name_of
from ui.components.usage_plot import plot
from ui.door import Viewer


def month_chart(viewer: Viewer, found: Forecast, budgets: list[BudgetInfo]) -> None:
    """The month as a line that goes on as a band, with the budgets as levels; nothing where there is nothing."""
    _, language = viewer.tr.text, viewer.tr.language
    standings = found.standings()
    if not any(each.actual or each.estimate for each in standings):
        return
    limits = [
        Limit(
            f"{name_of(viewer, each)} · {fmt.money(each.amount.nano, each.amount.currency, language)}",
            each.amount.nano,
        )
        for each in budgets
    ]
    figure = cumulative(
        [_point(viewer, found, each) for each in standings],
        limits,
        _("So far"),
        _("Forecast"),
        lambda value: short(viewer, found, value),
        language,
    )
    plot(figure, "outlook-month", _("The month so far, with its forecast and the budgets"))


def _limit(viewer: Viewer, budget: BudgetInfo) -> Limit:
    amount = fmt.money(budget.amount.nano, budget.amount.currency, viewer.tr.language)
    return Limit(f"{name_of(viewer, budget)} · {amount}", budget.amount.nano)


def _point(viewer: Viewer, found: Forecast, each: Standing) -> CumulativeDay:
    if each.actual is not None:
        # Where the line ends the band begins.
        start = each.actual if each.estimate is not None else None
        return CumulativeDay(each.day, each.actual, start, start, start, exact(viewer, found, each.actual))
    known = each.estimate or Estimate(0, 0, 0)
    low, expected, high = (short(viewer, found, value) for value in (known.low, known.expected, known.high))
    return CumulativeDay(
        each.day, None, known.low, known.expected, known.high, f"{expected} · {low} – {high}"
    )


def short(viewer: Viewer, found: Forecast, value: int) -> str:
    """A value to grasp."""
    if found.currency is not None:
        return fmt.money(value, found.currency, viewer.tr.language)
    return fmt.count(value, viewer.tr.language)


def exact(viewer: Viewer, found: Forecast, value: int) -> str:
    """A value to read off."""
    if found.currency is not None:
        return fmt.money(value, found.currency, viewer.tr.language)
    return fmt.exact(value, viewer.tr.language)
