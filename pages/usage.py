"""Usage: what the calls of a range of days came to, in tokens and money, by day, model and provider."""

from datetime import date

import streamlit as st

from core.errors import AppError
from core.usage.types import UsageReport
from ui import format as fmt
from ui.components.usage_charts import choose_measure, daily_section, provider_section, ranking_section
from ui.components.usage_filters import choose_conversion, choose_currency, choose_range
from ui.components.usage_kpis import kpi_row
from ui.components.usage_sample import (
    choose_view,
    offer_sample,
    sample_banner,
    show_nothing_yet,
    show_notice,
)
from ui.components.usage_tables import model_table
from ui.door import Viewer, enter


def show_usage(viewer: Viewer) -> None:
    """The whole page; AppError when the ledger cannot answer."""
    _ = viewer.tr.text
    usage, user = viewer.services.usage, viewer.account.id
    with st.sidebar:
        start, end = choose_range(viewer, usage.today())
        wanted = choose_conversion(viewer)
    head = st.container(horizontal=True, vertical_alignment="bottom", key="usage-head")
    head.title(_("Usage"), anchor=False, width="content")
    show_notice()
    with head:
        days = head.empty()
        sample = choose_view(viewer)
    report = usage.report(user, start, end, sample=sample, currency=wanted)
    if not report.total.requests and not sample and not usage.has_calls(user):
        show_nothing_yet(viewer)
        return
    with st.sidebar:
        currency = choose_currency(viewer, report)
        offer_sample(viewer)
    days.caption(range_in_words(viewer, start, end))
    if sample:
        sample_banner(viewer)
    if report.total.requests:
        show_report(viewer, report, currency)
    else:
        st.info(_("No calls in these days. Choose a longer range in the sidebar."))


def range_in_words(viewer: Viewer, start: date, end: date) -> str:
    """The days shown, and those they are compared with."""
    ngettext = viewer.tr.plural
    length = (end - start).days + 1
    compared = ngettext("change against the day before", "change against the {count} days before", length)
    return f"{fmt.day_range(start, end, viewer.tr.language)} · {compared}"


def show_report(viewer: Viewer, report: UsageReport, currency: str) -> None:
    """Figures, charts and tables of a range that has calls."""
    _ = viewer.tr.text
    kpi_row(viewer, report, currency)
    measure, split = choose_measure(viewer, currency)
    daily_section(viewer, report, measure, split)
    ranking_section(viewer, report, measure)
    provider_section(viewer, report, currency)
    st.subheader(_("All models"), anchor=False)
    model_table(viewer, report, currency)


viewer = enter()
try:
    show_usage(viewer)
except AppError as error:
    st.error(error.text(viewer.tr.language))
