"""The figures of the outlook and the what-if: what is in them, and that they can be sent to a browser."""

import json
from datetime import date, timedelta

from ui.charts_outlook import CumulativeDay, Figure, Limit, RangeBar, cumulative, ranges

START = date(2026, 11, 1)


def month(limits: list[Limit]) -> Figure:
    past = [
        CumulativeDay(START + timedelta(number), 10 * number, None, None, None, "past") for number in range(9)
    ]
    today = CumulativeDay(START + timedelta(9), 90, 90, 90, 90, "today")
    ahead = [
        CumulativeDay(START + timedelta(number), None, 9 * number, 10 * number, 12 * number, "ahead")
        for number in range(10, 30)
    ]
    return cumulative([*past, today, *ahead], limits, "So <far>", "Forecast", str, "en")


def test_the_line_goes_on_as_a_band_from_today() -> None:
    low, high, expected, actual = month([])["data"]
    assert actual["y"][:10] == [10 * number for number in range(10)]
    assert actual["y"][10:] == [None] * 20
    for line, last in ((low, 9 * 29), (expected, 10 * 29), (high, 12 * 29)):
        assert line["y"][:9] == [None] * 9
        assert (line["y"][9], line["y"][-1]) == (90, last)
    assert high["fill"] == "tonexty"
    assert actual["name"] == "So &lt;far&gt;"
    assert len({len(line["x"]) for line in (low, high, expected, actual)}) == 1


def test_a_budget_is_a_level_unless_it_would_flatten_the_month() -> None:
    figure = month([Limit("Near <b>", 400), Limit("Far", 100_000)])
    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == [400]
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert "Near &lt;b&gt;" in texts
    assert "Far" not in texts
    assert figure["layout"]["yaxis"]["range"][1] >= 400


def test_a_range_runs_from_low_to_high_and_an_exact_amount_is_still_seen() -> None:
    bars = [RangeBar("A", "#000000", 100, 300, "100 – 300"), RangeBar("<B>", "#000000", 200, 200, "200")]
    figure = ranges(bars, 250)
    drawn = figure["data"][0]
    assert drawn["base"] == [100, 200]
    assert drawn["x"][0] == 200
    assert 0 < drawn["x"][1] < 10
    marks = [shape for shape in figure["layout"]["shapes"] if shape["xref"] == "x"]
    assert [mark["x0"] for mark in marks] == [250, 250]
    assert not [shape for shape in ranges(bars, None)["layout"]["shapes"] if shape["xref"] == "x"]
    assert "&lt;B&gt;" in [note["text"] for note in figure["layout"]["annotations"]]


def test_figures_are_plain_data() -> None:
    for figure in (
        month([Limit("Budget", 400)]),
        ranges([RangeBar("A", "#000000", 0, 0, "0")], 0),
        ranges([], None),
    ):
        assert json.loads(json.dumps(figure))["layout"]["height"] > 0
