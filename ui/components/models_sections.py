"""The parts of the Models page and the list in its sidebar; the address names the part that is open."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.i18n import N_
from ui.components import (
    models_budgets,
    models_catalogue,
    models_keys,
    models_limits,
    models_prices,
    models_request,
)
from ui.components.models_links import KEY, PARAMETER, remember_section
from ui.door import Viewer
from ui.session import set_widget, widget


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its name in the address, its title, and what draws it."""

    name: str
    title: str
    draw: Callable[[Viewer], None]


SECTIONS = (
    Section("keys", N_("Keys and servers"), models_keys.draw),
    Section("models", N_("Models and prices"), models_catalogue.draw),
    Section("request", N_("How a model is asked"), models_request.draw),
    Section("prices", N_("Own prices and currency"), models_prices.draw),
    Section("budgets", N_("Budgets"), models_budgets.draw),
    Section("limits", N_("Limits and health"), models_limits.draw),
)


def choose_section(viewer: Viewer) -> Section:
    """The list in the sidebar; the part it names, which the address names too."""
    _ = viewer.tr.text
    by_name = {section.name: section for section in SECTIONS}
    names = list(by_name)
    named = st.query_params.get(PARAMETER, "")
    if widget(KEY) not in by_name:
        set_widget(KEY, named if named in by_name else names[0])
    with st.sidebar:
        chosen = st.radio(
            _("Models"),
            names,
            key=KEY,
            format_func=lambda name: _(by_name[name].title),
            label_visibility="collapsed",
            on_change=remember_section,
        )
    return by_name.get(chosen or "", SECTIONS[0])
