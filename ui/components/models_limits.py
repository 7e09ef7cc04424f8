"""Limits and health: how much may be asked of each provider a minute, and how it is doing."""

import streamlit as st

from core.errors import AppError
from core.generation.limits import Limits
from core.models.types import Health
from core.providers.types import ProviderInfo
from ui import format as fmt
from ui.components.models_connection import tell_health
from ui.components.models_links import open_section
from ui.components.models_number import optional_number
from ui.components.notices import say
from ui.door import Viewer
from ui.plain import escape, plain_text

DEMO = "demo"


def draw(viewer: Viewer) -> None:
    """The whole part."""
    _ = viewer.tr.text
    st.title(_("Limits and health"), anchor=False)
    st.caption(
        _(
            "A limit is counted for each key. Calls beyond it wait their turn, and the chat says what they wait for. "
            "Leave a field empty for no limit."
        )
    )
    health = {entry.provider: entry for entry in viewer.services.health.overview(viewer.account.id)}
    limits = viewer.services.limits.all()
    infos = [info for info in viewer.services.registry.infos(viewer.account.id) if info.id != DEMO]
    if not infos:
        with st.container(key="models-empty", border=True):
            st.markdown(_("No provider is connected yet, so there is nothing to limit or to check."))
            st.button(_("Add a key"), key="limits-to-keys", on_click=open_section, args=("keys",))
    for info in infos:
        _card(viewer, info, health.get(info.id), limits.get(info.id) or Limits(None, None, None))


def _card(viewer: Viewer, info: ProviderInfo, health: Health | None, limits: Limits) -> None:
    _ = viewer.tr.text
    with st.container(key=f"limits-{info.id}", border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{escape(info.label)}**", width="content")
            _badge(viewer, health)
            st.space("stretch")
            st.button(
                _("Check now"),
                key=f"health-check-{info.id}",
                type="tertiary",
                on_click=_check,
                args=(viewer, info),
            )
        facts = _facts(viewer, health)
        if facts:
            st.caption(facts)
        if health is not None and health.error is not None:
            st.markdown(f":small[:red[{escape(health.error.text(viewer.tr.language))}]]")
        with st.form(f"limits-form-{info.id}", border=False):
            columns = st.columns([2, 2, 2, 1], vertical_alignment="bottom")
            fields = (
                ("requests", _("Requests a minute"), limits.requests_per_minute),
                ("tokens", _("Tokens a minute"), limits.tokens_per_minute),
                ("streams", _("Answers at once"), limits.concurrent_streams),
            )
            values: list[int | None] = []
            for column, (name, label, value) in zip(columns, fields, strict=False):
                with column:
                    values.append(
                        optional_number(
                            label,
                            value,
                            key=f"limits-{name}-{info.id}",
                            min_value=1,
                            step=1,
                            placeholder=_("no limit"),
                        )
                    )
            saved = columns[3].form_submit_button(_("Save"), key=f"limits-save-{info.id}")
        if saved:
            _save(viewer, info, Limits(*values))


def _badge(viewer: Viewer, health: Health | None) -> None:
    _ = viewer.tr.text
    if health is not None and health.breaker.open:
        st.badge(
            _("resting"),
            color="orange",
            help=_("It failed several times in a row and is left alone for a moment."),
        )
    elif health is None or health.ok is None:
        st.badge(_("not checked yet"), color="gray")
    elif health.ok:
        st.badge(_("works"), color="green")
    else:
        st.badge(_("fails"), color="red")


def _facts(viewer: Viewer, health: Health | None) -> str:
    _, language = viewer.tr.text, viewer.tr.language
    if health is None:
        return ""
    facts: list[str] = []
    if health.checked_at is not None:
        facts.append(_("checked {moment}", moment=fmt.moment(health.checked_at, viewer.zone, language)))
    if health.latency_ms is not None:
        facts.append(_("answered in {time}", time=fmt.duration(health.latency_ms, language)))
    if health.breaker.open and health.breaker.until is not None:
        facts.append(
            _("asked again {moment}", moment=fmt.moment(health.breaker.until, viewer.zone, language))
        )
    return escape(" · ".join(facts))


def _check(viewer: Viewer, info: ProviderInfo) -> None:
    tell_health(viewer, info.label, viewer.services.health.health_check(viewer.account.id, info.id))


def _save(viewer: Viewer, info: ProviderInfo, limits: Limits) -> None:
    _ = viewer.tr.text
    try:
        viewer.services.limits.set(viewer.actor, info.id, limits)
    except AppError as error:
        st.error(plain_text(error.text(viewer.tr.language)))
        return
    say(_("Saved."))
    st.rerun()
