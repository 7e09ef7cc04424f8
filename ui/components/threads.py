"""The user's threads: open, new, rename, delete with undo."""

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import streamlit as st

from core.chat.types import Thread
from core.errors import AppError
from ui.door import Viewer
from ui.plain import escape
from ui.session import Slot, recall, remember, take, widget

UNDO_SECONDS = 10
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class _Undo:
    thread: Thread
    until: float


def opened_thread(viewer: Viewer) -> Thread | None:
    """The thread the address names; None for a new one, or when there is no such thread."""
    named = st.query_params.get("thread")
    if not named:
        return None
    try:
        return viewer.services.chat.thread(viewer.account.id, named)
    except AppError as error:
        del st.query_params["thread"]
        remember(Slot.NOTICE, error)
        return None


def thread_list(viewer: Viewer, current: Thread | None) -> None:
    """The sidebar of Chat."""
    _ = viewer.tr.text
    st.button(_("New chat"), key="new-thread", on_click=_open, args=(None,), width="stretch")
    if recall(Slot.UNDO):
        _undo_bar(viewer)
    threads = viewer.services.chat.threads(viewer.account.id)
    shown = threads if len(threads) <= _SHOWN or widget("all-threads") else threads[:_SHOWN]
    heading = None
    with st.container(key="threads", gap=None):
        for thread in shown:
            age = _age(viewer, thread.last_message_at)
            if age != heading:
                heading = age
                st.caption(age)
            _row(viewer, thread, current)
    if len(threads) > _SHOWN:
        st.toggle(_("Show all {count} threads", count=len(threads)), key="all-threads")
    if (renaming := take(Slot.RENAMING)) is not None:
        _rename_dialog(viewer, renaming)


def _row(viewer: Viewer, thread: Thread, current: Thread | None) -> None:
    _ = viewer.tr.text
    chosen = current is not None and thread.uuid == current.uuid
    with st.container(
        key=f"thread-{'current-' if chosen else ''}{thread.uuid}", horizontal=True, gap=None, wrap=False
    ):
        st.button(
            escape(thread.title),
            key=f"open-{thread.uuid}",
            type="tertiary",
            width="stretch",
            on_click=_open,
            args=(thread.uuid,),
        )
        menu = f"menu-{thread.uuid}"
        labels = {"rename": _("Rename"), "delete": _("Delete")}
        st.menu_button(
            "⋯",
            list(labels),
            key=menu,
            type="tertiary",
            format_func=labels.__getitem__,
            on_click=_act,
            args=(viewer, thread, menu),
        )


def _open(thread_uuid: str | None) -> None:
    if thread_uuid is None:
        st.query_params.pop("thread", None)
    else:
        st.query_params["thread"] = thread_uuid


def _act(viewer: Viewer, thread: Thread, menu: str) -> None:
    if widget(menu) == "rename":
        remember(Slot.RENAMING, thread)
    elif widget(menu) == "delete":
        try:
            viewer.services.chat.delete_thread(viewer.account.id, thread.uuid)
        except AppError as error:
            remember(Slot.NOTICE, error)
            return
        remember(Slot.UNDO, _Undo(thread, time.monotonic() + UNDO_SECONDS))
        if st.query_params.get("thread") == thread.uuid:
            _open(None)


@st.fragment(run_every=1)
def _undo_bar(viewer: Viewer) -> None:
    _ = viewer.tr.text
    undo = recall(Slot.UNDO)
    if not isinstance(undo, _Undo):
        return
    if time.monotonic() > undo.until:
        take(Slot.UNDO)
        st.rerun()
    with st.container(key="undo", horizontal=True, vertical_alignment="center", wrap=False):
        st.caption(_("Deleted “{title}”", title=escape(undo.thread.title)))
        if st.button(_("Undo"), key="undo-delete", type="tertiary"):
            _restore(viewer, undo.thread)
            st.rerun()


def _restore(viewer: Viewer, thread: Thread) -> None:
    take(Slot.UNDO)
    try:
        viewer.services.chat.restore_thread(viewer.account.id, thread.uuid)
    except AppError as error:
        remember(Slot.NOTICE, error)
    else:
        _open(thread.uuid)


def _rename_dialog(viewer: Viewer, thread: Thread) -> None:
    _ = viewer.tr.text

    @st.dialog(_("Rename thread"))
    def dialog() -> None:
        with st.form("rename", border=False):
            title = st.text_input(_("Name"), value=thread.title, key=f"rename-title-{thread.uuid}")
            if not st.form_submit_button(_("Save"), type="primary"):
                return
        try:
            viewer.services.chat.rename_thread(viewer.account.id, thread.uuid, title)
        except AppError as error:
            st.error(error.text(viewer.tr.language))
        else:
            st.rerun()

    dialog()


def _age(viewer: Viewer, moment: datetime) -> str:
    _ = viewer.tr.text
    day: date = moment.astimezone(viewer.zone).date()
    today = datetime.now(viewer.zone).date()
    if day >= today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    return _("Last 7 days") if day > today - timedelta(days=7) else _("Earlier")
