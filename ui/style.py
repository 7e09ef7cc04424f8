"""The stylesheet that finishes what the theme cannot say."""

from pathlib import Path

import streamlit as st

STYLESHEET = Path(__file__).parent / "style.css"


def apply_style() -> None:
    """Put ui/style.css on the page; an element with no height of its own."""
    st.html(STYLESHEET)
