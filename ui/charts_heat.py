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
                "x": list(range(len(hours))),
                "y": list(range(len(days))),
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
                "hoverinfo": "skip",
            },
            _cells(days, hours, cells, exact),
        ],
        "layout": {
            **layout(_HEIGHT, below=24),
            "barmode": "overlay",
            "hovermode": "closest",
            "clickmode": "event+select",
            "xaxis": {**_named(hours, _EVERY), "range": [-0.5, len(hours) - 0.5]},
            "yaxis": {**_named(days, 1), "range": [len(days) - 0.5, -0.5], "automargin": True},
        },
    }


def _cells(
    days: Sequence[str], hours: Sequence[str], cells: Sequence[Sequence[int]], exact: Callable[[int], str]
) -> Figure:
    """What takes the pointer: of a heat map Plotly tells no click. One bar for each cell, day by day."""
    places = [(day, hour) for day in range(len(days)) for hour in range(len(hours))]
    return {
        "type": "bar",
        "x": [hour for _day, hour in places],
        "y": [1] * len(places),
        "base": [day - 0.5 for day, _hour in places],
        "width": 1,
        "customdata": [
            [f"{escape(days[day])}, {escape(hours[hour])}", exact(cells[day][hour])] for day, hour in places
        ],
        "marker": {"color": "rgba(0,0,0,0)", "line": {"width": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "hovertemplate": "%{customdata[0]}<br><b>%{customdata[1]}</b><extra></extra>",
    }


def _named(names: Sequence[str], every: int) -> Figure:
    """An axis of names instead of numbers."""
    shown = list(range(0, len(names), every))
    ticks = {"tickvals": shown, "ticktext": [names[place] for place in shown]}
    return {**AXIS, **ticks, "showgrid": False, "zeroline": False}
