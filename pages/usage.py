"""Usage: what calls came to, in tokens and money; each part of the page asks the ledger another question."""

from datetime import date

import streamlit as st

from core.errors import AppError
from core.rights import scope_of
from ui.components.notices import show_notices
from ui.components.usage_asked import Asked
from ui.components.usage_currency import choose_conversion
from ui.components.usage_filters import choose_calls, choose_comparison, choose_range, selection_of
from ui.components.usage_sample import (
    choose_view,
    offer_sample,
    sample_banner,
    show_nothing_yet,
    show_notice,
)
from ui.components.usage_sections import asked_now, choose_section
from ui.components.usage_view import UsageView
from ui.door import Viewer, enter
from ui.plain import plain_text


def show_usage(viewer: Viewer) -> None:
    """The whole page; AppError when the ledger cannot answer."""
    _ = viewer.tr.text
    usage, me = viewer.services.usage, viewer.account
    asked = asked_now(viewer)
    section = choose_section(viewer, asked)
    with st.container(horizontal=True, vertical_alignment="bottom", key="usage-head"):
        st.title(_("Usage"), anchor=False, width="content")
        has_calls = usage.has_calls(scope_of(me, everyone=asked.everyone and me.is_admin))
        sample = choose_view(viewer, asked, has_calls)
    show_notice()
    # Here, not in a part: whoever may not see the part any more is still told why.
    show_notices(viewer)
    days = _choose_days(viewer, asked, usage.today())
    if section.needs_calls and not sample and not has_calls:
        show_nothing_yet(viewer)
        return
    with st.sidebar:
        if section.is_compared:
            choose_comparison(viewer, asked)
        if section.is_filtered:
            asked = choose_calls(viewer, asked, sample)
        wanted = choose_conversion(viewer, asked)
        offer_sample(viewer)
    if sample:
        sample_banner(viewer)
    section.draw(viewer, UsageView(selection_of(viewer, asked, *days, sample), wanted, asked))


def _choose_days(viewer: Viewer, asked: Asked, today: date) -> tuple[date, date]:
    with st.sidebar:
        return choose_range(viewer, asked, today)


viewer = enter()
try:
    show_usage(viewer)
except AppError as error:
    st.error(plain_text(error.text(viewer.tr.language)))
