"""The answer as it is written: drawn while it comes, whoever started it."""

from datetime import UTC, datetime

import streamlit as st

from core.chat.types import Message, MessageStatus, Thread
from core.errors import AppError
from core.generation.generation import Generation
from core.generation.types import Waiting, WaitReason
from ui.components.answer_line import provider_notice
from ui.door import Viewer
from ui.markdown import safe_markdown
from ui.plain import escape, plain_text

# The eye sees no more, and every draw sends the whole text.
_DRAW_EVERY_SECONDS = 0.12


@st.fragment(run_every=_DRAW_EVERY_SECONDS)
def follow_answer(viewer: Viewer, thread: Thread, message: Message) -> None:
    """Draw the running answer again and again until it ends, then the page as it was stored.

    A fragment of the page, so that nothing else waits for the answer: Stop, another thread and
    another page answer at once, and the answer itself goes on in the engine.
    """
    generation = viewer.services.chat.live(message)
    if generation is None:
        _draw_elsewhere(viewer, thread, message)
    else:
        _draw(viewer, message, generation)


def _draw(viewer: Viewer, message: Message, generation: Generation) -> None:
    _ = viewer.tr.text
    text = generation.text
    with st.container(key=f"answer-live-{message.id}", gap="small"):
        if text:
            st.markdown(safe_markdown(text))
        unsaved = generation.storage_error
        if unsaved is not None:
            reason = unsaved.text(viewer.tr.language)
            st.warning(plain_text(_("This answer is complete but not saved yet. {reason}", reason=reason)))
        st.caption(_line(viewer, message, waiting=not text, generation=generation))


def _draw_elsewhere(viewer: Viewer, thread: Thread, message: Message) -> None:
    """Not ours to draw: it has just ended, or another process is writing it."""
    try:
        stored = viewer.services.chat.messages(viewer.account.id, thread.uuid)
    except AppError:
        st.rerun()
    now = next((one for one in stored if one.id == message.id), None)
    if now is None or now.status is not MessageStatus.STREAMING:
        st.rerun()
    with st.container(key=f"answer-live-{message.id}", gap="small"):
        st.markdown(safe_markdown(now.content))
        st.caption(_line(viewer, message, waiting=not now.content))


def _line(viewer: Viewer, message: Message, waiting: bool, generation: Generation | None = None) -> str:
    _ = viewer.tr.text
    asked = generation.answered_by if generation else None
    provider, model = (asked.provider, asked.model) if asked else (message.provider, message.model)
    parts = [model, provider_notice(viewer, provider)]
    if asked and asked.model != message.model:
        parts.append(_("instead of {model}", model=message.model or ""))
    if waiting and generation is not None and generation.waiting is not None:
        parts.append(_waited_for(viewer, generation.waiting))
    elif waiting:
        seconds = max(0, int((datetime.now(UTC) - message.created_at).total_seconds()))
        parts.append(_("waiting {seconds} s", seconds=seconds))
    return escape(" · ".join(part for part in parts if part))


def _waited_for(viewer: Viewer, waiting: Waiting) -> str:
    _ = viewer.tr.text
    seconds = None
    if waiting.until is not None:
        seconds = max(1, round((waiting.until - datetime.now(UTC)).total_seconds()))
    if waiting.reason is WaitReason.CONCURRENCY:
        return _("waits until another answer with this key has ended")
    if waiting.reason is WaitReason.RATE_LIMIT:
        if seconds is None:
            return _("waits its turn: the rate limit is used up")
        return _("waits its turn: the rate limit is free again in {seconds} s", seconds=seconds)
    attempt = waiting.attempt
    if seconds is None:
        return _("the provider failed in passing; attempt {attempt}", attempt=attempt)
    return _(
        "the provider failed in passing; attempt {attempt} in {seconds} s", attempt=attempt, seconds=seconds
    )
