"""Explore: the figures, charts and tables of the calls that the filters leave."""

import streamlit as st

from core.usage.types import UsageReport
from ui import format as fmt
from ui.components.usage_charts import choose_measure, daily_section, provider_section, ranking_section
from ui.components.usage_filters import choose_currency
from ui.components.usage_kpis import kpi_row
from ui.components.usage_tables import model_table
from ui.components.usage_view import UsageView
from ui.door import Viewer


def draw(viewer: Viewer, view: UsageView) -> None:
    """The whole part; AppError when the ledger cannot answer."""
    _ = viewer.tr.text
    asked = view.selection
    report = viewer.services.usage.report(
        asked.scope, asked.start, asked.end, sample=asked.sample, currency=view.currency
    )
    st.caption(_range_in_words(viewer, report))
    if not report.total.requests:
        st.info(_("No calls in these days. Choose a longer range in the sidebar."))
        return
    with st.sidebar:
        currency = choose_currency(viewer, report)
    kpi_row(viewer, report, currency)
    measure, split = choose_measure(viewer, currency)
    daily_section(viewer, report, measure, split)
    ranking_section(viewer, report, measure)
    provider_section(viewer, report, currency)
    st.subheader(_("All models"), anchor=False)
    model_table(viewer, report, currency)


def _range_in_words(viewer: Viewer, report: UsageReport) -> str:
    """The days shown, and those they are compared with."""
    ngettext = viewer.tr.plural
    length = (report.end - report.start).days + 1
    compared = ngettext("change against the day before", "change against the {count} days before", length)
    return f"{fmt.day_range(report.start, report.end, viewer.tr.language)} · {compared}"
