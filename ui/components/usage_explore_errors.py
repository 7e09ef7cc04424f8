"""What went wrong, by kind; drawn only when something did."""

from dataclasses import replace

import streamlit as st

from core.usage.explore.types import Dimension, Exploration, Selection
from ui import format as fmt
from ui.charts import Bar
from ui.components.usage_explore_names import error_name
from ui.components.usage_explore_state import drill
from ui.components.usage_rankings import clickable_ranking
from ui.components.usage_view import UsageView
from ui.door import Viewer
from ui.palette import RUST

_KEY = "usage-errors"
_MOST, _FEW = 8, 3_000
_STATUS = Dimension.STATUS


def errors_section(viewer: Viewer, view: UsageView, found: Exploration) -> None:
    """The kinds of errors, the most frequent first."""
    _ = viewer.tr.text
    st.subheader(_("Errors by kind"), anchor=False)
    if not found.total.errors:
        st.caption(_("No call of these failed."))
        return
    kinds = [
        group
        for group in viewer.services.explore.top(_failed(view.selection, found), Dimension.ERROR, limit=50)
        if group.total.errors
    ]
    kinds = sorted(kinds, key=lambda group: -group.total.errors)[:_MOST]
    whole = sum(group.total.errors for group in kinds)
    bars = [
        Bar(
            error_name(viewer, group.value),
            RUST[0],
            group.total.errors,
            _amount(viewer, group.total.errors, whole),
        )
        for group in kinds
    ]
    alt = _("Errors by kind: {list}", list="; ".join(f"{bar.name} {bar.label}" for bar in bars))
    values = [(group.value,) for group in kinds]
    clickable_ranking(
        list(zip(bars, values, strict=True)),
        _KEY,
        alt,
        Dimension.ERROR,
        view.asked,
        ((Dimension.STATUS, ("failed",)),),
    )
    st.button(
        _("Show the failed calls"),
        key="usage-open-errors",
        type="tertiary",
        on_click=drill,
        args=("calls", None, None, ((Dimension.STATUS, ("failed",)),)),
        kwargs={"everyone": view.asked.everyone},
    )


def _failed(selection: Selection, found: Exploration) -> Selection:
    """The calls to look for errors in: a few failed ones are found by their index sooner than all are added up."""
    if found.total.errors > _FEW:
        return selection
    others = tuple((dimension, values) for dimension, values in selection.where if dimension is not _STATUS)
    return replace(selection, where=(*others, (_STATUS, ("failed",))))


def _amount(viewer: Viewer, value: int, whole: int) -> str:
    language = viewer.tr.language
    return f"{fmt.exact(value, language)} · {fmt.percent(value / whole, language)}"
