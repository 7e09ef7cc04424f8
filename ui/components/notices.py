"""What the last click came to, said once at the top of a page, with a way back for what was deleted."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.errors import AppError
from ui.door import Viewer
from ui.plain import escape, plain_text
from ui.session import Slot, recall, remember, take

UNDO_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the next run of the page: what was done, or why it was not."""

    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Undo:
    """What was deleted, in words, and what brings it back."""

    text: str
    restore: Callable[[], object]
    until: float


def say(text: str) -> None:
    """For a callback: what was done."""
    remember(Slot.MODELS_NOTICE, Notice(text))


def attempt(viewer: Viewer, action: Callable[[], object], done: str | None = None) -> bool:
    """For a callback: do `action` and say `done`, or say why it could not be done; True when it was."""
    try:
        action()
    except AppError as error:
        remember(Slot.MODELS_NOTICE, Notice(error.text(viewer.tr.language), failed=True))
        return False
    if done is not None:
        say(done)
    return True


def offer_undo(text: str, restore: Callable[[], object]) -> None:
    """For a callback: `text` says what went; for ten seconds a button brings it back."""
    remember(Slot.MODELS_UNDO, Undo(text, restore, time.monotonic() + UNDO_SECONDS))


def show_notices(viewer: Viewer) -> None:
    """Draw what the last click left to say."""
    notice = take(Slot.MODELS_NOTICE)
    if isinstance(notice, Notice):
        with st.container(key="models-notice"):
            (st.error if notice.failed else st.success)(plain_text(notice.text))
    if isinstance(recall(Slot.MODELS_UNDO), Undo):
        _undo_bar(viewer)


@st.fragment(run_every=1)
def _undo_bar(viewer: Viewer) -> None:
    _ = viewer.tr.text
    undo = recall(Slot.MODELS_UNDO)
    if not isinstance(undo, Undo):
        return
    if time.monotonic() > undo.until:
        # No rerun of the page for it: that would close a dialog that is open by now.
        take(Slot.MODELS_UNDO)
        return
    with st.container(key="models-undo", horizontal=True, vertical_alignment="center"):
        st.markdown(escape(undo.text), width="content")
        if st.button(_("Undo"), key="models-undo-button", type="tertiary"):
            take(Slot.MODELS_UNDO)
            attempt(viewer, undo.restore)
            st.rerun()
