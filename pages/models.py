"""Models: keys, servers, what each model costs and how it is asked, budgets, limits and health."""

import streamlit as st

from core.errors import AppError
from ui.components.models_sections import choose_section
from ui.components.notices import show_notices
from ui.door import enter
from ui.plain import plain_text

viewer = enter()
section = choose_section(viewer)
with st.container(key="models-page"):
    show_notices(viewer)
    try:
        section.draw(viewer)
    except AppError as error:
        st.error(plain_text(error.text(viewer.tr.language)))
