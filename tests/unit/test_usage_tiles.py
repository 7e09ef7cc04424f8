"""What the usage page draws by itself, as HTML: rankings, and tiles with a figure each."""

from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from ui.components.kpi_tiles import Tile, Tone, tiles_html
from ui.components.rankings import Bar, html_of

_EVIL = "<img src=x onerror=alert(1)>\"'&"


class _Seen(HTMLParser):
    """The elements and the texts of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_a_ranking_is_a_list_of_buttons_in_the_order_given() -> None:
    bars = [
        Bar("big", "#196ed2", 1_000, "1 k"),
        Bar("small", "#196ed2", 1, "1"),
        Bar("none", "#196ed2", 0, "—"),
    ]
    seen = _Seen(html_of(bars, "of", "Tokens by model"))
    assert seen.texts == ["big", "1 k", "small", "1", "none", "—"]
    assert [each["data-row"] for each in seen.attributes("button")] == ["0", "1", "2"]
    widths = [(each["style"] or "").rpartition(":")[2] for each in seen.attributes("i")]
    assert widths == ["100.00%", "0.10%", "0.00%"]
    assert seen.attributes("ol")[0]["aria-label"] == "Tokens by model"


def test_a_ranking_of_nothing_divides_by_nothing() -> None:
    assert "width:0.00%" in html_of([Bar("m", "#196ed2", 0, "unpriced")], "of", "")


def test_what_people_wrote_is_text() -> None:
    ranking = _Seen(html_of([Bar(_EVIL, "#196ed2", 1, _EVIL)], "of", _EVIL))
    tile = Tile(_EVIL, _EVIL, [_EVIL], _EVIL, "up", Tone.BAD, [1, 2], _EVIL)
    tiles = _Seen(tiles_html([tile], "of", "About {}".format))
    for seen in (ranking, tiles):
        assert _EVIL in seen.texts
        assert not seen.attributes("img")
        assert not [name for _tag, names in seen.elements for name in names if name.startswith("on")]


@pytest.mark.parametrize("values", [[0, 0], [5], []])
def test_a_tile_has_no_line_of_nothing(values: list[int]) -> None:
    assert "kpi-line" not in tiles_html([Tile("Cost", "$1", [], line=values)], "of", str)


@pytest.mark.parametrize("length", [2, 150, 3_650])
def test_a_line_keeps_its_peak_however_long_it_is(length: int) -> None:
    values = [0] * length
    values[length // 2] = 10**18
    tile = _Seen(tiles_html([Tile("Cost", "$1", [], line=values, line_title="up to $1")], "of", str))
    line = next(each for each in tile.attributes("dd") if each.get("class") == "kpi-line kpi-plain")
    assert (line["role"], line["aria-label"]) == ("img", "up to $1")
    address = (line["style"] or "").partition("url('data:image/svg+xml,")[2].removesuffix("')")
    drawn = _Seen(unquote(address)).attributes("path")[1]["d"] or ""
    points = [point.split(",") for point in drawn.removeprefix("M").split("L")]
    assert len(points) <= 150
    assert min(float(y) for _x, y in points) == 1, "the peak stands at the top"
    assert (float(points[0][0]), float(points[-1][0])) == (0, 100)


def test_a_hint_is_named_by_its_button() -> None:
    seen = _Seen(
        tiles_html([Tile("Cost", "$1", ["At list prices.", "Exactly $1"])], "of", "What this is: {}".format)
    )
    button = seen.attributes("button")[0]
    hint = next(each for each in seen.attributes("span") if each.get("role") == "tooltip")
    assert button["aria-describedby"] == hint["id"] == "of-0"
    assert button["aria-label"] == "What this is: Cost"
    assert seen.texts[-3:-1] == ["At list prices.", "Exactly $1"]
