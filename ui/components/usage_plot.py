"""Puts a figure of `ui.charts` on the page, as quickly as Streamlit can take it."""

from functools import lru_cache
from typing import Any

import streamlit as st

from ui.charts import Figure

_CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def plot(figure: Figure, key: str, alt: str) -> None:
    """Draw a figure. `alt` is read out to who cannot see it."""
    st.plotly_chart(_ready(figure), config=_CONFIG, key=key, alt=alt)


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
