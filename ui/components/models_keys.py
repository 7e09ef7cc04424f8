"""Keys and servers: what AIHub can speak to, with which key, and whether that works."""

from collections.abc import Sequence

import streamlit as st

from core.accounts.types import KeyInfo
from core.providers.types import ProviderInfo
from ui.components import models_endpoints
from ui.components.models_confirm import show_question
from ui.components.models_connection import tell_health
from ui.components.models_key_dialogs import Dialog, open_dialog, show_dialog
from ui.components.models_key_rows import key_rows
from ui.door import Viewer
from ui.plain import code, escape

DEMO, LOCAL = "demo", "local"


def draw(viewer: Viewer) -> None:
    """The whole part."""
    _ = viewer.tr.text
    services, user = viewer.services, viewer.account.id
    endpoints = {endpoint.provider_id for endpoint in services.endpoints.list()}
    keys = services.keys.list(user)
    st.title(_("Keys and servers"), anchor=False)
    st.caption(
        _("A key is encrypted before it is stored, is shown masked, and is sent to its own host only.")
    )
    for info in services.registry.all_infos():
        # A server named in the environment stands here, those added on this page stand below.
        unset = info.id == LOCAL and not services.registry.is_from_environment(LOCAL)
        if info.id != DEMO and info.id not in endpoints and not unset:
            _provider(viewer, info, [key for key in keys if key.provider == info.id])
    models_endpoints.draw(viewer, keys)
    show_dialog(viewer)
    show_question(viewer)


def _provider(viewer: Viewer, info: ProviderInfo, keys: Sequence[KeyInfo]) -> None:
    _ = viewer.tr.text
    registry = viewer.services.registry
    from_environment = registry.is_from_environment(info.id)
    with st.container(key=f"provider-{info.id}", border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{escape(info.label)}**", width="content")
            _badge(viewer, connected=from_environment or any(key.is_active for key in keys))
            st.space("stretch")
            st.button(
                _("Add a key"),
                key=f"add-key-{info.id}",
                type="tertiary",
                on_click=open_dialog,
                args=(Dialog.ADD, info.id),
            )
        if from_environment:
            used = not any(key.in_use for key in keys)
            _environment_row(viewer, info, used)
        key_rows(viewer, keys)


def _badge(viewer: Viewer, connected: bool) -> None:
    _ = viewer.tr.text
    if connected:
        st.badge(_("connected"), color="green")
    else:
        st.badge(_("no key"), color="gray")


def _environment_row(viewer: Viewer, info: ProviderInfo, used: bool) -> None:
    _ = viewer.tr.text
    setting = code(viewer.services.registry.environment_key(info.id) or "")
    with st.container(key=f"environment-{info.id}", horizontal=True, vertical_alignment="center"):
        st.markdown(_("From the environment: {setting}", setting=setting), width="stretch")
        if not used:
            st.caption(_("not used: your own key comes first"), width="content")
        st.button(
            _("Test"),
            key=f"test-environment-{info.id}",
            type="tertiary",
            on_click=_test_environment,
            args=(viewer, info),
        )


def _test_environment(viewer: Viewer, info: ProviderInfo) -> None:
    tell_health(viewer, info.label, viewer.services.health.health_check(viewer.account.id, info.id))
