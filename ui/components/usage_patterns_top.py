"""Where most of it goes: the threads, prompts, labels and users with the highest cost."""

from collections.abc import Sequence

import streamlit as st

from core.i18n import N_
from core.usage.explore.types import Dimension, Group
from ui.components.rankings import Bar, Rankings
from ui.components.usage_explore_names import value_names
from ui.components.usage_explore_state import drill
from ui.components.usage_measure import cost_text, in_order
from ui.components.usage_number_columns import amount_column, count_column
from ui.components.usage_rankings import clickable_ranking
from ui.components.usage_view import UsageView
from ui.door import Viewer
from ui.palette import BLUE
from ui.session import widget

_LISTS = {
    Dimension.THREAD: N_("Threads"),
    Dimension.PROMPT: N_("Prompts"),
    Dimension.CATEGORY: N_("Categories"),
    Dimension.LABEL: N_("Labels"),
    Dimension.USER: N_("Users"),
}
_CHOICE, _TABLE = "usage-top", "usage-table-top"


def top_section(viewer: Viewer, view: UsageView) -> None:
    """The ten of one kind, as bars and as a table whose rows open their calls."""
    _ = viewer.tr.text
    offered = [
        dimension.value
        for dimension in _LISTS
        if dimension is not Dimension.USER or view.selection.scope is None
    ]
    with st.container(horizontal=True, vertical_alignment="center", key="usage-top-head"):
        st.subheader(_("Highest cost"), anchor=False, width="stretch")
        chosen = st.segmented_control(
            _("Highest cost"),
            offered,
            default=offered[0],
            required=True,
            format_func=lambda name: _(_LISTS[Dimension(name)]),
            key=_CHOICE,
            label_visibility="collapsed",
            persist_state="session",
        )
    by = Dimension(chosen if chosen in offered else offered[0])
    groups = viewer.services.explore.top(view.selection, by, 10, view.currency)
    if not groups:
        st.caption(_("None of these calls has one."))
        return
    _list(viewer, view, by, groups)


def _list(viewer: Viewer, view: UsageView, by: Dimension, groups: Sequence[Group]) -> None:
    """The bars, and the table beside them."""
    _ = viewer.tr.text
    names = value_names(viewer, by, [group.value for group in groups])
    currency = _ranked_by(viewer, groups)
    bars = [
        Bar(
            names[group.value],
            BLUE[0],
            group.total.costs.get(currency, 0),
            cost_text(viewer, group.total),
        )
        for group in groups
    ]
    costs = [cost_text(viewer, group.total) for group in groups]
    counts = {
        _("Requests"): [group.total.requests for group in groups],
        _("Tokens"): [group.total.tokens for group in groups],
        _("Errors"): [group.total.errors for group in groups],
    }
    left, right = st.columns([2, 3], gap="large")
    rankings = Rankings()
    with left:
        clickable_ranking(
            rankings,
            [(bar, (group.value,)) for bar, group in zip(bars, groups, strict=True)],
            "usage-top-bars",
            _("Highest cost; the table beside has the same figures"),
            by,
            view.asked,
        )
    rankings.listen()
    with right:
        st.dataframe(
            {
                _(_LISTS[by]): [names[group.value] for group in groups],
                _("Cost"): costs,
                **counts,
            },
            hide_index=True,
            column_config={
                _("Cost"): amount_column(_("Cost"), costs),
                **{name: count_column(name, values) for name, values in counts.items()},
            },
            key=_TABLE,
            alt=_("Highest cost"),
            on_select="rerun",
            selection_mode="single-row",
        )
        _open_button(viewer, view, by, [(group.value, names[group.value]) for group in groups])


def _open_button(viewer: Viewer, view: UsageView, by: Dimension, rows: list[tuple[str, str]]) -> None:
    _ = viewer.tr.text
    state = widget(_TABLE)
    picked: list[int] = state["selection"]["rows"] if state else []
    if not picked or picked[0] >= len(rows):
        st.caption(_("Choose a row to see its calls."))
        return
    value, name = rows[picked[0]]
    st.button(
        _("Show the calls of {name}", name=name),
        key="usage-open-top",
        on_click=drill,
        args=("calls", None, None, ((by, (value,)),)),
        kwargs={"everyone": view.asked.everyone},
    )


def _ranked_by(viewer: Viewer, groups: Sequence[Group]) -> str:
    """The currency that the groups are ranked by: bars of another would not be in order."""
    names = in_order(viewer, {name for group in groups for name in group.total.costs})
    for name in names:
        costs = [group.total.costs.get(name, 0) for group in groups]
        if costs == sorted(costs, reverse=True):
            return name
    return names[0] if names else ""
