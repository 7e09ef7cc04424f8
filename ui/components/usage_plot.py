"""Puts a figure of `ui.charts` on the page, as quickly as Streamlit can take it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import streamlit as st

from ui.charts import Figure
from ui.session import widget

_CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


@dataclass(frozen=True, slots=True)
class Point:
    """What was clicked: the number of the series, and of the place on the axis."""

    series: int
    place: int


def plot(figure: Figure, key: str, alt: str, on_click: Callable[[], None] | None = None) -> None:
    """Draw a figure. `alt` is read out to who cannot see it. `on_click` runs before the page is drawn anew, and
    asks `clicked` for what was clicked."""
    chart = _ready(figure)
    if on_click is None:
        st.plotly_chart(chart, config=_CONFIG, key=key, alt=alt)
    else:
        st.plotly_chart(chart, config=_CONFIG, key=key, alt=alt, on_select=on_click, selection_mode="points")


def legend(entries: Sequence[tuple[str, str]]) -> None:
    """Names with their colours; our own, because Plotly's takes the chart's height away on a phone."""
    if len(entries) > 1:
        drawn = (
            f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for name, colour in entries
        )
        st.html(f'<div class="usage-legend">{"".join(drawn)}</div>')


def clicked(key: str) -> Point | None:
    """What was clicked in the chart `key`; None when a click only took the choice back."""
    state = widget(key)
    points = state["selection"]["points"] if state else []
    if not points:
        return None
    return Point(int(points[0].get("curve_number", 0)), int(points[0].get("point_index", 0)))


def _ready(figure: Figure) -> Any:
    """`figure` as an object that st.plotly_chart takes as it is.

    It would check every value of a dict anew at each rerun, which took 40 of the page's 70 ms; the
    tests check these figures instead.
    """
    return _ready_class()({**figure, "layout": {"template": _template(), **figure["layout"]}})


@lru_cache
def _ready_class() -> Any:
    from plotly.basedatatypes import BaseFigure

    class Ready(BaseFigure):
        def __init__(self, figure: Figure) -> None:
            self._figure = figure

        def to_dict(self) -> Figure:
            return self._figure

    return Ready


@lru_cache
def _template() -> Figure:
    """Streamlit's template: the browser finds its placeholders and puts the theme's colours there."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401 - registers the template

    return go.Figure().to_plotly_json()["layout"]["template"]
