"""When a budget will be used up, if it goes on as it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from core.usage.budget_types import BudgetInfo, BudgetWindow
from core.usage.forecast_types import Forecast, ForecastState


class OutlookState(StrEnum):
    """`enough`: not even at the high end of the forecast. `possible`: at the high end, not as expected.
    `used_up`: as expected, on a day to come. `over`: already."""

    TOO_SHORT = "too_short"
    ENOUGH = "enough"
    POSSIBLE = "possible"
    USED_UP = "used_up"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class BudgetOutlook:
    """`expected_on`: the probable day on which the budget is used up; `earliest_on` at the high end of the forecast,
    `latest_on` at its low end. None: not until the end of `until`."""

    budget_id: int
    state: OutlookState
    until: date
    earliest_on: date | None = None
    expected_on: date | None = None
    latest_on: date | None = None


def budget_outlook(budget: BudgetInfo, forecast: Forecast, reset_day: date | None = None) -> BudgetOutlook:
    """The outlook of `budget` by a forecast of the cost of what it covers, in its currency (ValueError otherwise).

    `reset_day`: the report day of `budget.reset_at`. What leaves a rolling window makes room again.
    """
    if forecast.currency != budget.amount.currency:
        raise ValueError(f"a budget in {budget.amount.currency} and a forecast in {forecast.currency}")
    if budget.spent.nano >= budget.amount.nano:
        return BudgetOutlook(budget.id, OutlookState.OVER, forecast.end)
    if forecast.state is ForecastState.TOO_SHORT:
        return BudgetOutlook(budget.id, OutlookState.TOO_SHORT, forecast.end)
    left = _left_by_day(budget, forecast, reset_day)
    until = max(left)

    def first(end: str) -> date | None:
        """The first day on which what is to come reaches what is left."""
        known = (each for each in forecast.path if each.day in left)
        return next((each.day for each in known if getattr(each.to_come, end) >= left[each.day]), None)

    earliest, expected, latest = first("high"), first("expected"), first("low")
    state = OutlookState.ENOUGH
    if expected is not None:
        state = OutlookState.USED_UP
    elif earliest is not None:
        state = OutlookState.POSSIBLE
    return BudgetOutlook(budget.id, state, until, earliest, expected, latest)


def _left_by_day(budget: BudgetInfo, forecast: Forecast, reset_day: date | None) -> Mapping[date, int]:
    """How much of the budget is free on each day to come, not counting what those days cost themselves."""
    left = budget.amount.nano - budget.spent.nano
    if budget.window is BudgetWindow.MONTH or budget.window_days is None:
        return {each.day: left for each in forecast.path}
    leaving = _in_window(budget, forecast, budget.window_days, reset_day)
    found: dict[date, int] = {}
    for each in forecast.path:
        if (each.day - forecast.today).days >= budget.window_days:
            # From here on the days that leave are estimates themselves.
            break
        if each.day > forecast.today:
            left += leaving.get(each.day - timedelta(budget.window_days), 0)
        found[each.day] = left
    return found


def _in_window(
    budget: BudgetInfo, forecast: Forecast, window_days: int, reset_day: date | None
) -> dict[date, int]:
    """What each day of the window added to what is spent; of the day of a reset, what came after it."""
    first = forecast.today - timedelta(window_days - 1)
    days = {day: nano for day, nano in forecast.history if day >= first}
    if reset_day is not None and reset_day >= first:
        days = {day: nano for day, nano in days.items() if day > reset_day}
        days[reset_day] = max(0, budget.spent.nano - sum(days.values()))
    return days
