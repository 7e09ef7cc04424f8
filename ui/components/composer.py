"""Where a message is typed, and where its answer is stopped."""

import streamlit as st

from core.chat.choices import ModelChoice
from core.chat.types import Message, Thread
from core.errors import AppError
from ui.door import Viewer
from ui.session import Slot, remember, set_widget, widget

TEXT_KEY = "chat-text"


def composer(viewer: Viewer, thread: Thread | None, choice: ModelChoice) -> None:
    """The message box. What could not be sent stands in it again, with the reason above it."""
    _ = viewer.tr.text
    st.chat_input(_("Type a message"), key=TEXT_KEY, on_submit=_send, args=(viewer, thread, choice))


def stop_bar(viewer: Viewer, thread: Thread, message: Message) -> None:
    """Stop, where Send was."""
    _ = viewer.tr.text
    st.chat_input(_("{model} is answering…", model=message.model or ""), key="chat-busy", disabled=True)
    with st.bottom, st.container(key="stop-bar", width="content"):
        st.button(_("Stop"), key="stop", shortcut="Esc", on_click=_stop, args=(viewer, thread))


def retry(viewer: Viewer, thread: Thread, message: Message, choice: ModelChoice) -> None:
    """Ask again for an answer that did not come; for a button's on_click."""
    try:
        viewer.services.chat.retry(viewer.account.id, thread.uuid, message.id, choice.provider, choice.model)
    except AppError as error:
        remember(Slot.NOTICE, error)


def _send(viewer: Viewer, thread: Thread | None, choice: ModelChoice) -> None:
    text = str(widget(TEXT_KEY) or "")
    try:
        sent = viewer.services.chat.send(
            viewer.account.id, thread.uuid if thread else None, text, choice.provider, choice.model
        )
    except AppError as error:
        remember(Slot.NOTICE, error)
        set_widget(TEXT_KEY, text)
        return
    st.query_params["thread"] = sent.thread.uuid


def _stop(viewer: Viewer, thread: Thread) -> None:
    try:
        viewer.services.chat.stop(viewer.account.id, thread.uuid)
    except AppError as error:
        remember(Slot.NOTICE, error)
