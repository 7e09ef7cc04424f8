"""Ways from one part of the Models page to another; the address names the part and what it is about."""

import streamlit as st

from ui.components.sections import PARAMETER
from ui.session import set_widget, widget

KEY = "models-section"
PROVIDER, MODEL = "provider", "model"


def open_section(name: str, **about: str) -> None:
    """For a callback: show another part, with what it is to be about in the address."""
    set_widget(KEY, name)
    st.query_params[PARAMETER] = name
    name_in_address(**about)


def remember_section() -> None:
    """For the list's on_change: put the part in the address."""
    st.query_params[PARAMETER] = str(widget(KEY))
    name_in_address()


def name_in_address(provider: str = "", model: str = "") -> None:
    """For a callback: put what a part is about in the address, so that it opens again with just that."""
    for name, value in ((PROVIDER, provider), (MODEL, model)):
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
