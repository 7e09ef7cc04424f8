"""How a message looks: the question in a bubble, the answer as text with one muted line under it."""

import json
from functools import lru_cache

import streamlit as st

from core.chat.types import Message, MessageStatus, Thread
from core.errors import AppError
from core.providers.content import ToolCall
from core.providers.types import FinishReason, Role
from ui.components.answer_line import answer_line
from ui.components.composer import retry
from ui.components.message_files import show_files
from ui.door import Viewer
from ui.markdown import safe_markdown
from ui.plain import plain_text
from ui.session import Slot, recall, take

# A longer question is folded: its answer matters more than a pasted log.
_FOLD_CHARS = 3_000
_KEPT_CHARS = 20_000
_RETRIED = (MessageStatus.FAILED, MessageStatus.INTERRUPTED)


def show_message(viewer: Viewer, thread: Thread | None, message: Message, last: bool) -> None:
    """Draw one message that is not being written any more."""
    _ = viewer.tr.text
    if message.role is Role.USER:
        _show_question(viewer, thread, message)
        return
    if message.role is Role.SYSTEM:
        with st.expander(_("System prompt")):
            st.markdown(plain_text(message.content))
        return
    with st.container(key=f"answer-{message.id}", gap="small"):
        if message.content:
            st.markdown(_drawn(message.content))
        for call in message.tool_calls:
            _show_tool_call(viewer, call)
        if note := _note(viewer, message):
            retried = message.status in _RETRIED or _is_empty(message)
            _show_card(viewer, thread, message, note, offer_retry=last and retried)
        answer_line(viewer, message)


def show_notice(viewer: Viewer) -> None:
    """What could not be done just now, and what to do about it."""
    error = take(Slot.NOTICE)
    if isinstance(error, AppError):
        with st.container(key="notice"):
            st.error(plain_text(error.text(viewer.tr.language)))


def _drawn(content: str) -> str:
    """Stored answers do not change, so their Markdown is made safe once; the longest are not worth keeping."""
    return _kept(content) if len(content) <= _KEPT_CHARS else safe_markdown(content)


_kept = lru_cache(maxsize=1_000)(safe_markdown)


def _show_question(viewer: Viewer, thread: Thread | None, message: Message) -> None:
    _ = viewer.tr.text
    with st.container(key=f"question-{message.id}"):
        if thread is not None and message.attachments:
            show_files(viewer, thread, message)
        if not message.content:
            return
        if len(message.content) <= _FOLD_CHARS:
            st.markdown(plain_text(message.content))
            return
        st.markdown(plain_text(message.content[:600]) + " …")
        with st.expander(_("Show all {count} characters", count=f"{len(message.content):,}")):
            st.code(message.content, language=None, wrap_lines=True, height=400)


def _show_tool_call(viewer: Viewer, call: ToolCall) -> None:
    _ = viewer.tr.text
    st.caption(_("The model asks to call `{name}`", name=call.name.replace("`", "")))
    st.code(json.dumps(dict(call.arguments), ensure_ascii=False, indent=2), language="json", wrap_lines=True)


def _note(viewer: Viewer, message: Message) -> str | None:
    _ = viewer.tr.text
    if message.error is not None:
        return message.error.text(viewer.tr.language)
    if message.status is MessageStatus.INTERRUPTED:
        return _("Interrupted: AIHub ended while this was being written. What had been saved stands above.")
    if message.finish_reason == FinishReason.LENGTH:
        return _("The answer reached the longest length allowed and was cut there.")
    if message.finish_reason == FinishReason.SAFETY:
        if message.raw_reason:
            return _("The provider stopped this answer for safety ({reason}).", reason=message.raw_reason)
        return _("The provider stopped this answer for safety.")
    if message.finish_reason == FinishReason.OTHER and message.raw_reason:
        return _(
            "The model ended in an unusual way ({reason}). The answer may be incomplete.",
            reason=message.raw_reason,
        )
    if _is_empty(message):
        return _("The model ended without saying anything. Ask again, or pick another model.")
    return None


def _is_empty(message: Message) -> bool:
    """Whether the model ended by itself and gave nothing."""
    return message.status is MessageStatus.COMPLETE and not message.content and not message.tool_calls


def _show_card(viewer: Viewer, thread: Thread | None, message: Message, note: str, offer_retry: bool) -> None:
    _ = viewer.tr.text
    kind = "error" if message.status is MessageStatus.FAILED else "note"
    with st.container(key=f"card-{kind}-{message.id}"):
        st.markdown(plain_text(note))
        choice = recall(Slot.MODEL)
        if offer_retry and thread is not None and choice is not None:
            st.button(
                _("Retry"), key=f"retry-{message.id}", on_click=retry, args=(viewer, thread, message, choice)
            )
