"""A week as a heat map: a row for each weekday, a column for each hour."""

from collections.abc import Callable, Sequence
from html import escape

from ui.charts import AXIS, Figure, layout

_HEIGHT = 250
_EVERY = 3


def heat_map(
    days: Sequence[str],
    hours: Sequence[str],
    cells: Sequence[Sequence[int]],
    colour: str,
    exact: Callable[[int], str],
) -> Figure:
    """`cells`: for each of `days` (the first on top) a value for each of `hours`. From nothing to the full colour, so
    that it reads the same on a light page and on a dark one."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    highest = max((value for row in cells for value in row), default=0)
    return {
        "data": [
            {
                "type": "heatmap",
                "z": [list(row) for row in cells],
                "customdata": [[exact(value) for value in row] for row in cells],
                "x": list(range(len(hours))),
                "y": list(range(len(days))),
                "text": [[f"{escape(day)}, {escape(hour)}" for hour in hours] for day in days],
                "zmin": 0,
                "zmax": max(highest, 1),
                # A call is told from none at a glance.
                "colorscale": [
                    [0, f"rgba({red}, {green}, {blue}, 0.05)"],
                    [1e-9, f"rgba({red}, {green}, {blue}, 0.12)"],
                    [1, f"rgba({red}, {green}, {blue}, 1)"],
                ],
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
                "hovertemplate": "%{text}<br><b>%{customdata}</b><extra></extra>",
            }
        ],
        "layout": {
            **layout(_HEIGHT, below=24),
            "hovermode": "closest",
            "xaxis": _named(hours, _EVERY),
            "yaxis": {**_named(days, 1), "autorange": "reversed", "automargin": True},
        },
    }


def _named(names: Sequence[str], every: int) -> Figure:
    """An axis of names instead of numbers."""
    shown = list(range(0, len(names), every))
    ticks = {"tickvals": shown, "ticktext": [names[place] for place in shown]}
    return {**AXIS, **ticks, "showgrid": False, "zeroline": False}
