"""What the charts of Explore measure, by what they are split, and how long a bar is."""

import streamlit as st

from core.usage.explore.types import Dimension, Exploration, Interval
from ui.components.usage_asked import Asked, Kind
from ui.components.usage_explore_names import DIMENSIONS
from ui.components.usage_explore_periods import BY_INTERVAL, INTERVALS
from ui.components.usage_explore_state import change
from ui.components.usage_measure import KINDS, Measure
from ui.door import Viewer
from ui.session import show, widget


def choose_measure(viewer: Viewer, asked: Asked, found: Exploration, currency: str) -> Measure:
    """The line above the charts; returns what they measure."""
    _ = viewer.tr.text
    with st.container(horizontal=True, vertical_alignment="bottom", key="usage-switches"):
        st.subheader(_(BY_INTERVAL[found.interval]), anchor=False, width="stretch")
        kinds = [kind.value for kind in KINDS]
        st.selectbox(
            _("Measure"),
            kinds,
            index=kinds.index(show("usage-measure", asked.measure.value)),
            format_func=lambda name: _(KINDS[Kind(name)]),
            key="usage-measure",
            width=210,
            on_change=lambda: change(measure=Kind(widget("usage-measure"))),
        )
        offered = [dimension.value for dimension in _offered(viewer, asked)]
        st.selectbox(
            _("Split by"),
            offered,
            index=offered.index(show("usage-split", asked.by.value)),
            format_func=lambda name: _(DIMENSIONS[Dimension(name)]),
            key="usage-split",
            width=170,
            on_change=lambda: change(by=Dimension(widget("usage-split"))),
        )
        st.segmented_control(
            _("Interval"),
            [interval.value for interval in INTERVALS],
            default=show("usage-interval", found.interval.value),
            format_func=lambda name: _(INTERVALS[Interval(name)]),
            key="usage-interval",
            required=True,
            label_visibility="collapsed",
            on_change=lambda: change(interval=Interval(widget("usage-interval"))),
        )
    return Measure(asked.measure, currency, viewer.tr.language)


def _offered(viewer: Viewer, asked: Asked) -> list[Dimension]:
    """What one can split by; users only for who may see them."""
    return [
        dimension
        for dimension in DIMENSIONS
        if dimension is asked.by or dimension is not Dimension.USER or viewer.account.is_admin
    ]
