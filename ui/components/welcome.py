"""What a thread without messages says."""

import streamlit as st

from ui.door import Viewer
from ui.navigation import MODELS_PAGE


def welcome(viewer: Viewer) -> None:
    """One sentence on what to do; another one when there is no provider yet."""
    _ = viewer.tr.text
    with st.container(key="welcome"):
        st.markdown("### " + _("What is on your mind?"))
        st.caption(_("Every answer shows its tokens, cost and time; the Usage page adds them up."))
        providers = viewer.services.choices.providers(viewer.account.id)
        if all(info.notice for info in providers):
            with st.container(key="connect", horizontal=True, vertical_alignment="center"):
                st.markdown(
                    _(
                        "No provider is connected yet, so answers come from an offline demo, not from a model. "
                        "Add a key or a server of your own to ask a real one."
                    )
                )
                if st.button(_("Add a key"), key="welcome-models"):
                    st.switch_page(MODELS_PAGE)
