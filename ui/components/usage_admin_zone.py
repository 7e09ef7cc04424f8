"""In whose calendar days usage is counted, and how to change that."""

import streamlit as st

from core.usage.zone import zone_names
from ui.components.usage_admin_ledger import begin
from ui.door import Viewer
from ui.plain import escape
from ui.session import widget

_KEY = "usage-admin-zone"


def zone_part(viewer: Viewer) -> None:
    """The zone, a search for another, and what a change does."""
    _, services = viewer.tr.text, viewer.services
    current = services.upkeep.health(viewer.account).timezone
    progress = services.upkeep.progress(viewer.account)
    busy = progress is not None and progress.running
    st.subheader(_("Report time zone"), anchor=False)
    st.caption(
        _(
            "A day of usage, of a budget and of a forecast begins at midnight in {zone}. Another zone moves calls near "
            "midnight to the day before or after; what they add up to stays. All figures are rebuilt for it, and calls "
            "that end meanwhile are recorded right after.",
            zone=escape(current),
        )
    )
    names = list(zone_names())
    if current not in names:
        names.insert(0, current)
    with st.container(horizontal=True, vertical_alignment="bottom", key="usage-admin-zones"):
        chosen = st.selectbox(
            _("Time zone"),
            names,
            index=names.index(current),
            key=_KEY,
            disabled=busy,
            placeholder=_("A city"),
        )
        st.button(
            _("Change the time zone"),
            key="usage-admin-change-zone",
            disabled=busy or chosen in (None, current),
            on_click=begin,
            args=(viewer, lambda: services.upkeep.change_zone(viewer.actor, str(widget(_KEY)))),
        )
    st.caption(
        _(
            "AIHUB_TIMEZONE is where a new ledger begins. After a choice here it counts again only when it is changed."
        )
    )
