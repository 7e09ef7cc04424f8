"""Figures as plain dicts (2 ms each, where Plotly's express functions take 30). Colours of text and grid are left to
Streamlit's own Plotly theme, so they follow light and dark; every number is written by `ui.format`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

from ui import format as fmt

Figure = dict[str, Any]
DAILY_HEIGHT = 280
AXIS: Figure = {"title": {"text": "", "standoff": 0}, "fixedrange": True}
CATEGORIES: Figure = {
    **AXIS,
    "type": "category",
    "showticklabels": False,
    "showgrid": False,
    "showspikes": False,
}
GRID = "rgba(128, 136, 146, 0.22)"
# So many labels fit under a chart on a phone.
_TICKS = 5
# The width of a digit of an axis, and a little more.
_CHARACTER = 7.4


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the axis below a chart: `title` heads its hover box and is like no other, `tick` stands below."""

    title: str
    tick: str


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a stacked chart: a whole number for each place; 0 is a place without."""

    name: str
    colour: str
    values: Sequence[int]


def period_bars(
    places: Sequence[Place],
    series: Sequence[Series],
    exact: Callable[[int], str],
    short: Callable[[int], str],
    language: str,
) -> Figure:
    """Stacked bars. `exact` and `short` write a value (tokens, or nano-units) for the hover box and for the axis.

    The hover box is that of the part of a bar under the pointer, which is the part that a click selects.
    """
    totals = [sum(values) for values in zip(*(each.values for each in series), strict=True)]
    # The place is the category and heads the hover box; so it is written in full, with the total of its bar.
    categories = [
        f"{escape(place.title)} · <b>{exact(total)}</b>" for place, total in zip(places, totals, strict=True)
    ]
    return {
        "data": [_stack(each, categories, totals, exact, language) for each in series],
        "layout": {
            **layout(DAILY_HEIGHT, below=24, beside=label_room(max(totals, default=0), short)),
            "annotations": ticks(categories, places),
            "barmode": "stack",
            "bargap": _gap(len(places)),
            "hovermode": "closest",
            "clickmode": "event+select",
            "hoverlabel": {"align": "left", "namelength": -1},
            "xaxis": CATEGORIES,
            "yaxis": value_axis(max(totals, default=0), short),
        },
    }


def axis_ticks(highest: int) -> list[int]:
    """Round values from 0 to at least `highest`, four to six of them."""
    if highest <= 0:
        return [0, 1]
    rough = max(highest / 4, 1)
    power = 10 ** (len(str(int(rough))) - 1)
    # 2.5 of a power of ten is whole from 10 up.
    step = next(
        int(power * nice) for nice in (1, 2, 2.5, 5, 10) if power * nice >= rough and power * nice % 1 == 0
    )
    return list(range(0, highest + step, step))


def _stack(
    series: Series, categories: list[str], totals: list[int], exact: Callable[[int], str], language: str
) -> Figure:
    details = [
        f"{exact(value)} · {_share(1000 * value // total, language)}" if value else None
        for value, total in zip(series.values, totals, strict=True)
    ]
    return {
        "type": "bar",
        "name": escape(series.name),
        "x": categories,
        # A quiet part has no hover box.
        "y": [value or None for value in series.values],
        "customdata": details,
        "hovertemplate": "%{x}<br>%{fullData.name}  <b>%{customdata}</b><extra></extra>"
        if series.name
        else "%{x}<extra></extra>",
        "marker": {"color": series.colour, "line": {"width": 0}},
        "unselected": {"marker": {"opacity": 0.45}},
    }


def value_axis(highest: int, short: Callable[[int], str]) -> Figure:
    """The axis of values, from 0 up."""
    grid = axis_ticks(highest)
    return {
        **AXIS,
        "tickvals": grid,
        "ticktext": [short(value) for value in grid],
        "range": [0, grid[-1]],
        "gridcolor": GRID,
        "zeroline": False,
    }


def label_room(highest: int, short: Callable[[int], str]) -> int:
    """Room for the labels of that axis, in pixels. Plotly would draw a chart twice to find out how much it is."""
    return round(8 + _CHARACTER * max(len(short(value)) for value in axis_ticks(highest)))


def ticks(categories: Sequence[str], places: Sequence[Place]) -> list[Figure]:
    """Notes instead of tick labels: a tick's short label would head the hover box of its place."""
    return [_tick(categories[place], places[place].tick) for place in _spread(len(places))]


def layout(height: int, below: int = 0, beside: int = 0) -> Figure:
    """What all figures share; `below` and `beside`: room for ticks, in pixels."""
    return {
        "height": height,
        "margin": {"l": beside, "r": 0, "t": 8, "b": below, "pad": 0},
        "showlegend": False,
        "dragmode": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }


def note(text: str, row: int, x: int, anchor: str) -> Figure:
    place = {
        "xref": "paper",
        "x": x,
        "xanchor": anchor,
        "yref": "y",
        "y": row,
        "yanchor": "bottom",
        "yshift": 5,
    }
    return {**place, "text": escape(text), "showarrow": False, "font": {"size": 13}, "borderpad": 0}


def _gap(bars: int) -> float:
    """The share of a bar's place left empty: few make slim bars, not slabs; many need every pixel."""
    return 0.15 if bars > 45 else max(0.35, 1 - 0.12 * bars)


def _spread(length: int) -> list[int]:
    """A few places out of `length`, evenly apart and away from the edges, where a label would be cut."""
    step = max(1, -(-length // _TICKS))
    return list(range((step - 1) // 2, length, step))


@lru_cache(maxsize=1001)
def _share(permille: int, language: str) -> str:
    return fmt.percent(permille / 1000, language) if permille else "<" + fmt.percent(0.001, language)


def _tick(category: str, text: str) -> Figure:
    place = {"xref": "x", "x": category, "yref": "paper", "y": 0, "yanchor": "top", "yshift": -3}
    return {**place, "text": escape(text), "showarrow": False, "font": {"size": 12}, "borderpad": 0}
