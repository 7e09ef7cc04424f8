"""The question before something goes for good."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from ui.components.notices import attempt
from ui.door import Viewer
from ui.plain import plain_text
from ui.session import Slot, remember, take


@dataclass(frozen=True, slots=True)
class Question:
    """What goes, in words; what makes it go, and what is said when it is gone. `button` is what it is called when it is
    not a deletion."""

    title: str
    text: str
    action: Callable[[], object]
    done: str
    button: str = ""


def ask_first(question: Question) -> None:
    """For a callback: ask in the next run."""
    remember(Slot.MODELS_CONFIRM, question)


def show_question(viewer: Viewer) -> None:
    """Open the dialog with the question that is to be asked."""
    question = take(Slot.MODELS_CONFIRM)
    if isinstance(question, Question):
        st.dialog(question.title)(_ask)(viewer, question)


def _ask(viewer: Viewer, question: Question) -> None:
    _ = viewer.tr.text
    st.markdown(plain_text(question.text))
    with st.container(horizontal=True):
        if st.button(question.button or _("Delete"), type="primary", key="confirm-delete"):
            attempt(viewer, question.action, question.done)
            st.rerun()
        if st.button(_("Keep"), key="confirm-keep"):
            st.rerun()
