"""One row a key: what is known of it, and what can be done with it."""

from collections.abc import Sequence

import streamlit as st

from core.accounts.types import KeyInfo
from ui import format as fmt
from ui.components.models_connection import tell_health
from ui.components.models_key_dialogs import Dialog, open_dialog
from ui.components.notices import attempt, offer_undo
from ui.door import Viewer
from ui.plain import code, escape
from ui.session import widget


def key_rows(viewer: Viewer, keys: Sequence[KeyInfo]) -> None:
    """One row a key."""
    for key in keys:
        _row(viewer, key)


def _row(viewer: Viewer, key: KeyInfo) -> None:
    _ = viewer.tr.text
    labels = {
        "test": _("Test the connection"),
        "rename": _("Rename"),
        "replace": _("Replace the key"),
        "active": _("Deactivate") if key.is_active else _("Activate"),
        "delete": _("Delete"),
    }
    with st.container(key=f"key-{key.id}", gap=None):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(escape(key.label), width="content")
                st.markdown(code(key.masked), width="content")
                if not key.is_active:
                    st.badge(_("inactive"), color="gray")
                elif not key.in_use:
                    st.badge(_("not used: a newer key is active"), color="gray")
            menu = f"key-menu-{key.id}"
            st.menu_button(
                "⋯",
                list(labels),
                key=menu,
                type="tertiary",
                format_func=labels.__getitem__,
                on_click=_act,
                args=(viewer, key, menu),
            )
        st.caption(" · ".join(_facts(viewer, key)))
        if key.check_error is not None:
            st.markdown(f":small[:red[{escape(key.check_error.text(viewer.tr.language))}]]")


def _facts(viewer: Viewer, key: KeyInfo) -> list[str]:
    _ = viewer.tr.text
    language = viewer.tr.language
    facts = [escape(key.host), *(escape(value) for value in key.options.values())]
    if key.checked_at is None:
        facts.append(_("not tested yet"))
    elif key.check_error is None:
        facts.append(_("worked {moment}", moment=escape(fmt.moment(key.checked_at, viewer.zone, language))))
    else:
        facts.append(_("failed {moment}", moment=escape(fmt.moment(key.checked_at, viewer.zone, language))))
    if key.last_used_at is not None:
        facts.append(
            _("last used {moment}", moment=escape(fmt.moment(key.last_used_at, viewer.zone, language)))
        )
    return facts


def _act(viewer: Viewer, key: KeyInfo, menu: str) -> None:
    _ = viewer.tr.text
    keys, user = viewer.services.keys, viewer.account.id
    chosen = widget(menu)
    if chosen == "test":
        _test(viewer, key)
    elif chosen == "rename":
        open_dialog(Dialog.RENAME, key)
    elif chosen == "replace":
        open_dialog(Dialog.REPLACE, key)
    elif chosen == "active":
        attempt(viewer, lambda: keys.set_active(user, key.id, not key.is_active))
    elif chosen == "delete" and attempt(viewer, lambda: keys.delete(user, key.id)):
        offer_undo(_("Deleted the key “{name}”", name=key.label), lambda: keys.restore(user, key.id))


def _test(viewer: Viewer, key: KeyInfo) -> None:
    _ = viewer.tr.text
    health = viewer.services.health.test_key(viewer.account.id, key.id)
    tell_health(viewer, key.label, health)
