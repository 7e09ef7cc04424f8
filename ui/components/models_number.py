"""A field for a number that may be left empty."""

from typing import Any

import streamlit as st

from ui.session import set_widget, widget

_ABSENT = object()


def optional_number(label: str, value: float | None, *, key: str, **about: Any) -> Any:
    """The number, None when the field is empty; whole numbers when `step` is one. It starts with `value`.

    A field that starts with a number through `value=` puts that back when it is emptied, so the start is set
    another way. `about`: other arguments of st.number_input.
    """
    if widget(key, _ABSENT) is _ABSENT and value is not None:
        set_widget(key, type(about["step"])(value))
    return st.number_input(label, value=None, key=key, **about)
