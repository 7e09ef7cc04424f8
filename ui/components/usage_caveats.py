"""What must be known about the figures: calls that are left out of one, and figures that are not exact."""

import streamlit as st

from core.usage.explore.types import Dimension, Exploration
from ui import format as fmt
from ui.components.usage_explore_names import model_of
from ui.components.usage_measure import model_name
from ui.door import Viewer
from ui.plain import escape


def caveats(viewer: Viewer, found: Exploration) -> None:
    """Badges for calls without a price, with counted tokens, with figures that cannot be, or converted costs."""
    _, ngettext = viewer.tr.text, viewer.tr.plural
    total, language = found.total, viewer.tr.language
    if not any((total.unpriced, total.estimated, total.flagged, found.converted, found.unconverted)):
        return
    with st.container(horizontal=True, key="usage-caveats", gap="small"):
        if total.unpriced:
            st.badge(
                ngettext(
                    "{number} unpriced call",
                    "{number} unpriced calls",
                    total.unpriced,
                    number=fmt.exact(total.unpriced, language),
                ),
                color="gray",
                help=_(
                    "No price is known for {models}: these calls count in tokens and are left out of the cost. "
                    "Set an own price for them on the Models page, then price past calls anew there.",
                    models=_unpriced_models(viewer, found),
                ),
            )
        if total.estimated:
            st.badge(
                ngettext(
                    "{number} call with estimated tokens",
                    "{number} calls with estimated tokens",
                    total.estimated,
                    number=fmt.exact(total.estimated, language),
                ),
                color="gray",
                help=_(
                    "The provider did not report all tokens of these calls, so AIHub counted them itself."
                ),
            )
        if total.flagged:
            st.badge(
                ngettext(
                    "{number} flagged call",
                    "{number} flagged calls",
                    total.flagged,
                    number=fmt.exact(total.flagged, language),
                ),
                color="orange",
                help=_(
                    "The provider reported figures that cannot be: AIHub counted these calls itself. "
                    "What was reported stands with each call."
                ),
            )
        _conversions(viewer, found)


def _conversions(viewer: Viewer, found: Exploration) -> None:
    _ = viewer.tr.text
    if found.converted:
        st.badge(
            _("converted"),
            color="gray",
            help=_(
                "Costs in other currencies were converted at the rate of each day, so they are not exact."
            ),
        )
    if found.unconverted:
        names = ", ".join(sorted(found.unconverted))
        st.badge(
            _("no rate for {currencies}", currencies=names),
            color="orange",
            help=_(
                "Add a rate on the Models page to have these costs in the sum; until then they stand beside it."
            ),
        )


def _unpriced_models(viewer: Viewer, found: Exploration) -> str:
    """The models without a price, by name; without names when calls are not grouped by model."""
    _ = viewer.tr.text
    if found.by is not Dimension.MODEL:
        return _("some models")
    names = [
        escape(model_name(viewer, *model_of(group.value))) for group in found.groups if group.total.unpriced
    ]
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
