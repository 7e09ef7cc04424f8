"""Figures: zero-based, in the reader's language, and coloured the same everywhere."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly.graph_objects import Figure

from core.usage.explore.types import Interval, Period
from tests.unit.test_palette import GRAPHIC, MODES, THEME, contrast
from ui import format as fmt
from ui.charts import Series, axis_ticks, period_bars
from ui.charts_heat import heat_map
from ui.charts_lines import Band, Line, lines
from ui.components.usage_explore_periods import places_of, usual_interval
from ui.palette import OTHER, model_colours, provider_colour

DAYS = [date(2026, 11, 1) + timedelta(offset) for offset in range(3)]


def figure(series: list[Series], language: str = "en"):
    return period_bars(
        places_of([Period(day, day) for day in DAYS], Interval.DAY, language),
        series,
        lambda value: fmt.exact(value, language),
        lambda value: fmt.count(value, language),
        language,
    )


@given(st.integers(0, 10**20))
def test_axis_is_zero_based_round_and_covers_the_highest(highest: int) -> None:
    ticks = axis_ticks(highest)
    assert ticks[0] == 0
    assert ticks[-1] >= highest
    assert len({after - before for before, after in pairwise(ticks)}) == 1
    assert 2 <= len(ticks) <= 7


def test_period_bars_are_a_figure_plotly_takes() -> None:
    drawn = figure([Series("a", "#196ed2", [1_234, 0, 3]), Series("b", "#bb3709", [0, 0, 1])])
    Figure(**drawn)
    assert drawn["layout"]["barmode"] == "stack"
    assert drawn["layout"]["yaxis"]["range"][0] == 0
    assert drawn["layout"]["showlegend"] is False
    # A day without is left out of the hover box, not shown as 0.
    assert drawn["data"][0]["y"] == [1_234, None, 3]
    assert drawn["data"][0]["customdata"] == ["1,234 · 100%", None, "3 · 75%"]


def test_figures_speak_russian() -> None:
    drawn = figure([Series("a", "#196ed2", [12_340, 0, 3])], "ru")
    assert drawn["data"][0]["customdata"][0] == "12\u00a0340 · 100\u00a0%"
    assert "нояб" in drawn["layout"]["annotations"][0]["text"]
    assert "Nov" not in str(drawn)


def test_a_name_is_never_markup() -> None:
    drawn = figure([Series("<a href='x'>m</a>", "#196ed2", [1, 1, 1])])
    assert "<a" not in drawn["data"][0]["name"]


def test_a_provider_has_a_colour_of_the_theme() -> None:
    providers = ["gemini", "openai", "anthropic", "gigachat", "local", "demo"]
    colours = [provider_colour(provider) for provider in providers]
    assert len(set(colours)) == len(providers)
    assert set(colours) <= set(THEME["chartCategoricalColors"])
    assert provider_colour("an endpoint of mine") in THEME["chartCategoricalColors"]
    assert OTHER not in colours


def test_models_are_shades_of_their_provider_whatever_their_order() -> None:
    models = [("gemini", "pro"), ("gemini", "flash"), ("openai", "gpt")]
    colours = model_colours(models)
    assert colours == model_colours(reversed(models))
    assert len(set(colours.values())) == 3
    assert colours["openai", "gpt"] == provider_colour("openai")
    assert provider_colour("gemini") in (colours["gemini", "pro"], colours["gemini", "flash"])


@pytest.mark.parametrize("mode", MODES)
def test_every_shade_stands_out_from_the_page(mode: str) -> None:
    names = ["gemini", "openai", "anthropic", "gigachat", "local", "demo", *"abcdefgh"]
    shades = model_colours((name, str(number)) for name in names for number in range(4))
    ratios = {
        colour: contrast(colour, THEME[mode]["backgroundColor"]) for colour in {*shades.values(), OTHER}
    }
    assert len(ratios) == 33
    assert min(ratios.values()) >= GRAPHIC, ratios


def test_lines_leave_out_what_is_not_known() -> None:
    places = places_of([Period(day, day) for day in DAYS], Interval.DAY, "en")
    drawn = lines(
        places,
        [Line("a", "#196ed2", [1, 4, None]), Line("b", "#196ed2", [None, 2, None])],
        str,
        str,
        Band("c", "#196ed2", [None, 4, 5], [None, 4, 90]),
    )
    Figure(**drawn)
    low, high, line, dot = drawn["data"]
    assert line["y"] == [1, 4, None]
    assert (line["mode"], dot["mode"]) == ("lines", "markers")
    assert high["fill"] == "tonexty"
    assert high["customdata"] == [None, "4 – 4", "5 – 90"]
    assert low["hoverinfo"] == "skip"
    assert drawn["layout"]["yaxis"]["range"][1] >= 90


def test_a_heat_map_begins_at_nothing() -> None:
    drawn = heat_map(["Mon", "Tue"], ["0", "1"], [[0, 5], [1, 0]], "#196ed2", str)
    Figure(**drawn)
    assert drawn["data"][0]["zmin"] == 0
    cells = drawn["data"][1]
    assert list(zip(cells["base"], cells["x"], cells["customdata"], strict=True)) == [
        (-0.5, 0, ["Mon, 0", "0"]),
        (-0.5, 1, ["Mon, 1", "5"]),
        (0.5, 0, ["Tue, 0", "1"]),
        (0.5, 1, ["Tue, 1", "0"]),
    ], "the cells take the pointer in the order of the hours of the week"
    quiet = heat_map(["Mon"], ["0"], [[0]], "#196ed2", str)
    assert quiet["data"][0]["zmax"] == 1


def test_a_bar_is_as_long_as_one_can_tell_apart() -> None:
    lengths = {1: Interval.DAY, 90: Interval.DAY, 365: Interval.WEEK, 3_653: Interval.MONTH}
    for days, interval in lengths.items():
        assert usual_interval(DAYS[0], DAYS[0] + timedelta(days - 1)) is interval
