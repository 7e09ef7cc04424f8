"""Rankings as lists of buttons: on the page in a tenth of the time that Plotly takes, and reached with the keyboard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

from ui.session import widget

_SCRIPT = Path(__file__).with_suffix(".js")
_KEY, _OPEN = "usage-rankings", "open"


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a ranking. `label` stands at its end."""

    name: str
    colour: str
    value: int
    label: str


class Rankings:
    """The rankings of one page: each is drawn where it stands, and `listen` once after all of them."""

    def __init__(self) -> None:
        self._opens: dict[str, Callable[[int], None]] = {}

    def draw(self, bars: Sequence[Bar], key: str, alt: str, on_open: Callable[[int], None]) -> None:
        """The bars in the order given, the name above each and its label at the right; the longest is as wide as the
        list. `alt` is read out before the rows. `on_open` is told the place of the row that was chosen, before the
        page is drawn anew."""
        self._opens[key] = lambda place: on_open(place) if place < len(bars) else None
        st.html(html_of(bars, key, alt))

    def listen(self) -> None:
        """Have the browser tell which row was chosen."""
        if self._opens:
            _listener()(key=_KEY, data={}, on_open_change=self._opened)

    def _opened(self) -> None:
        match widget(_KEY, {}).get(_OPEN):
            case [str(key), int(place)] if key in self._opens and place >= 0:
                self._opens[key](place)
            case _:
                # No row of ours says that.
                return


def html_of(bars: Sequence[Bar], key: str, alt: str) -> str:
    """The list of a ranking; what its bars are called is text, whatever it looks like."""
    longest = max([1, *(bar.value for bar in bars)])
    rows = (
        f'<li><button type="button" data-row="{place}"><span>{escape(bar.name)}</span>'
        f"<span>{escape(bar.label)}</span>"
        f'<i style="background:{bar.colour};width:{max(0, 100 * bar.value / longest):.2f}%"></i></button></li>'
        for place, bar in enumerate(bars)
    )
    return f'<ol class="usage-ranking" data-ranking="{key}" aria-label="{escape(alt)}">{"".join(rows)}</ol>'


@lru_cache
def _listener() -> Any:
    script = _SCRIPT.read_text(encoding="utf-8")
    return v2.component("aihub_rankings", js=script, isolate_styles=False)
