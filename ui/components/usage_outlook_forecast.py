"""The forecast of the month: in words, as a chart with its interval and the budgets, and how good it was before."""

import streamlit as st

from core.i18n import N_
from core.usage.explore.types import Selection
from core.usage.forecast_types import (
    COVERAGE_PERCENT,
    DAYS_NEEDED,
    Forecast,
    ForecastState,
    Metric,
    MonthForecast,
)
from ui import format as fmt
from ui.components.usage_outlook_budgets import budget_part, drawn_budgets
from ui.components.usage_outlook_chart import exact, month_chart, short
from ui.components.usage_outlook_tables import backtest_table, standing_table
from ui.door import Viewer
from ui.plain import escape

_METRICS = {Metric.COST: N_("Cost"), Metric.TOKENS: N_("Tokens"), Metric.REQUESTS: N_("Requests")}


def forecast_part(viewer: Viewer, asked: Selection, currency: str) -> None:
    """This month to its end, whatever range is chosen."""
    _ = viewer.tr.text
    month = viewer.services.insight.forecast(asked.scope, asked.sample, currency)
    with st.container(horizontal=True, vertical_alignment="center", key="outlook-forecast-head"):
        st.subheader(_("This month to its end"), anchor=False, width="stretch")
        chosen = st.segmented_control(
            _("Measure"),
            list(_METRICS),
            default=Metric.COST,
            required=True,
            format_func=lambda name: _(_METRICS[name]),
            key="outlook-metric",
            label_visibility="collapsed",
            persist_state="session",
        )
    metric = Metric(chosen or Metric.COST)
    found = {Metric.COST: month.cost, Metric.TOKENS: month.tokens, Metric.REQUESTS: month.requests}[metric]
    budgets = () if asked.sample else viewer.services.budgets.list(asked.scope)
    _words(viewer, found)
    month_chart(viewer, found, drawn_budgets(viewer, budgets, asked.scope, found))
    _caveats(viewer, month)
    with st.expander(_("Table by day"), key="outlook-days", on_change="rerun") as table:
        if table.open:
            standing_table(viewer, found)
    if metric is Metric.COST and found.state is ForecastState.OK:
        with st.expander(
            _("How good these forecasts were"), key="outlook-backtest", on_change="rerun"
        ) as tested:
            if tested.open:
                _backtest(viewer, asked, currency)
    budget_part(viewer, budgets)


def _words(viewer: Viewer, found: Forecast) -> None:
    _ = viewer.tr.text
    standing = _("{amount} so far", amount=exact(viewer, found, found.actual))
    run_rate = ""
    if found.run_rate is not None:
        run_rate = _(
            "At the pace so far it would be {amount}; that knows nothing of weekdays or of a trend.",
            amount=short(viewer, found, found.run_rate),
        )
    if found.total is None:
        days = found.days_missing
        st.markdown(f"**{escape(standing)}**")
        st.info(
            escape(
                viewer.tr.plural(
                    "The history is too short for a forecast: it needs {needed} days with calls, and {known} are "
                    "there. {number} more day is needed.",
                    "The history is too short for a forecast: it needs {needed} days with calls, and {known} are "
                    "there. {number} more days are needed.",
                    days,
                    needed=DAYS_NEEDED,
                    known=found.days_with_calls,
                    number=days,
                )
                + " "
                + run_rate
            )
        )
        return
    total = found.total
    expected = _(
        "about {amount} on {day}", amount=short(viewer, found, total.expected), day=_day(viewer, found)
    )
    sentence = _(
        "Eight in ten times it will be between {low} and {high}.",
        low=short(viewer, found, total.low),
        high=short(viewer, found, total.high),
    )
    st.markdown(f"**{escape(standing)} · {escape(expected)}**")
    st.caption(escape(f"{sentence} {run_rate}"))


def _caveats(viewer: Viewer, month: MonthForecast) -> None:
    _ = viewer.tr.text
    notes: list[str] = []
    if month.unpriced:
        notes.append(
            viewer.tr.plural(
                "{number} call of this month has no known price: no forecast of the cost counts it.",
                "{number} calls of this month have no known price: no forecast of the cost counts them.",
                month.unpriced,
                number=fmt.exact(month.unpriced, viewer.tr.language),
            )
        )
    if month.unconverted:
        names = ", ".join(sorted(month.unconverted))
        notes.append(_("Costs in {currencies} are not in it: no exchange rate is known.", currencies=names))
    if notes:
        st.caption(escape(" ".join(notes)))


def _backtest(viewer: Viewer, asked: Selection, currency: str) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    tested = viewer.services.insight.backtest(asked.scope, asked.sample, currency)
    if tested is None:
        st.caption(_("No whole month is over yet that could have been forecast."))
        return
    st.markdown(
        escape(
            viewer.tr.plural(
                "Forecast on its 8th, 15th and 22nd day, each month that is over would have ended within its interval "
                "{covered} time in {number} ({share}; the aim is {aim}%).",
                "Forecast on its 8th, 15th and 22nd day, each month that is over would have ended within its interval "
                "{covered} times in {number} ({share}; the aim is {aim}%).",
                tested.covered,
                covered=tested.covered,
                number=len(tested.cases),
                share=fmt.percent(tested.coverage, language),
                aim=COVERAGE_PERCENT,
            )
            + " "
            + _(
                "Half of the forecasts were off by less than {error}; by the pace so far it would have been {pace}.",
                error=fmt.percent(tested.error, language),
                pace=fmt.percent(tested.run_rate_error, language),
            )
        )
    )
    backtest_table(viewer, tested, currency)


def _day(viewer: Viewer, found: Forecast) -> str:
    return fmt.day(found.end, viewer.tr.language)
