"""Usage: what calls came to, in tokens and money; each part of the page asks the ledger another question."""

import streamlit as st

from core.errors import AppError
from core.usage.explore.types import Selection
from ui.components.usage_filters import choose_conversion, choose_range
from ui.components.usage_sample import (
    choose_view,
    offer_sample,
    sample_banner,
    show_nothing_yet,
    show_notice,
)
from ui.components.usage_sections import choose_section
from ui.components.usage_view import UsageView
from ui.door import Viewer, enter
from ui.plain import plain_text


def show_usage(viewer: Viewer) -> None:
    """The whole page; AppError when the ledger cannot answer."""
    _ = viewer.tr.text
    usage, user = viewer.services.usage, viewer.account.id
    section = choose_section(viewer)
    with st.sidebar:
        start, end = choose_range(viewer, usage.today())
        wanted = choose_conversion(viewer)
    with st.container(horizontal=True, vertical_alignment="bottom", key="usage-head"):
        st.title(_("Usage"), anchor=False, width="content")
        sample = choose_view(viewer)
    show_notice()
    if not sample and not usage.has_calls(user):
        show_nothing_yet(viewer)
        return
    with st.sidebar:
        offer_sample(viewer)
    if sample:
        sample_banner(viewer)
    section.draw(viewer, UsageView(Selection(user, start, end, sample), wanted))


viewer = enter()
try:
    show_usage(viewer)
except AppError as error:
    st.error(plain_text(error.text(viewer.tr.language)))
