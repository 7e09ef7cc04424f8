"""Dialogs that add, rename and replace a key."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import streamlit as st

from core.accounts.types import KeyInfo
from core.errors import AppError
from core.providers.types import ProviderInfo
from ui.components.models_connection import health_in_words, tell_health
from ui.door import Viewer
from ui.plain import code, escape, plain_text
from ui.session import Slot, remember, take

GIGACHAT, DEMO = "gigachat", "demo"
SCOPES = ("GIGACHAT_API_PERS", "GIGACHAT_API_B2B", "GIGACHAT_API_CORP")


class Dialog(StrEnum):
    """Which dialog is to open."""

    ADD = "add"
    RENAME = "rename"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class _Entry:
    """What stands in the form of a new key."""

    provider: str
    label: str
    key: str
    base_url: str | None
    options: dict[str, str]


def open_dialog(dialog: Dialog, about: KeyInfo | str | None = None) -> None:
    """For a callback: open a dialog in the next run; `about` is a key, or a provider's id for a new one."""
    remember(Slot.MODELS_DIALOG, (dialog, about))


def show_dialog(viewer: Viewer) -> None:
    """Open the dialog that was asked for."""
    _ = viewer.tr.text
    asked = take(Slot.MODELS_DIALOG)
    if asked is None:
        return
    dialog, about = asked
    if dialog is Dialog.ADD:
        st.dialog(_("Add a key"))(_add)(viewer, about)
    elif dialog is Dialog.RENAME:
        st.dialog(_("Rename the key"))(_rename)(viewer, about)
    else:
        st.dialog(_("Replace the key"))(_replace)(viewer, about)


def _add(viewer: Viewer, provider: str | None) -> None:
    _ = viewer.tr.text
    infos = {info.id: info for info in viewer.services.registry.all_infos() if info.id != DEMO}
    chosen = st.selectbox(
        _("Provider"),
        list(infos),
        index=list(infos).index(provider) if provider in infos else 0,
        format_func=lambda name: infos[name].label,
        key="key-provider",
    )
    with st.form("key-form", border=False):
        entry = _fields(viewer, infos[chosen])
        with st.container(horizontal=True):
            save = st.form_submit_button(_("Save and test"), type="primary", key="key-save")
            test = st.form_submit_button(_("Only test"), key="key-test")
    if test:
        _try(viewer, infos[chosen], entry)
    if save:
        _save(viewer, entry)


def _fields(viewer: Viewer, info: ProviderInfo) -> _Entry:
    _ = viewer.tr.text
    client_id = ""
    options: dict[str, str] = {}
    if info.id == GIGACHAT:
        st.caption(
            _(
                "In GigaChat Studio open your project, then “API settings”, and copy the authorization key: "
                "a Base64 text of 80 to 100 characters. The UUID beside it is only the client ID."
            )
        )
    key = st.text_input(_("API key"), type="password", key=f"key-value-{info.id}", autocomplete="off")
    if info.id == GIGACHAT:
        client_id = st.text_input(
            _("Client ID"),
            key="key-client-id",
            help=_("Only when the key above is a client secret and not the ready Base64 text."),
        )
        options["scope"] = st.selectbox(
            _("Scope"),
            SCOPES,
            key="key-scope",
            help=_("PERS for individuals, B2B and CORP for companies, as in your contract."),
        )
    label = st.text_input(_("Name"), key=f"key-label-{info.id}", placeholder=info.label, max_chars=100)
    with st.expander(_("Another address")):
        base_url = st.text_input(
            _("Base URL"),
            key=f"key-url-{info.id}",
            placeholder=viewer.services.registry.address(info.id) or "",
            help=_("For a proxy or a gateway of your own. The key is then sent to this host only."),
        )
    if client_id.strip():
        options["client_id"] = client_id.strip()
    return _Entry(info.id, label.strip() or info.label, key, base_url.strip() or None, options)


def _try(viewer: Viewer, info: ProviderInfo, entry: _Entry) -> None:
    _ = viewer.tr.text
    try:
        with st.spinner(_("Asking {provider}…", provider=escape(info.label))):
            health = viewer.services.health.test_new(
                viewer.actor, entry.provider, entry.key, entry.base_url, entry.options
            )
    except AppError as error:
        st.error(plain_text(error.text(viewer.tr.language)))
        return
    (st.success if health.ok else st.error)(plain_text(health_in_words(viewer, info.label, health)))


def _save(viewer: Viewer, entry: _Entry) -> None:
    _ = viewer.tr.text
    services, user = viewer.services, viewer.account.id
    try:
        key = services.keys.add(
            viewer.actor, entry.provider, entry.label, entry.key, entry.base_url, entry.options
        )
    except AppError as error:
        st.error(plain_text(error.text(viewer.tr.language)))
        return
    with st.spinner(_("Asking {provider}…", provider=escape(key.label))):
        tell_health(viewer, key.label, services.health.test_key(user, key.id))
    st.rerun()


def _rename(viewer: Viewer, key: KeyInfo) -> None:
    _ = viewer.tr.text
    with st.form("key-rename", border=False):
        label = st.text_input(_("Name"), value=key.label, key=f"key-rename-{key.id}", max_chars=100)
        if not st.form_submit_button(_("Save"), type="primary", key="key-rename-save"):
            return
    _change(viewer, lambda: viewer.services.keys.rename(viewer.account.id, key.id, label))


def _replace(viewer: Viewer, key: KeyInfo) -> None:
    _ = viewer.tr.text
    services, user = viewer.services, viewer.account.id
    st.caption(
        _(
            "The new key takes the place of {masked} and is sent to {host} only.",
            masked=code(key.masked),
            host=escape(key.host),
        )
    )
    with st.form("key-replace", border=False):
        value = st.text_input(_("API key"), type="password", key=f"key-replace-{key.id}", autocomplete="off")
        if not st.form_submit_button(_("Save and test"), type="primary", key="key-replace-save"):
            return

    def replace() -> None:
        services.keys.replace(user, key.id, value)
        tell_health(viewer, key.label, services.health.test_key(user, key.id))

    _change(viewer, replace)


def _change(viewer: Viewer, action: Callable[[], object]) -> None:
    try:
        action()
    except AppError as error:
        st.error(plain_text(error.text(viewer.tr.language)))
        return
    st.rerun()
