"""Figures as plain dicts (2 ms each, where Plotly's express functions take 30). Colours of text and grid are left to
Streamlit's own Plotly theme, so they follow light and dark; every number is written by `ui.format`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from html import escape
from typing import Any

from babel.dates import format_skeleton

from ui import format as fmt

Figure = dict[str, Any]
DAILY_HEIGHT = 280
_ROW_HEIGHT = 38
_AXIS: Figure = {"title": {"text": "", "standoff": 0}, "fixedrange": True}
_GRID = "rgba(128, 136, 146, 0.22)"
# So many days fit under a chart on a phone.
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a stacked chart: a whole number for each day; 0 is a day without."""

    name: str
    colour: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a ranking. `label` stands at its end."""

    name: str
    colour: str
    value: int
    label: str


def daily_bars(
    days: Sequence[date],
    series: Sequence[Series],
    exact: Callable[[int], str],
    short: Callable[[int], str],
    language: str,
) -> Figure:
    """Stacked bars, one a day. `exact` and `short` write a value (tokens, or nano-units) for the hover
    box and for the axis."""
    totals = [sum(values) for values in zip(*(each.values for each in series), strict=True)]
    # The day is the category and heads the hover box; so it is written in full, with the day's total.
    categories = [
        f"{fmt.day(day, language)} · <b>{exact(total)}</b>" for day, total in zip(days, totals, strict=True)
    ]
    grid = axis_ticks(max(totals, default=0))
    shown = _spread(len(days))
    return {
        "data": [_stack(each, categories, totals, exact, language) for each in series],
        "layout": {
            **_layout(DAILY_HEIGHT, below=24),
            # Notes instead of tick labels: a tick's short label would head the hover box of its day.
            "annotations": [_tick(categories[place], days[place], language) for place in shown],
            "barmode": "stack",
            "bargap": _gap(len(days)),
            "hovermode": "x unified",
            "hoverlabel": {"align": "left", "namelength": -1},
            "xaxis": {
                **_AXIS,
                "type": "category",
                "showticklabels": False,
                "showgrid": False,
                "showspikes": False,
            },
            "yaxis": {
                **_AXIS,
                "tickvals": grid,
                "ticktext": [short(value) for value in grid],
                "range": [0, grid[-1]],
                "gridcolor": _GRID,
                "zeroline": False,
                "automargin": True,
            },
        },
    }


def ranking(bars: Sequence[Bar], rows: int) -> Figure:
    """Horizontal bars, the first on top: name above, label at the right. As high as `rows` rows, so
    that two charts of one row of the page stand level."""
    places = list(range(len(bars)))
    names = [_note(bar.name, place, x=0, anchor="left") for place, bar in enumerate(bars)]
    labels = [_note(bar.label, place, x=1, anchor="right") for place, bar in enumerate(bars)]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [bar.value for bar in bars],
                "y": places,
                "width": 0.22,
                "marker": {"color": [bar.colour for bar in bars], "line": {"width": 0}, "cornerradius": 2},
                "hoverinfo": "skip",
            }
        ],
        "layout": {
            **_layout(rows * _ROW_HEIGHT + 8),
            "annotations": names + labels,
            "hovermode": False,
            "xaxis": {**_AXIS, "visible": False, "range": [0, max([1, *(bar.value for bar in bars)])]},
            "yaxis": {**_AXIS, "visible": False, "range": [rows - 0.6, -0.75]},
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
        # A quiet series is left out of the day's hover box.
        "y": [value or None for value in series.values],
        "customdata": details,
        "hovertemplate": "%{fullData.name}  <b>%{customdata}</b><extra></extra>",
        "marker": {"color": series.colour, "line": {"width": 0}},
    }


def _layout(height: int, below: int = 0) -> Figure:
    return {
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 8, "b": below, "pad": 0},
        "showlegend": False,
        "dragmode": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }


def _note(text: str, row: int, x: int, anchor: str) -> Figure:
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


def _gap(days: int) -> float:
    """The share of a day's width left empty: few days make slim bars, not slabs; many need every pixel."""
    return 0.15 if days > 45 else max(0.35, 1 - 0.12 * days)


def _spread(length: int) -> list[int]:
    """A few places out of `length`, evenly apart and away from the edges, where a label would be cut."""
    step = max(1, -(-length // _TICKS))
    return list(range((step - 1) // 2, length, step))


@lru_cache(maxsize=1001)
def _share(permille: int, language: str) -> str:
    return fmt.percent(permille / 1000, language) if permille else "<" + fmt.percent(0.001, language)


def _tick(category: str, day: date, language: str) -> Figure:
    place = {"xref": "x", "x": category, "yref": "paper", "y": 0, "yanchor": "top", "yshift": -3}
    return {
        **place,
        "text": _short_day(day, language),
        "showarrow": False,
        "font": {"size": 12},
        "borderpad": 0,
    }


@lru_cache(maxsize=4096)
def _short_day(day: date, language: str) -> str:
    return format_skeleton("MMMd", day, locale=language)
