"""The one owner of `st.session_state`: what a browser tab remembers between reruns."""

from enum import StrEnum
from typing import Any, TypeVar

import streamlit as st

Value = TypeVar("Value")


class Slot(StrEnum):
    """Everything a tab remembers, by name. Widget keys are not listed: their widgets own them."""

    MODEL = "chat.model"
    NOTICE = "chat.notice"
    CHAT_FILES = "chat.files"
    UNDO = "chat.undo"
    RENAMING = "chat.renaming"
    USAGE_NOTICE = "usage.notice"
    USAGE_ASKED = "usage.asked"
    USAGE_CHANGED = "usage.changed"
    USAGE_BACK = "usage.back"
    USAGE_PAGES = "usage.pages"
    MODELS_NOTICE = "models.notice"
    MODELS_UNDO = "models.undo"
    MODELS_DIALOG = "models.dialog"
    MODELS_CONFIRM = "models.confirm"
    ENDPOINT_DIALOG = "models.endpoint"
    PRICE_DIALOG = "models.price"
    RATE_DIALOG = "models.rate"
    RECOST_PLAN = "models.recost"
    IMPORT_UPLOADS = "usage.import_uploads"
    BUDGET_DIALOG = "models.budget"
    GEMINI_RUN = "models.gemini_run"


def recall(slot: Slot, default: Any = None) -> Any:
    """What was put in `slot`, or `default`."""
    return st.session_state.get(slot.value, default)


def remember(slot: Slot, value: object) -> None:
    """Keep `value` in `slot` for the reruns of this tab."""
    st.session_state[slot.value] = value


def take(slot: Slot) -> Any:
    """What was put in `slot`, once: it is empty afterwards."""
    return st.session_state.pop(slot.value, None)


def set_widget(key: str, value: object) -> None:
    """Set a widget's value from a callback, before the widget is drawn."""
    st.session_state[key] = value


def show(key: str, value: Value) -> Value:
    """Have a widget show `value`, whatever it showed before; returns it, to be given to the widget as its default, too.

    Without that default a browser has the widget's empty state for a moment, and tells it with a click elsewhere as
    if somebody had chosen it.
    """
    # Also what was forgotten: the browser may still show it.
    if widget(key) != value:
        set_widget(key, value)
    return value


def widget(key: str, default: Any = None) -> Any:
    """A widget's present value by its key."""
    return st.session_state.get(key, default)


def forget_widget(key: str) -> None:
    """Let a widget begin again with what its page gives it: for callbacks."""
    st.session_state.pop(key, None)
