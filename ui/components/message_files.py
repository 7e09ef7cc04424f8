"""The files of a question: pictures as pictures, the rest by name and size."""

import streamlit as st

from core.chat.types import AttachmentInfo, Message, Thread
from core.errors import AppError
from core.providers.content import Attachment as Content
from core.providers.content import MediaKind
from ui import format as fmt
from ui.door import Viewer
from ui.plain import escape

_PICTURE_PIXELS = 260


def show_files(viewer: Viewer, thread: Thread, message: Message) -> None:
    """Draw them in the order they were added."""
    with st.container(key=f"files-{message.id}", horizontal=True, gap="small"):
        for index, file in enumerate(message.attachments):
            if Content(file.mime_type).kind is MediaKind.IMAGE:
                _picture(viewer, thread, message, index, file)
            else:
                _name(viewer, file)


def _picture(viewer: Viewer, thread: Thread, message: Message, index: int, file: AttachmentInfo) -> None:
    try:
        data = viewer.services.chat.attachment(viewer.account.id, thread.uuid, message.id, index)
    except AppError:
        # Gone from the disk: its name is what is left of it.
        _name(viewer, file)
        return
    st.image(data, width=_PICTURE_PIXELS, caption=escape(file.name))


def _name(viewer: Viewer, file: AttachmentInfo) -> None:
    language = viewer.tr.language
    size = fmt.file_size(file.size, language)
    # Not st.badge: it escapes brackets a second time.
    st.markdown(f":gray-badge[{escape(f'{file.name} · {size}')}]", width="content")
