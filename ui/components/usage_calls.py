"""Calls: the calls that the filters leave, the newest first, and what is known of one of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.usage.explore.part_types import Part
from core.usage.explore.types import CallRow, Selection
from ui import format as fmt
from ui.components.usage_asked import Asked
from ui.components.usage_calls_details import call_details
from ui.components.usage_explore_names import (
    error_name,
    source_name,
    status_name,
    user_name,
    user_names,
)
from ui.components.usage_explore_state import go_back
from ui.components.usage_filters import filters_in_words
from ui.components.usage_measure import model_name
from ui.components.usage_number_columns import amount_column, count_column
from ui.components.usage_parts import part_button
from ui.components.usage_view import UsageView
from ui.door import Viewer
from ui.plain import escape
from ui.session import Slot, recall, remember, widget

_TABLE = "usage-table-calls"
_MOST_ROWS, _TALLEST = 12, 456


@dataclass(frozen=True, slots=True)
class _Pages:
    """The cursors of the pages up to the one that is shown, of one selection."""

    selection: Selection
    part: Part | None
    cursors: tuple[str | None, ...] = (None,)


def draw(viewer: Viewer, view: UsageView) -> None:
    """The whole part; AppError when the ledger cannot answer."""
    _ = viewer.tr.text
    pages, part = recall(Slot.USAGE_PAGES), view.asked.part
    if not isinstance(pages, _Pages) or (pages.selection, pages.part) != (view.selection, part):
        pages = _Pages(view.selection, part)
        remember(Slot.USAGE_PAGES, pages)
    page = viewer.services.explore.calls(view.selection, pages.cursors[-1], part=part)
    _heading(viewer, view)
    if not page.calls:
        st.info(_("No calls here. Choose a longer range, or reset the filters in the sidebar."))
        return
    key = f"{_TABLE}-{len(pages.cursors)}"
    _table(viewer, page.calls, key, everyone=view.selection.scope is None)
    _pager(viewer, pages, page.older)
    chosen = _chosen(key, len(page.calls))
    if chosen is None:
        st.caption(_("Choose a row to see everything that is known of the call."))
    else:
        call_details(viewer, page.calls[chosen])


def _heading(viewer: Viewer, view: UsageView) -> None:
    _ = viewer.tr.text
    days = fmt.day_range(view.selection.start, view.selection.end, viewer.tr.language)
    parts = [days, _("newest first")]
    if viewer.zone.key != viewer.services.ledger.zone.key:
        # A day of the report may end in the middle of one of the browser's.
        parts.append(_("times in {zone}", zone=viewer.zone.key))
    if filters := filters_in_words(viewer, view.asked):
        parts.append(filters)
    with st.container(horizontal=True, vertical_alignment="center", key="usage-calls-head"):
        if isinstance(recall(Slot.USAGE_BACK), Asked):
            st.button(_("Back to the charts"), key="usage-back", on_click=go_back)
        if view.asked.part is not None:
            part_button(viewer, view.asked.part)
        st.caption(escape(" · ".join(parts)), width="stretch")


def _table(viewer: Viewer, calls: Sequence[CallRow], key: str, everyone: bool) -> None:
    _ = viewer.tr.text
    language = viewer.tr.language
    columns: dict[str, list[Any]] = {_("Time"): [call.occurred_at for call in calls]}
    if everyone:
        names = user_names(viewer)
        columns[_("User")] = [user_name(viewer, names, call.user_id) for call in calls]
    columns |= {
        _("Model"): [model_name(viewer, call.provider, call.model) for call in calls],
        _("Source"): [source_name(viewer, call.source) for call in calls],
        _("Status"): [_status(viewer, call) for call in calls],
        _("Input"): [call.input_tokens for call in calls],
        _("Output"): [call.output_tokens for call in calls],
        _("Cost"): [cost_of(viewer, call) for call in calls],
        _("Latency"): [duration(viewer, call.latency_ms) for call in calls],
        _("First token"): [duration(viewer, call.first_token_ms) for call in calls],
    }
    if any(call.requests > 1 for call in calls):
        columns[_("Requests")] = [call.requests for call in calls]
    if any(call.tags for call in calls):
        columns[_("Tags")] = [tags_of(call) for call in calls]
    column = st.column_config
    right = {name: amount_column(name, columns[name]) for name in (_("Cost"), _("Latency"), _("First token"))}
    counts = {
        name: count_column(name, columns[name])
        for name in (_("Input"), _("Output"), _("Requests"))
        if name in columns
    }
    st.dataframe(
        columns,
        hide_index=True,
        placeholder="—",
        height="auto" if len(calls) <= _MOST_ROWS else _TALLEST,
        column_config={
            _("Time"): column.DatetimeColumn(
                format="DD.MM.YYYY HH:mm:ss" if language == "ru" else "MMM D, YYYY HH:mm:ss",
                timezone=viewer.zone.key,
                width=165,
            ),
            **counts,
            **right,
        },
        key=key,
        alt=_("Calls"),
        on_select="rerun",
        selection_mode="single-row",
    )


def cost_of(viewer: Viewer, call: CallRow) -> str:
    """What a call cost; "unpriced" when nobody knows."""
    _ = viewer.tr.text
    if call.cost is None:
        return _("unpriced")
    return fmt.money(call.cost.nano, call.cost.currency, viewer.tr.language)


def duration(viewer: Viewer, milliseconds: int | None) -> str | None:
    """How long something took; None when it was not timed."""
    return None if milliseconds is None else fmt.duration(milliseconds, viewer.tr.language)


def tags_of(call: CallRow) -> str:
    """The tags of a call in one line."""
    return ", ".join(value for _kind, value in call.tags)


def _status(viewer: Viewer, call: CallRow) -> str:
    status = status_name(viewer, call.status)
    return f"{status}: {error_name(viewer, call.error_kind)}" if call.error_kind else status


def _pager(viewer: Viewer, pages: _Pages, older: str | None) -> None:
    _ = viewer.tr.text
    if older is None and len(pages.cursors) == 1:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="usage-calls-pager"):
        st.button(
            _("Newer"),
            key="usage-newer",
            disabled=len(pages.cursors) == 1,
            on_click=remember,
            args=(Slot.USAGE_PAGES, replace(pages, cursors=pages.cursors[:-1])),
        )
        st.button(
            _("Older"),
            key="usage-older",
            disabled=older is None,
            on_click=remember,
            args=(Slot.USAGE_PAGES, replace(pages, cursors=(*pages.cursors, older))),
        )
        st.caption(_("Page {number}, up to 100 calls each", number=len(pages.cursors)))


def _chosen(key: str, rows: int) -> int | None:
    state = widget(key)
    picked: list[int] = state["selection"]["rows"] if state else []
    return picked[0] if picked and picked[0] < rows else None
