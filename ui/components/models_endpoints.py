"""Own servers: OpenAI-compatible endpoints under names of their own."""

from collections.abc import Sequence

import streamlit as st

from core.accounts.types import EndpointInfo, KeyInfo
from core.errors import AppError
from ui.components.models_confirm import Question, ask_first
from ui.components.models_connection import tell_health
from ui.components.models_key_dialogs import Dialog, open_dialog
from ui.components.models_key_rows import key_rows
from ui.components.notices import say
from ui.door import Viewer
from ui.plain import code, escape, plain_text
from ui.session import Slot, remember, take, widget


def draw(viewer: Viewer, keys: Sequence[KeyInfo]) -> None:
    """The list of own servers, with what can be done to each."""
    _ = viewer.tr.text
    with st.container(key="models-endpoints-head", horizontal=True, vertical_alignment="center"):
        st.subheader(_("Own servers"), anchor=False, width="stretch")
        # A server is everybody's, as are the addresses it makes the hub call.
        if viewer.account.is_admin:
            st.button(
                _("Add a server"), key="add-endpoint", on_click=remember, args=(Slot.ENDPOINT_DIALOG, "new")
            )
    endpoints = viewer.services.endpoints.list()
    if not endpoints:
        st.caption(
            _("Ollama, vLLM, llama.cpp, LM Studio or any other server that speaks OpenAI’s chat completions.")
        )
    for endpoint in endpoints:
        with st.container(key=f"endpoint-{endpoint.id}", border=True, gap="small"):
            _row(viewer, endpoint)
            key_rows(viewer, [key for key in keys if key.provider == endpoint.provider_id])
    _show_dialog(viewer)


def _row(viewer: Viewer, endpoint: EndpointInfo) -> None:
    _ = viewer.tr.text
    labels = {
        "test": _("Test the connection"),
        "edit": _("Edit"),
        "key": _("Add a key"),
        "delete": _("Delete"),
    }
    if not viewer.account.is_admin:
        labels = {name: labels[name] for name in ("test", "key")}
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{escape(endpoint.label)}**", width="content")
            st.markdown(code(endpoint.base_url), width="content")
            if endpoint.is_free:
                st.badge(_("free"), color="green", help=_("Its calls cost an explicit 0."))
        menu = f"endpoint-menu-{endpoint.id}"
        st.menu_button(
            "⋯",
            list(labels),
            key=menu,
            type="tertiary",
            format_func=labels.__getitem__,
            on_click=_act,
            args=(viewer, endpoint, menu),
        )


def _act(viewer: Viewer, endpoint: EndpointInfo, menu: str) -> None:
    _ = viewer.tr.text
    services = viewer.services
    chosen = widget(menu)
    if chosen == "test":
        tell_health(
            viewer, endpoint.label, services.health.health_check(viewer.account.id, endpoint.provider_id)
        )
    elif chosen == "edit":
        remember(Slot.ENDPOINT_DIALOG, endpoint)
    elif chosen == "key":
        open_dialog(Dialog.ADD, endpoint.provider_id)
    elif chosen == "delete":
        ask_first(_question(viewer, endpoint))


def _question(viewer: Viewer, endpoint: EndpointInfo) -> Question:
    _ = viewer.tr.text
    name = endpoint.label
    return Question(
        _("Delete the server"),
        _(
            "“{name}” and every key that was added for it go for good. Its past calls stay in Usage.",
            name=name,
        ),
        lambda: viewer.services.endpoints.delete(viewer.actor, endpoint.id),
        _("Deleted the server “{name}”. What it has cost stays in Usage.", name=name),
    )


def _show_dialog(viewer: Viewer) -> None:
    _ = viewer.tr.text
    about = take(Slot.ENDPOINT_DIALOG)
    if about is not None:
        endpoint = about if isinstance(about, EndpointInfo) else None
        st.dialog(_("Edit the server") if endpoint else _("Add a server"))(_form)(viewer, endpoint)


def _form(viewer: Viewer, endpoint: EndpointInfo | None) -> None:
    _ = viewer.tr.text
    name = endpoint.id if endpoint else "new"
    with st.form("endpoint-form", border=False):
        label = st.text_input(
            _("Name"),
            value=endpoint.label if endpoint else "",
            placeholder="Ollama",
            key=f"endpoint-label-{name}",
        )
        url = st.text_input(
            _("Base URL"),
            value=endpoint.base_url if endpoint else "",
            placeholder="http://127.0.0.1:11434/v1",
            key=f"endpoint-url-{name}",
        )
        key = ""
        if endpoint is None:
            key = st.text_input(
                _("API key"), type="password", key="endpoint-key", help=_("Most local servers need none.")
            )
        free = st.checkbox(
            _("Its calls are free"),
            value=endpoint.is_free if endpoint else True,
            key=f"endpoint-free-{name}",
            help=_("Off for a gateway to a paid service: its calls are then priced by your own prices."),
        )
        if not st.form_submit_button(_("Save"), type="primary", key="endpoint-save"):
            return
    try:
        _save(viewer, endpoint, label, url, key, free)
    except AppError as error:
        st.error(plain_text(error.text(viewer.tr.language)))
        return
    st.rerun()


def _save(viewer: Viewer, endpoint: EndpointInfo | None, label: str, url: str, key: str, free: bool) -> None:
    _ = viewer.tr.text
    services, me = viewer.services, viewer.actor
    if endpoint is not None:
        services.endpoints.update(me, endpoint.id, label=label, base_url=url, is_free=free)
        say(_("Saved."))
        return
    made = services.endpoints.add(me, label, url, free)
    if key.strip():
        try:
            services.keys.add(me, made.provider_id, made.label, key)
        except AppError:
            # All or nothing: a server without the key it was given would only fail later.
            services.endpoints.delete(me, made.id)
            raise
    tell_health(viewer, made.label, services.health.health_check(me.id, made.provider_id))
