"""A page in parts: the list in its sidebar, the part that is open, and the address that names it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from ui.door import Viewer
from ui.session import show, widget

PARAMETER = "section"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: its name in the address, its title, and what draws it. `shown` hides it from who may not
    see it; `needs_calls`: without calls there is nothing to draw; `is_filtered`: about the calls that filters leave;
    `is_compared`: with those of an earlier range."""

    name: str
    title: str
    draw: Callable[..., None]
    shown: Callable[[Viewer], bool] = lambda _viewer: True
    needs_calls: bool = True
    is_filtered: bool = True
    is_compared: bool = False


def choose_section(
    viewer: Viewer, label: str, sections: Sequence[Section], key: str, on_change: Callable[[], None]
) -> Section:
    """The list in the sidebar; the part it names, which the address names too."""
    by_name = {section.name: section for section in sections if section.shown(viewer)}
    names = list(by_name)
    named = st.query_params.get(PARAMETER, "")
    wanted = widget(key)
    if wanted not in by_name:
        wanted = named if named in by_name else names[0]
    with st.sidebar:
        chosen = st.radio(
            label,
            names,
            index=names.index(show(key, wanted)),
            key=key,
            format_func=lambda name: viewer.tr.text(by_name[name].title),
            label_visibility="collapsed",
            on_change=on_change,
        )
    return by_name[chosen or names[0]]
