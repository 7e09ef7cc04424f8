"""The figures of the outlook and the what-if, in the manner of `ui.charts`: plain dicts, words from `ui.format`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from babel.dates import format_skeleton

from ui import format as fmt
from ui.charts import AXIS, DAILY_HEIGHT, GRID, Figure, label_room, layout, note, value_axis
from ui.palette import RUST, TEAL

ACCENT, LIMIT = TEAL[0], RUST[0]
_BAND = "rgba(29, 156, 181, 0.2)"
_ROW_HEIGHT = 44
_TICKS = 5
# A limit this many times above everything else would flatten it; it is named beside the chart anyway.
_FARTHEST_LIMIT = 2.5


@dataclass(frozen=True, slots=True)
class CumulativeDay:
    """A day of a cumulative chart: what stands, or what may, None where there is none. `text` is read off it."""

    day: date
    actual: int | None
    low: int | None
    expected: int | None
    high: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A level that is not to be reached."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class RangeBar:
    """A row with a range from `low` to `high`; `label` stands at its end."""

    name: str
    colour: str
    low: int
    high: int
    label: str


def cumulative(
    days: Sequence[CumulativeDay],
    limits: Sequence[Limit],
    actual_name: str,
    expected_name: str,
    short: Callable[[int], str],
    language: str,
) -> Figure:
    """A month as a line that goes on as a band. `short` writes a value for the axis."""
    categories = [fmt.day(each.day, language) for each in days]
    highest = max((value for each in days for value in (each.actual, each.high) if value), default=0)
    shown = [limit for limit in limits if limit.value <= _FARTHEST_LIMIT * max(highest, 1)]
    top = max([highest, *(limit.value for limit in shown)])
    step = max(1, -(-len(days) // _TICKS))
    places = range((step - 1) // 2, len(days), step)
    ticks = [_tick(categories[place], days[place].day, language) for place in places]
    return {
        "data": _month_lines(days, categories, actual_name, expected_name),
        "layout": {
            **layout(DAILY_HEIGHT, below=24, beside=label_room(top, short)),
            "annotations": [*ticks, *(_limit_name(limit) for limit in shown)],
            "shapes": [_limit_line(limit) for limit in shown],
            "hovermode": "x unified",
            "hoverlabel": {"align": "left", "namelength": -1},
            "xaxis": {
                **AXIS,
                "type": "category",
                "categoryorder": "array",
                "categoryarray": categories,
                "range": [-0.5, len(days) - 0.5],
                "showticklabels": False,
                "showgrid": False,
                "showspikes": False,
            },
            "yaxis": value_axis(top, short),
        },
    }


def ranges(bars: Sequence[RangeBar], mark: int | None) -> Figure:
    """Horizontal bars from low to high, the first on top: name above, label at the right. `mark` is a value to
    compare them with."""
    places = list(range(len(bars)))
    most = max([1, mark or 0, *(bar.high for bar in bars)])
    # An exact amount is a range without a width, and still has to be seen.
    least = most // 150 + 1
    marks = [] if mark is None else [_mark(mark, place) for place in places]
    names = [note(bar.name, place, x=0, anchor="left") for place, bar in enumerate(bars)]
    labels = [note(bar.label, place, x=1, anchor="right") for place, bar in enumerate(bars)]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "base": [bar.low for bar in bars],
                "x": [max(bar.high - bar.low, least) for bar in bars],
                "y": places,
                "width": 0.2,
                "marker": {"color": [bar.colour for bar in bars], "line": {"width": 0}, "cornerradius": 2},
                "hoverinfo": "skip",
            }
        ],
        "layout": {
            **layout(len(bars) * _ROW_HEIGHT + 8),
            "annotations": names + labels,
            "shapes": [*(_track(place) for place in places), *marks],
            "hovermode": False,
            "xaxis": {**AXIS, "visible": False, "range": [0, most + least]},
            "yaxis": {**AXIS, "visible": False, "range": [len(bars) - 0.6, -0.75]},
        },
    }


def _month_lines(
    days: Sequence[CumulativeDay], categories: Sequence[str], actual_name: str, expected_name: str
) -> list[Figure]:
    """The band first, so that the lines are drawn over it."""
    texts = [each.text for each in days]
    return [
        _line(categories, [each.low for each in days], width=0),
        {**_line(categories, [each.high for each in days], width=0), "fill": "tonexty", "fillcolor": _BAND},
        {
            **_read(categories, [each.expected for each in days], texts, expected_name),
            "line": _dashed(ACCENT),
        },
        {
            **_read(categories, [each.actual for each in days], texts, actual_name),
            "line": {"color": ACCENT, "width": 2.5},
        },
    ]


def _tick(category: str, day: date, language: str) -> Figure:
    """A note instead of a tick's label, which would head the hover box of its day."""
    place = {"xref": "x", "x": category, "yref": "paper", "y": 0, "yanchor": "top", "yshift": -3}
    text = format_skeleton("MMMd", day, locale=language)
    return {**place, "text": text, "showarrow": False, "font": {"size": 12}, "borderpad": 0}


def _line(categories: Sequence[str], values: Sequence[int | None], width: float) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": categories,
        "y": values,
        "line": {"color": ACCENT, "width": width},
        "hoverinfo": "skip",
    }


def _read(categories: Sequence[str], values: Sequence[int | None], texts: Sequence[str], name: str) -> Figure:
    """A line whose points are read out."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(name),
        "x": categories,
        "y": values,
        "customdata": texts,
        "hovertemplate": "%{fullData.name}  <b>%{customdata}</b><extra></extra>",
    }


def _dashed(colour: str) -> Figure:
    return {"color": colour, "width": 2, "dash": "dot"}


def _limit_line(limit: Limit) -> Figure:
    place = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": limit.value, "y1": limit.value}
    return {**place, "type": "line", "line": {"color": LIMIT, "width": 1.5, "dash": "dash"}}


def _limit_name(limit: Limit) -> Figure:
    place = {
        "xref": "paper",
        "x": 0.01,
        "xanchor": "left",
        "yref": "y",
        "y": limit.value,
        "yanchor": "bottom",
    }
    font = {"size": 12}
    return {**place, "text": escape(limit.name), "showarrow": False, "font": font, "borderpad": 1}


def _track(place: int) -> Figure:
    """The whole width behind a bar, so that it is seen where on it the bar stands."""
    where = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": place, "y1": place}
    return {**where, "type": "line", "line": {"color": GRID, "width": 1}, "layer": "below"}


def _mark(value: int, place: int) -> Figure:
    where = {"xref": "x", "x0": value, "x1": value, "yref": "y", "y0": place - 0.1, "y1": place + 0.24}
    return {**where, "type": "line", "line": {"color": ACCENT, "width": 2}}
