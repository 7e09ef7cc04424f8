"""What a thread without messages says."""

import streamlit as st

from ui.door import Viewer


def welcome(viewer: Viewer) -> None:
    """One sentence on what to do; another one when there is no provider yet."""
    _ = viewer.tr.text
    with st.container(key="welcome"):
        st.markdown("### " + _("What is on your mind?"))
        st.caption(_("Every answer shows its tokens, cost and time; the Usage page adds them up."))
        providers = viewer.services.choices.providers()
        if all(info.notice for info in providers):
            with st.container(key="connect"):
                st.markdown(
                    _(
                        "No provider is connected yet, so answers come from an offline demo, not from a model. "
                        "To connect one, set `GEMINI_API_KEY`, `OPENAI_API_KEY` or `LOCAL_BASE_URL` in the file "
                        "`.env` and start AIHub again."
                    )
                )
