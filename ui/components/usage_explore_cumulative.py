"""The cost as it adds up over the range: against what it is compared with, a budget, and what may still come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

import streamlit as st

from core.pricing.types import Money
from core.usage.budget_types import BudgetInfo, BudgetScope, BudgetWindow
from core.usage.explore.types import Exploration, Interval, Period
from core.usage.forecast_types import COVERAGE_PERCENT, Forecast
from ui import format as fmt
from ui.charts import Place
from ui.charts_lines import Band, Line, lines
from ui.components.usage_asked import Asked, Kind
from ui.components.usage_explore_periods import places_of
from ui.components.usage_filters import COMPARED
from ui.components.usage_measure import Measure
from ui.components.usage_number_columns import estimated, money_column
from ui.components.usage_plot import legend, plot
from ui.components.usage_view import UsageView
from ui.door import Viewer
from ui.palette import BLUE, OCHRE, OTHER

# A budget that is further away would press the line to the ground.
_FARTHEST_BUDGET = 4


@dataclass(frozen=True, slots=True)
class _Month:
    """What is known of the month that is not over: a forecast, and the budgets of it."""

    forecast: Forecast | None
    budgets: tuple[BudgetInfo, ...]


def cumulative_section(viewer: Viewer, view: UsageView, found: Exploration, currency: str) -> None:
    """The chart, and one line on what it does not show."""
    _ = viewer.tr.text
    st.subheader(_("Cost as it adds up"), anchor=False)
    values = list(accumulate(point.costs.get(currency, 0) for point in found.points))
    if not values or not values[-1]:
        st.caption(_("Nothing to draw: none of these calls has a price."))
        return
    month = _month(viewer, view, found, currency)
    places, drawn, band = _lines(viewer, view.asked, found, currency, values, month)
    notes: list[str] = []
    highest = max(value for line in drawn for value in line.values if value is not None)
    for budget in month.budgets:
        near = budget.amount.nano <= highest * _FARTHEST_BUDGET
        if near:
            drawn.append(Line(_("Budget"), OCHRE[0], [budget.amount.nano] * len(places), "dot", 1.5))
        notes.append(_budget_note(viewer, budget))
    measure = Measure(Kind.COST, currency, viewer.tr.language)
    plot(
        lines(places, drawn, measure.exact, measure.short, band),
        "usage-cumulative",
        _("The cost as it adds up; the table below has the same figures"),
    )
    legend([(line.name, f"{line.colour}80" if line.faint else line.colour) for line in drawn])
    if month.forecast is not None and month.forecast.total is not None:
        notes.append(_forecast_note(viewer, month.forecast))
    for note in notes:
        st.caption(note.replace("$", r"\$"))
    with st.expander(_("Table as it adds up"), key="usage-cumulative-rows", on_change="rerun") as table:
        if table.open:
            _table(viewer, places, drawn, band, currency)


def _table(
    viewer: Viewer, places: Sequence[Place], drawn: Sequence[Line], band: Band | None, currency: str
) -> None:
    """What the lines were drawn from: one row a place, the newest first."""
    _ = viewer.tr.text
    # What is compared with is drawn first, to lie below.
    known = {line.name: line.values for line in sorted(drawn, key=lambda line: line.faint)}
    known.pop(_("Forecast"), None)
    guessed = {line.name: line.values for line in drawn if line.name == _("Forecast")}
    if band is not None:
        guessed |= {_("Forecast, at least"): band.low, _("Forecast, at most"): band.high}
    amounts = {f"{name}, {currency}": _amounts(values, currency) for name, values in known.items()}
    amounts |= {
        f"{name}, {currency}": estimated(_amounts(values, currency)) for name, values in guessed.items()
    }
    st.dataframe(
        {_("Period"): [place.title for place in reversed(places)], **amounts},
        hide_index=True,
        placeholder="—",
        column_config={name: money_column(name, values) for name, values in amounts.items()},
        key="usage-table-cumulative",
        alt=_("Cost as it adds up"),
    )


def _amounts(values: Sequence[int | None], currency: str) -> list[Decimal | None]:
    """In units of the currency, the newest first."""
    return [None if value is None else Money(value, currency).decimal for value in reversed(values)]


def _lines(
    viewer: Viewer, asked: Asked, found: Exploration, currency: str, values: Sequence[int], month: _Month
) -> tuple[list[Place], list[Line], Band | None]:
    _ = viewer.tr.text
    periods = list(found.periods)
    forecast, band = month.forecast, None
    if forecast is not None:
        days = (forecast.end - found.selection.end).days
        ahead = [found.selection.end + timedelta(offset) for offset in range(1, days + 1)]
        periods += [Period(day, day) for day in ahead]
    empty: list[int | None] = [None] * (len(periods) - len(values))
    drawn = [Line(_("This range"), BLUE[0], [*values, *empty])]
    if found.before_points:
        earlier = _(COMPARED[asked.compare])
        before = list(accumulate(point.costs.get(currency, 0) for point in found.before_points))
        before = before[: len(periods)]
        rest: list[int | None] = [None] * (len(periods) - len(before))
        drawn.insert(0, Line(earlier, BLUE[0], [*before, *rest], faint=True))
    if forecast is not None and forecast.path:
        start = _place(periods, forecast.today)
        head: list[int | None] = [None] * start
        path = [each.to_come.plus(forecast.actual) for each in forecast.path]
        expected = [*head, *(each.expected for each in path)][: len(periods)]
        low, high = ([*head, *(getattr(each, name) for each in path)] for name in ("low", "high"))
        drawn.append(Line(_("Forecast"), OTHER, expected, "dash"))
        band = Band(_("Range of the forecast"), BLUE[0], low[: len(periods)], high[: len(periods)])
    return places_of(periods, found.interval, viewer.tr.language), drawn, band


def _place(periods: Sequence[Period], day: date) -> int:
    return next(at for at, period in enumerate(periods) if period.start <= day <= period.end)


def _month(viewer: Viewer, view: UsageView, found: Exploration, currency: str) -> _Month:
    """What there is to say of the whole current month; nothing when the view is of something else."""
    asked = found.selection
    today = viewer.services.usage.today()
    whole = asked.start == today.replace(day=1) and asked.end == today and not asked.where
    if not whole or found.interval is not Interval.DAY:
        return _Month(None, ())
    forecast: Forecast | None = None
    if viewer.services.settings.currency == currency:
        cost = viewer.services.insight.forecast(asked.scope, asked.sample).cost
        # One that was taken in another currency, or a moment later, would not meet the line.
        forecast = cost if cost.total is not None and cost.today == today else None
    return _Month(forecast, () if asked.sample else _budgets(viewer, asked.scope, currency))


def _budgets(viewer: Viewer, scope: int | None, currency: str) -> tuple[BudgetInfo, ...]:
    wanted = BudgetScope.WORKSPACE if scope is None else BudgetScope.USER
    return tuple(
        budget
        for budget in viewer.services.budgets.list(scope)
        if budget.scope is wanted
        and budget.window is BudgetWindow.MONTH
        and budget.amount.currency == currency
    )


def _budget_note(viewer: Viewer, budget: BudgetInfo) -> str:
    _ = viewer.tr.text
    return _(
        "Budget of the month: {amount}, {share} used.",
        amount=_money(viewer, budget.amount),
        share=fmt.percent(budget.share, viewer.tr.language),
    )


def _forecast_note(viewer: Viewer, forecast: Forecast) -> str:
    _ = viewer.tr.text
    total = forecast.total
    assert total is not None
    currency = forecast.currency or viewer.services.settings.currency
    return _(
        "By the end of the month probably {expected}, with {percent} certainty between {low} and {high}.",
        expected=_money(viewer, Money(total.expected, currency)),
        percent=fmt.percent(COVERAGE_PERCENT / 100, viewer.tr.language),
        low=_money(viewer, Money(total.low, currency)),
        high=_money(viewer, Money(total.high, currency)),
    )


def _money(viewer: Viewer, money: Money) -> str:
    return fmt.money(money.nano, money.currency, viewer.tr.language)
