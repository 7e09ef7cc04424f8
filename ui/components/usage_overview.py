"""Explore: the figures, charts and tables of the calls that the filters leave."""

import streamlit as st

from core.usage.explore.types import Exploration
from ui import format as fmt
from ui.components.rankings import Rankings
from ui.components.usage_caveats import caveats
from ui.components.usage_charts import Styles, period_section, styles_of
from ui.components.usage_currency import choose_currency
from ui.components.usage_explore_cumulative import cumulative_section
from ui.components.usage_explore_errors import errors_section
from ui.components.usage_explore_periods import usual_interval
from ui.components.usage_explore_state import drill
from ui.components.usage_explore_switches import choose_measure
from ui.components.usage_filters import filters_in_words
from ui.components.usage_kpis import kpi_row
from ui.components.usage_measure import Measure
from ui.components.usage_rankings import latency_section, ranking_section
from ui.components.usage_tables import group_table
from ui.components.usage_view import UsageView
from ui.door import Viewer
from ui.plain import escape


def draw(viewer: Viewer, view: UsageView) -> None:
    """The whole part; AppError when the ledger cannot answer."""
    _ = viewer.tr.text
    asked = view.asked
    found = viewer.services.explore.explore(
        view.selection,
        asked.by,
        asked.interval or usual_interval(view.selection.start, view.selection.end),
        asked.compare,
        view.currency,
        kinds=True,
    )
    st.caption(escape(_range_in_words(viewer, view, found)))
    if not found.total.requests:
        st.info(
            _("None of the calls in these days pass the filters. Reset them, or choose a longer range.")
            if asked.where
            else _("No calls in these days. Choose a longer range in the sidebar.")
        )
        return
    with st.sidebar:
        currency = choose_currency(viewer, asked, found)
    kpi_row(viewer, found, currency)
    caveats(viewer, found)
    if found.slow:
        st.caption(
            _("No summary holds this combination of filters: it was read from the calls themselves."),
        )
    measure = choose_measure(viewer, asked, found, currency)
    styles = styles_of(viewer, found)
    period_section(viewer, asked, found, measure, styles)
    _breakdowns(viewer, view, found, measure, styles, currency)


def _breakdowns(
    viewer: Viewer, view: UsageView, found: Exploration, measure: Measure, styles: Styles, currency: str
) -> None:
    """What stands below the bars: how the cost adds up, rankings, and the table of all groups."""
    _ = viewer.tr.text
    asked = view.asked
    rankings = Rankings()
    left, right = st.columns(2, gap="large")
    with left:
        cumulative_section(viewer, view, found, currency)
    with right:
        ranking_section(viewer, asked, found, measure, styles, rankings)
    left, right = st.columns(2, gap="large")
    with left:
        errors_section(viewer, asked, found, rankings)
    with right:
        latency_section(viewer, asked, found, styles, rankings)
    with st.expander(_("All groups"), key="usage-groups", on_change="rerun") as table:
        if table.open:
            group_table(viewer, asked, found, styles.names, currency)
    st.button(
        _("Show all these calls"),
        key="usage-open-calls",
        type="tertiary",
        on_click=drill,
        args=("calls",),
    )
    rankings.listen()


def _range_in_words(viewer: Viewer, view: UsageView, found: Exploration) -> str:
    """The days shown, those they are compared with, and what is left out."""
    _ = viewer.tr.text
    language = viewer.tr.language
    parts = [fmt.day_range(found.selection.start, found.selection.end, language)]
    if found.compared is not None:
        earlier = fmt.day_range(found.compared.start, found.compared.end, language)
        parts.append(_("compared with {days}", days=earlier))
    if filters := filters_in_words(viewer, view.asked):
        parts.append(filters)
    return " · ".join(parts)
