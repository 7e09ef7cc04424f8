"""Outlook: what usage came to, what the month will come to, and what is out of line."""

import streamlit as st

from core.usage.narrowing import left_out
from ui.components.usage_outlook_findings import findings_part
from ui.components.usage_outlook_forecast import forecast_part
from ui.components.usage_outlook_summary import summary_part
from ui.components.usage_view import UsageView
from ui.door import Viewer


def draw(viewer: Viewer, view: UsageView) -> None:
    """The whole part; AppError when the ledger cannot answer."""
    _ = viewer.tr.text
    asked = view.selection
    if asked.where:
        st.caption(_("Summary and forecast are of all calls: filters apply to what is out of line only."))
    summary_part(viewer, asked)
    currency = view.currency or viewer.services.insight.main_currency(asked.scope, asked.sample)
    forecast_part(viewer, asked, currency)
    findings_part(viewer, asked, currency, ignored=left_out(asked.where))
