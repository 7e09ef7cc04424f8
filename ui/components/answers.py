"""The answer as it is written: drawn while it comes, whoever started it."""

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.chat.types import Message
from core.generation.generation import Generation
from ui.components.answer_line import provider_notice
from ui.door import Viewer
from ui.markdown import safe_markdown
from ui.plain import escape

# At most this often a second: the eye sees no more, and every draw sends the whole text.
_DRAWS_A_SECOND = 12


def follow_answer(viewer: Viewer, message: Message) -> None:
    """Draw the running answer until it ends, then show it as it was stored.

    A button or a new page interrupts this function; the answer itself goes on.
    """
    with st.container(key=f"answer-live-{message.id}", gap="small"):
        text_slot, status_slot = st.empty(), st.empty()
    generation = viewer.services.chat.live(message)
    if generation is None:
        _watch_elsewhere(message, text_slot)
    else:
        _draw(viewer, message, generation, text_slot, status_slot)
    st.rerun()


def _draw(
    viewer: Viewer, message: Message, generation: Generation, text_slot: DeltaGenerator, status_slot: DeltaGenerator
) -> None:
    _ = viewer.tr.text
    line = " · ".join(filter(None, (message.model, provider_notice(viewer, message.provider))))
    started, text = time.monotonic(), ""
    for chunk in generation.follow():
        if chunk is not None:
            text += chunk.text
            text_slot.markdown(safe_markdown(text))
            status_slot.caption(escape(line))
            time.sleep(1 / _DRAWS_A_SECOND)
        elif not text:
            waited = int(time.monotonic() - started)
            status_slot.caption(escape(f"{line} · {_('waiting')} {waited} s"))
        else:
            # Nothing new: draw all the same, so that a click on Stop is noticed at once.
            status_slot.caption(escape(line))
    while (error := generation.storage_error) is not None:
        unsaved = _("This answer is complete but not saved yet. {reason}", reason=error.text(viewer.tr.language))
        status_slot.warning(unsaved)
        time.sleep(0.5)


def _watch_elsewhere(message: Message, text_slot: DeltaGenerator) -> None:
    """Another process is writing: show what it has saved so far and look again soon."""
    text_slot.markdown(safe_markdown(message.content) or " …")
    time.sleep(1)
