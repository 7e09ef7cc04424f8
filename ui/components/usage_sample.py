"""Sample data: shown at once when loaded, labelled all the time, gone without a trace when removed."""

import streamlit as st

from core.errors import AppError
from core.i18n import N_
from ui.components.usage_asked import Asked
from ui.components.usage_explore_state import change
from ui.door import Viewer
from ui.navigation import CHAT_PAGE
from ui.session import Slot, remember, show, take, widget

_VIEW = "usage-view"
_VIEWS = {"own": N_("Your usage"), "sample": N_("Sample data")}


def choose_view(viewer: Viewer, asked: Asked, has_calls: bool) -> bool:
    """Whether the page is about sample data; asks when there are real calls too."""
    _ = viewer.tr.text
    if not viewer.services.usage.has_sample(viewer.account.id):
        return False
    if not has_calls:
        return True
    wanted = "sample" if asked.sample else "own"
    st.segmented_control(
        _("What to show"),
        list(_VIEWS),
        default=show(_VIEW, wanted),
        required=True,
        format_func=lambda name: _(_VIEWS[name]),
        key=_VIEW,
        label_visibility="collapsed",
        on_change=_choose,
    )
    return asked.sample


def sample_banner(viewer: Viewer) -> None:
    """Says that nothing below is real, and takes it away."""
    _ = viewer.tr.text
    with st.container(key="usage-banner", horizontal=True, vertical_alignment="center"):
        st.markdown(_("Sample data: invented figures, not your usage"), width="stretch")
        st.button(_("Remove sample data"), key="usage-remove-sample", on_click=_remove, args=(viewer,))


def offer_sample(viewer: Viewer) -> None:
    """The quiet way to sample data for who has calls already."""
    _ = viewer.tr.text
    if not viewer.services.usage.has_sample(viewer.account.id):
        _load_button(viewer, quiet=True)


def show_nothing_yet(viewer: Viewer) -> None:
    """What the page says before the first call."""
    _ = viewer.tr.text
    with st.container(key="usage-empty"):
        st.subheader(_("No calls yet"), anchor=False)
        st.caption(_("Every answer in Chat is counted here, with its tokens and its cost."))
        with st.container(horizontal=True):
            if st.button(_("Open Chat"), key="usage-open-chat", type="primary"):
                st.switch_page(CHAT_PAGE)
            _load_button(viewer, quiet=False)


def show_notice() -> None:
    """What the last click on this page came to, if it failed."""
    if failure := take(Slot.USAGE_NOTICE):
        st.error(failure)


def _load_button(viewer: Viewer, quiet: bool) -> None:
    _ = viewer.tr.text
    st.button(
        _("Load sample data"),
        key="usage-load-sample",
        type="tertiary" if quiet else "secondary",
        help=_("90 days of invented calls, to see what this page can show. They are never added to yours."),
        on_click=_load,
        args=(viewer,),
    )


def _choose() -> None:
    # Filters of the one hardly fit the other.
    change(sample=widget(_VIEW) == "sample", where=())


def _load(viewer: Viewer) -> None:
    try:
        viewer.services.usage.load_sample(viewer.account.id)
        change(sample=True, where=())
    except AppError as error:
        remember(Slot.USAGE_NOTICE, error.text(viewer.tr.language))


def _remove(viewer: Viewer) -> None:
    try:
        viewer.services.usage.remove_sample(viewer.account.id)
        change(sample=False, where=())
    except AppError as error:
        remember(Slot.USAGE_NOTICE, error.text(viewer.tr.language))
