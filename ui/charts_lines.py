"""Lines over the periods of a range: what has added up, what it is compared with, and what may come."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from ui.charts import CATEGORIES, DAILY_HEIGHT, Figure, Place, label_room, layout, ticks, value_axis


@dataclass(frozen=True, slots=True)
class Line:
    """A line; None is a place where there is nothing to say."""

    name: str
    colour: str
    values: Sequence[int | None]
    dash: str = "solid"
    width: float = 2
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """What lies between two lines, drawn under the lines."""

    name: str
    colour: str
    low: Sequence[int | None]
    high: Sequence[int | None]


def lines(
    places: Sequence[Place],
    drawn: Sequence[Line],
    exact: Callable[[int], str],
    short: Callable[[int], str],
    band: Band | None = None,
) -> Figure:
    """Lines from 0 up, with one hover box for all of them."""
    categories = [escape(place.title) for place in places]
    values = [value for line in drawn for value in line.values if value is not None]
    if band:
        values += [value for value in band.high if value is not None]
    highest = max(values, default=0)
    bounds = _bounds(band, categories, exact) if band else []
    return {
        "data": [*bounds, *(_line(line, categories, exact) for line in drawn)],
        "layout": {
            **layout(DAILY_HEIGHT, below=24, beside=label_room(highest, short)),
            "annotations": ticks(categories, places),
            "hovermode": "x unified",
            "hoverlabel": {"align": "left", "namelength": -1},
            "xaxis": {**CATEGORIES, "range": [-0.5, len(places) - 0.5]},
            "yaxis": value_axis(highest, short),
        },
    }


def _line(line: Line, categories: Sequence[str], exact: Callable[[int], str]) -> Figure:
    known = sum(value is not None for value in line.values)
    return {
        "type": "scatter",
        # A single point makes no line.
        "mode": "lines" if known > 1 else "markers",
        "name": escape(line.name),
        "x": categories,
        "y": list(line.values),
        "customdata": [None if value is None else exact(value) for value in line.values],
        "hovertemplate": "%{fullData.name}  <b>%{customdata}</b><extra></extra>",
        "line": {"color": line.colour, "width": line.width, "dash": line.dash},
        "marker": {"color": line.colour, "size": 7},
        "opacity": 0.5 if line.faint else 1,
    }


def _bounds(band: Band, categories: Sequence[str], exact: Callable[[int], str]) -> list[Figure]:
    shared: Figure = {"type": "scatter", "mode": "lines", "x": categories, "line": {"width": 0}}
    between = [
        None if low is None or high is None else f"{exact(low)} – {exact(high)}"
        for low, high in zip(band.low, band.high, strict=True)
    ]
    return [
        {**shared, "name": "", "y": list(band.low), "hoverinfo": "skip"},
        {
            **shared,
            "name": escape(band.name),
            "y": list(band.high),
            "fill": "tonexty",
            "fillcolor": _faint(band.colour),
            "customdata": between,
            "hovertemplate": "%{fullData.name}  <b>%{customdata}</b><extra></extra>",
        },
    ]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.18)"
