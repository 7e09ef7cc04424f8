"""The prices of the past that were corrected, and the way to correct more."""

from collections.abc import Mapping

import streamlit as st

from core.usage.recost_rows import RecostInfo
from ui import format as fmt
from ui.components.usage_explore_names import user_name, user_names
from ui.components.usage_measure import money_text, provider_name
from ui.door import Viewer
from ui.navigation import MODELS_PAGE
from ui.plain import escape


def recost_part(viewer: Viewer) -> None:
    """What was priced anew, by whom, why, and what difference it made."""
    _ = viewer.tr.text
    with st.container(horizontal=True, vertical_alignment="center", key="usage-admin-recost-head"):
        st.subheader(_("Prices of the past"), anchor=False, width="stretch")
        if st.button(_("Price past calls anew"), key="usage-admin-recost"):
            st.switch_page(MODELS_PAGE, query_params={"section": "prices"})
    history = viewer.services.recost.history(viewer.account)
    if not history:
        st.caption(_("No call was priced anew yet. After a price was corrected, the past can be, too."))
        return
    names = user_names(viewer)
    rows = [_row(viewer, names, entry) for entry in history]
    with st.container(key="usage-table-recosts"):
        st.table(
            {name: [row[name] for row in rows] for name in rows[0]}, border="horizontal", hide_index=True
        )


def _row(viewer: Viewer, names: Mapping[int, str], entry: RecostInfo) -> dict[str, str]:
    _, language = viewer.tr.text, viewer.tr.language
    what = " · ".join(
        part
        for part in (provider_name(viewer, entry.provider) if entry.provider else "", entry.model)
        if part
    )
    texts = {
        _("When"): fmt.moment(entry.created_at, viewer.zone, language),
        _("Who"): user_name(viewer, names, entry.created_by),
        _("Range"): fmt.day_range(entry.start, entry.end, language),
        _("Of"): what or _("all models"),
        _("Calls"): fmt.exact(entry.calls, language),
        _("Before"): money_text(viewer, entry.before),
        _("Difference"): _signed(viewer, entry.difference),
        _("Reason"): entry.reason or "—",
    }
    return {name: escape(text) for name, text in texts.items()}


def _signed(viewer: Viewer, difference: Mapping[str, int]) -> str:
    parts = [
        f"{'+' if nano > 0 else ''}{fmt.money(nano, currency, viewer.tr.language)}"
        for currency, nano in difference.items()
    ]
    return " · ".join(parts) or "—"
