"""Bars and cells of Patterns lead to their calls: by a click, or from a row of the table behind them."""

from collections.abc import Callable, Sequence
from datetime import date, time, timedelta

import streamlit as st
from babel.dates import format_skeleton, format_time

from core.i18n import N_
from core.usage.explore.part_types import Part, Spread
from core.usage.explore.types import Where
from ui import format as fmt
from ui.components.usage_asked import CALLS, Asked
from ui.components.usage_explore_state import change, drill
from ui.components.usage_plot import clicked
from ui.door import Viewer
from ui.plain import escape
from ui.session import widget

# Any Monday.
_MONDAY = date(2024, 1, 1)
_NAMES = {
    Spread.LATENCY: N_("Latency"),
    Spread.FIRST: N_("Time to the first token"),
    Spread.LENGTH: N_("Output tokens"),
}


def days_of_week(language: str) -> list[str]:
    """Monday to Sunday, short."""
    return [format_skeleton("EEE", _MONDAY + timedelta(day), locale=language) for day in range(7)]


def hours_of_day(language: str) -> list[str]:
    """Midnight to eleven in the evening, as clocks show them."""
    return [format_time(time(hour), "short", locale=language) for hour in range(24)]


def span_of(part: Part, language: str) -> str:
    """From where to where a bar goes, or which hour a cell is."""
    if part.of is Spread.HOUR:
        day, hour = divmod(part.low, 24)
        return f"{days_of_week(language)[day]}, {hours_of_day(language)[hour]}"
    if part.of is Spread.LENGTH:
        low, high = fmt.exact(part.low, language), fmt.exact(part.high - 1, language)
        return low if low == high else f"{low} – {high}"
    return f"{fmt.duration(part.low, language)} – {fmt.duration(part.high, language)}"


def part_in_words(viewer: Viewer, part: Part) -> str:
    """What a bar or a cell stands for, in one line."""
    span = span_of(part, viewer.tr.language)
    return f"{viewer.tr.text(_NAMES[part.of])}: {span}" if part.of in _NAMES else span


def open_part(key: str, parts: Sequence[Part], asked: Asked, where: Where = ()) -> Callable[[], None]:
    """Opens the calls of the bar of chart `key` that was clicked: for callbacks."""

    def opened() -> None:
        point = clicked(key)
        if point is not None and point.place < len(parts):
            drill(CALLS, where=where, everyone=asked.everyone, part=parts[point.place])

    return opened


def open_row(viewer: Viewer, table: str, parts: Sequence[Part], asked: Asked) -> None:
    """Below a table: a button that opens the calls of the row that was chosen."""
    _ = viewer.tr.text
    state = widget(table)
    rows: list[int] = state["selection"]["rows"] if state else []
    if not rows or rows[0] >= len(parts):
        st.caption(_("Choose a row to see its calls, or click a bar of the chart."))
        return
    open_button(viewer, f"{table}-open", parts[rows[0]], asked)


def open_button(viewer: Viewer, key: str, part: Part, asked: Asked) -> None:
    """Opens the calls of a bar or a cell."""
    _ = viewer.tr.text
    st.button(
        _("Show the calls of {name}", name=escape(part_in_words(viewer, part))),
        key=key,
        on_click=drill,
        args=(CALLS,),
        kwargs={"everyone": asked.everyone, "part": part},
    )


def part_button(viewer: Viewer, part: Part) -> None:
    """Says that only the calls of a bar are shown, and shows the others, too."""
    _ = viewer.tr.text
    st.button(
        f"{escape(part_in_words(viewer, part))} ×",
        key="usage-part",
        help=_("Only these calls are shown. Click to show the others, too."),
        on_click=change,
        kwargs={"part": None},
    )
