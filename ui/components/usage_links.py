"""Ways from one part of the usage page to another: the address says which calls it is about."""

import streamlit as st

from core.usage.anomaly_types import DrillDown
from ui.components.sections import PARAMETER
from ui.session import forget_widget, set_widget

SECTION_KEY = "usage-section"


def show_in_explore(where: DrillDown) -> None:
    """For a callback: show the days, and the provider and model, in Explore."""
    set_widget(SECTION_KEY, "explore")
    # The address says them.
    for key in ("usage-range", "usage-from", "usage-to"):
        forget_widget(key)
    wanted = {
        PARAMETER: "explore",
        "range": "custom",
        "from": where.start.isoformat(),
        "to": where.end.isoformat(),
        "provider": where.provider,
        "model": where.provider and where.model and f"{where.provider}/{where.model}",
    }
    for name, value in wanted.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
