"""Patterns: when calls are made, how long they take, what an answer costs, and where most of it goes."""

from collections.abc import Sequence

import streamlit as st

from core.i18n import N_
from core.usage.explore.part_types import Part, Spread
from core.usage.explore.types import Dimension, HeatCell, Patterns, Where
from ui import format as fmt
from ui.charts_heat import heat_map
from ui.components.usage_filters import filters_in_words
from ui.components.usage_number_columns import count_column
from ui.components.usage_parts import days_of_week, hours_of_day, open_button, open_part
from ui.components.usage_patterns_spread import latency_section, length_section
from ui.components.usage_patterns_top import top_section
from ui.components.usage_plot import plot
from ui.components.usage_view import UsageView
from ui.door import Viewer
from ui.palette import BLUE, RUST
from ui.plain import escape
from ui.session import widget

_MEASURES = {"requests": N_("Requests"), "tokens": N_("Tokens"), "errors": N_("Errors")}
_MEASURE, _HEAT, _TABLE = "usage-heat-measure", "usage-heat", "usage-table-heat"


def draw(viewer: Viewer, view: UsageView) -> None:
    """The whole part; AppError when the ledger cannot answer."""
    _ = viewer.tr.text
    found = viewer.services.explore.patterns(view.selection)
    parts = [fmt.day_range(view.selection.start, view.selection.end, viewer.tr.language)]
    if filters := filters_in_words(viewer, view.asked):
        parts.append(filters)
    st.caption(escape(" · ".join(parts)))
    if not any(cell.requests for row in found.heat for cell in row):
        st.info(_("No calls here. Choose a longer range, or reset the filters in the sidebar."))
        return
    if found.slow:
        st.caption(_("No summary holds this combination of filters: it was read from the calls themselves."))
    _heat_section(viewer, view, found)
    latency_section(viewer, view, found)
    length_section(viewer, view, found)
    top_section(viewer, view)


def _heat_section(viewer: Viewer, view: UsageView, found: Patterns) -> None:
    _ = viewer.tr.text
    language = viewer.tr.language
    with st.container(horizontal=True, vertical_alignment="center", key="usage-heat-head"):
        st.subheader(_("Hours of the week"), anchor=False, width="stretch")
        st.segmented_control(
            _("Measure"),
            list(_MEASURES),
            default="requests",
            required=True,
            format_func=lambda name: _(_MEASURES[name]),
            key=_MEASURE,
            label_visibility="collapsed",
            persist_state="session",
        )
    measure = widget(_MEASURE) or "requests"
    days, hours = days_of_week(language), hours_of_day(language)
    cells = [[_value(cell, measure) for cell in row] for row in found.heat]
    if not any(value for row in cells for value in row):
        st.caption(_("Nothing to draw: these calls come to 0."))
    else:
        colour = RUST[0] if measure == "errors" else BLUE[0]
        failed: Where = ((Dimension.STATUS, ("failed",)),) if measure == "errors" else ()
        parts = [Part(Spread.HOUR, hour, hour + 1) for hour in range(len(days) * len(hours))]
        plot(
            heat_map(days, hours, cells, colour, lambda value: fmt.exact(value, language)),
            _HEAT,
            _("{measure} by weekday and hour, in the report time zone", measure=_(_MEASURES[measure])),
            open_part(_HEAT, parts, view.asked, failed),
        )
    st.caption(_("Hours in {zone}", zone=escape(viewer.services.ledger.zone.key)))
    with st.expander(_("Table by hour"), key="usage-heat-rows", on_change="rerun") as table:
        if table.open:
            _heat_table(viewer, days, hours, cells)
            _open_cell(viewer, view, days)


def _value(cell: HeatCell, measure: str) -> int:
    return {"requests": cell.requests, "tokens": cell.tokens, "errors": cell.errors}[measure]


def _heat_table(
    viewer: Viewer, days: Sequence[str], hours: Sequence[str], cells: Sequence[Sequence[int]]
) -> None:
    _ = viewer.tr.text
    columns = {day: list(row) for day, row in zip(days, cells, strict=True)}
    st.dataframe(
        {_("Hour"): list(hours), **columns},
        hide_index=True,
        column_config={day: count_column(day, values) for day, values in columns.items()},
        key=_TABLE,
        alt=_("Hours of the week"),
        on_select="rerun",
        selection_mode="single-cell",
    )


def _open_cell(viewer: Viewer, view: UsageView, days: Sequence[str]) -> None:
    """Below the table: a button that opens the calls of the hour that was chosen."""
    _ = viewer.tr.text
    state = widget(_TABLE)
    chosen = [(row, name) for row, name in (state["selection"]["cells"] if state else []) if name in days]
    if not chosen:
        st.caption(_("Choose an hour to see its calls, here or in the chart."))
        return
    hour = days.index(chosen[0][1]) * 24 + chosen[0][0]
    open_button(viewer, "usage-open-hour", Part(Spread.HOUR, hour, hour + 1), view.asked)
