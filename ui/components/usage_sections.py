"""The parts of the Usage page. Each draws what its filters leave: `draw(viewer, view)`."""

import streamlit as st

from core.i18n import N_
from ui.components import usage_overview
from ui.components.sections import PARAMETER, Section
from ui.components.sections import choose_section as choose
from ui.door import Viewer
from ui.session import widget

KEY = "usage-section"

SECTIONS = (Section("explore", N_("Explore"), usage_overview.draw),)


def choose_section(viewer: Viewer) -> Section:
    """The part that is open."""
    _ = viewer.tr.text
    return choose(viewer, _("Usage"), SECTIONS, KEY, _remember)


def _remember() -> None:
    st.query_params[PARAMETER] = str(widget(KEY))
