"""What went wrong, by kind; drawn only when something did."""

from collections.abc import Sequence

import streamlit as st

from core.usage.explore.types import Dimension, Exploration
from ui import format as fmt
from ui.components.rankings import Bar, Rankings
from ui.components.usage_asked import Asked
from ui.components.usage_explore_names import error_name
from ui.components.usage_explore_state import drill
from ui.components.usage_number_columns import count_column
from ui.components.usage_rankings import clickable_ranking
from ui.door import Viewer
from ui.palette import RUST

_KEY = "usage-errors"
_MOST = 8


def errors_section(viewer: Viewer, asked: Asked, found: Exploration, rankings: Rankings) -> None:
    """The kinds of errors, the most frequent first."""
    _ = viewer.tr.text
    st.subheader(_("Errors by kind"), anchor=False)
    if not found.errors:
        st.caption(_("No call of these failed."))
        return
    kinds = sorted(found.errors.items(), key=lambda each: (-each[1], each[0]))
    whole = sum(found.errors.values())
    bars = [
        (Bar(error_name(viewer, kind), RUST[0], count, _amount(viewer, count, whole)), (kind,))
        for kind, count in kinds[:_MOST]
    ]
    clickable_ranking(
        rankings,
        bars,
        _KEY,
        _("Errors by kind"),
        Dimension.ERROR,
        asked,
        ((Dimension.STATUS, ("failed",)),),
    )
    with st.expander(_("Table by kind"), key="usage-errors-rows", on_change="rerun") as table:
        if table.open:
            _table(viewer, kinds)
    st.button(
        _("Show the failed calls"),
        key="usage-open-errors",
        type="tertiary",
        on_click=drill,
        args=("calls", None, None, ((Dimension.STATUS, ("failed",)),)),
        kwargs={"everyone": asked.everyone},
    )


def _table(viewer: Viewer, kinds: Sequence[tuple[str, int]]) -> None:
    _ = viewer.tr.text
    counts = [count for _kind, count in kinds]
    st.dataframe(
        {_("Error"): [error_name(viewer, kind) for kind, _count in kinds], _("Errors"): counts},
        hide_index=True,
        column_config={_("Errors"): count_column(_("Errors"), counts)},
        key="usage-table-errors",
        alt=_("Errors by kind"),
    )


def _amount(viewer: Viewer, value: int, whole: int) -> str:
    language = viewer.tr.language
    return f"{fmt.exact(value, language)} · {fmt.percent(value / whole, language)}"
