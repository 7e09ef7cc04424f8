"""Where a message is typed, and where its answer is stopped."""

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.chat.attachments import NewAttachment
from core.chat.choices import ModelChoice
from core.chat.types import Message, Thread
from core.errors import AppError
from ui.components.model_picker import present_choice
from ui.door import Viewer
from ui.plain import escape
from ui.session import Slot, recall, remember, set_widget, take, widget

TEXT_KEY = "chat-text"
MOST_MEGABYTES = 20
"""A file; what the service takes of all files of a message together."""


def composer(viewer: Viewer, choice: ModelChoice) -> None:
    """The message box. What could not be sent stands in it again, with the reason above it."""
    _ = viewer.tr.text
    kept: list[NewAttachment] = recall(Slot.CHAT_FILES) or []
    if kept:
        _kept_files(viewer, kept)
    st.chat_input(
        _("Type a message"),
        key=TEXT_KEY,
        on_submit=_send,
        args=(viewer, choice),
        accept_file="multiple",
        max_upload_size=MOST_MEGABYTES,
    )


def stop_bar(viewer: Viewer, thread: Thread, message: Message) -> None:
    """Stop, where Send was."""
    _ = viewer.tr.text
    st.chat_input(_("{model} is answering…", model=message.model or ""), key="chat-busy", disabled=True)
    with st.bottom, st.container(key="stop-bar", width="content"):
        st.button(_("Stop"), key="stop", shortcut="Esc", on_click=_stop, args=(viewer, thread))


def retry(viewer: Viewer, thread: Thread, message: Message, choice: ModelChoice) -> None:
    """Ask again for an answer that did not come; for a button's on_click."""
    choice = present_choice(viewer, thread.uuid, choice)
    try:
        viewer.services.chat.retry(viewer.account.id, thread.uuid, message.id, choice.provider, choice.model)
    except AppError as error:
        remember(Slot.NOTICE, error)


def _send(viewer: Viewer, choice: ModelChoice) -> None:
    value = widget(TEXT_KEY)
    text = value if isinstance(value, str) else getattr(value, "text", "")
    # What stands in the address and in the picker now: the page may not have been drawn with it yet.
    thread_uuid = st.query_params.get("thread")
    choice = present_choice(viewer, thread_uuid, choice)
    files = [*(recall(Slot.CHAT_FILES) or []), *map(_attachment, getattr(value, "files", None) or ())]
    try:
        sent = viewer.services.chat.send(
            viewer.account.id, thread_uuid, text, choice.provider, choice.model, files
        )
    except AppError as error:
        remember(Slot.NOTICE, error)
        # Nothing is lost: the text stands in the box again, the files above it.
        set_widget(TEXT_KEY, text)
        remember(Slot.CHAT_FILES, files)
        return
    take(Slot.CHAT_FILES)
    st.query_params["thread"] = sent.thread.uuid


def _attachment(file: UploadedFile) -> NewAttachment:
    return NewAttachment(file.name, file.type, file.getvalue())


def _kept_files(viewer: Viewer, kept: list[NewAttachment]) -> None:
    """The files of a message that could not be sent, each to be left out of the next try."""
    _ = viewer.tr.text
    with st.bottom, st.container(key="kept-files", horizontal=True):
        for position, file in enumerate(kept):
            st.button(
                f"{escape(file.name)} ×",
                key=f"kept-file-{position}",
                help=_("Leave this file out"),
                on_click=_leave_out,
                args=(position,),
            )


def _leave_out(position: int) -> None:
    kept: list[NewAttachment] = recall(Slot.CHAT_FILES) or []
    remember(Slot.CHAT_FILES, kept[:position] + kept[position + 1 :])


def _stop(viewer: Viewer, thread: Thread) -> None:
    try:
        viewer.services.chat.stop(viewer.account.id, thread.uuid)
    except AppError as error:
        remember(Slot.NOTICE, error)
