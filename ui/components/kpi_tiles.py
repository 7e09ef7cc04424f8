"""Tiles with a figure each: its change, a line of how it went, and a hint. One piece of HTML, so that all of them are
there in one frame, with amounts written as everywhere (st.metric's line is drawn later and names raw nano-units)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from urllib.parse import quote

import streamlit as st

_WIDTH, _HEIGHT = 100, 24
# More points than pixels tell nothing.
_MOST_POINTS = 150


class Tone(StrEnum):
    """What a change means."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Tile:
    """`hints` are read out and shown on demand, a paragraph each. `arrow`: "up", "down" or "" before the change.
    `line`: whole numbers from the first period to the last, with what it is called; none for less than two."""

    label: str
    value: str
    hints: Sequence[str]
    change: str = ""
    arrow: str = ""
    tone: Tone = Tone.PLAIN
    line: Sequence[int] = ()
    line_title: str = ""


def kpi_tiles(tiles: Sequence[Tile], key: str, about: Callable[[str], str]) -> None:
    """Draw them. `about` names the button of a hint by the tile's label."""
    st.html(tiles_html(tiles, key, about))


def tiles_html(tiles: Sequence[Tile], key: str, about: Callable[[str], str]) -> str:
    """What is drawn; whatever the tiles say is text."""
    drawn = (_tile(tile, f"{key}-{place}", about) for place, tile in enumerate(tiles))
    return f'<dl class="kpis">{"".join(drawn)}</dl>'


def _tile(tile: Tile, hint: str, about: Callable[[str], str]) -> str:
    name = escape(about(tile.label))
    hints = "".join(f"<p>{escape(each)}</p>" for each in tile.hints)
    return (
        f'<div class="kpi"><dt>{escape(tile.label)}'
        f'<button type="button" class="kpi-help" aria-label="{name}" aria-describedby="{hint}">?</button>'
        f'<span class="kpi-hint" role="tooltip" id="{hint}">{hints}</span></dt>'
        f'<dd class="kpi-value">{escape(tile.value)}</dd>{_change(tile)}{_line(tile)}</div>'
    )


def _change(tile: Tile) -> str:
    if not tile.change:
        return ""
    arrow = f'<i class="kpi-{tile.arrow}"></i>' if tile.arrow else ""
    return f'<dd><span class="kpi-change kpi-{tile.tone.value}">{arrow}{escape(tile.change)}</span></dd>'


def _line(tile: Tile) -> str:
    if len(tile.line) < 2 or not any(tile.line):
        return ""
    picture = f"url('data:image/svg+xml,{quote(_picture(tile.line), safe='/:=, -.')}')"
    return (
        f'<dd class="kpi-line kpi-{tile.tone.value}" role="img" aria-label="{escape(tile.line_title)}" '
        f'title="{escape(tile.line_title)}" style="mask-image:{picture}"></dd>'
    )


def _picture(values: Sequence[int]) -> str:
    """A line and the area below it, from 0 up; it takes its colour from the page."""
    points = _points(values)
    path = "L".join(f"{x:g},{y:g}" for x, y in points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none">'
        f'<path d="M{path}L{_WIDTH},{_HEIGHT}L0,{_HEIGHT}Z" fill-opacity=".16"/>'
        f'<path d="M{path}" fill="none" stroke="black" stroke-width="1.5" stroke-linejoin="round" '
        f'vector-effect="non-scaling-stroke"/></svg>'
    )


def _points(values: Sequence[int]) -> list[tuple[float, float]]:
    """Where the line goes. Of too many values, the highest of each few: a peak must not go missing."""
    few = -(-len(values) // _MOST_POINTS)
    shown = [max(values[at : at + few]) for at in range(0, len(values), few)]
    highest, last = max(1, *shown), max(1, len(shown) - 1)
    # Room for the stroke's width at the top and at the bottom.
    return [
        (round(_WIDTH * place / last, 1), round(_HEIGHT - 1 - (_HEIGHT - 2) * value / highest, 1))
        for place, value in enumerate(shown)
    ]
