"""Every colour of .streamlit/config.toml can be read, and chart colours can be told apart.

Contrast: WCAG 2.2, 1.4.3 (text, 4.5:1) and 1.4.11 (graphics, 3:1). Colour vision: Machado, Oliveira and Fernandes
(2009), severity 1.0; distances in OKLab (Ottosson 2020), times 100.
"""

import tomllib
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

Colour = tuple[float, float, float]  # linear light, 0..1
Matrix = tuple[Colour, Colour, Colour]

THEME: dict[str, Any] = tomllib.loads(
    (Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml").read_text()
)["theme"]
MODES = ("light", "dark")
TEXT, GRAPHIC = 4.5, 3.0
# Okabe and Ito's well-known seven reach 7.6 by the same measure, at the price of a yellow nobody sees on white.
APART = 8.0

EYES: dict[str, Matrix] = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.01182, 0.04294, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.3039),
    ),
}
LMS: Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
OKLAB: Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def channels(colour: str) -> Colour:
    """Linear light of `#rrggbb`."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return _linear(red), _linear(green), _linear(blue)


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def contrast(one: str, other: str) -> float:
    weights = (0.2126, 0.7152, 0.0722)
    darker, lighter = sorted(
        sum(w * c for w, c in zip(weights, channels(colour), strict=True)) for colour in (one, other)
    )
    return (lighter + 0.05) / (darker + 0.05)


def over(colour: str, ground: str, opacity: float) -> str:
    """What `colour` at `opacity` looks like on `ground`."""
    pairs = [(int(colour[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(top * opacity + below * (1 - opacity)):02x}" for top, below in pairs)


def distance(one: str, other: str, eye: Matrix) -> float:
    a, b = (_oklab(_times(eye, channels(colour))) for colour in (one, other))
    return 100 * sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5


def _oklab(light: Colour) -> Colour:
    red, green, blue = _times(LMS, (_within(light[0]), _within(light[1]), _within(light[2])))
    return _times(OKLAB, (red ** (1 / 3), green ** (1 / 3), blue ** (1 / 3)))


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _times(matrix: Matrix, vector: Colour) -> Colour:
    x, y, z = (sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


def grounds(mode: str) -> list[str]:
    """The four backgrounds text can stand on."""
    theme = THEME[mode]
    return [
        part[key]
        for part in (theme, theme["sidebar"])
        for key in ("backgroundColor", "secondaryBackgroundColor")
    ]


def test_measures_are_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert distance("#000000", "#ffffff", EYES["all cones"]) == pytest.approx(100, abs=0.1)
    # Red and olive: far apart for most, nearly one for a deuteranope.
    assert distance("#c00000", "#6e6000", EYES["all cones"]) > 2 * distance(
        "#c00000", "#6e6000", EYES["deuteranopia"]
    )


def test_palette_has_eight_colours() -> None:
    assert len(set(THEME["chartCategoricalColors"])) == 8


@pytest.mark.parametrize("mode", MODES)
def test_chart_colours_stand_out_from_the_page(mode: str) -> None:
    ground = THEME[mode]["backgroundColor"]
    ratios = {colour: contrast(colour, ground) for colour in THEME["chartCategoricalColors"]}
    assert min(ratios.values()) >= GRAPHIC, ratios


@pytest.mark.parametrize("eye", EYES)
def test_chart_colours_stay_apart(eye: str) -> None:
    pairs = {pair: distance(*pair, EYES[eye]) for pair in combinations(THEME["chartCategoricalColors"], 2)}
    closest = min(pairs, key=lambda pair: pairs[pair])
    assert pairs[closest] >= APART, (closest, pairs[closest])


@pytest.mark.parametrize("mode", MODES)
def test_text_is_readable_on_every_background(mode: str) -> None:
    colours = {
        name: value
        for name, value in THEME[mode].items()
        if name.lower().endswith(("textcolor", "linkcolor"))
    }
    assert {"textColor", "redTextColor", "linkColor"} <= colours.keys()
    poor = {
        (name, ground): contrast(value, ground) for name, value in colours.items() for ground in grounds(mode)
    }
    assert min(poor.values()) >= TEXT, {key: ratio for key, ratio in poor.items() if ratio < TEXT}


@pytest.mark.parametrize("mode", MODES)
def test_captions_are_readable(mode: str) -> None:
    # Streamlit draws st.caption and other muted text in the text colour at 60 %.
    ratios = [contrast(over(THEME[mode]["textColor"], ground, 0.6), ground) for ground in grounds(mode)]
    assert min(ratios) >= TEXT, ratios


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("hue", ["red", "orange", "yellow", "green", "blue", "violet", "gray"])
def test_alerts_and_badges_are_readable(mode: str, hue: str) -> None:
    # Their background is the hue at 10 % in the light theme and 20 % in the dark one.
    theme, opacity = THEME[mode], {"light": 0.1, "dark": 0.2}[mode]
    for ground in grounds(mode):
        assert contrast(theme[f"{hue}TextColor"], over(theme[f"{hue}Color"], ground, opacity)) >= TEXT


@pytest.mark.parametrize("mode", MODES)
def test_accent_carries_white_and_stands_out(mode: str) -> None:
    accent = THEME[mode]["primaryColor"]
    assert (
        contrast("#ffffff", accent) >= TEXT
    )  # Streamlit writes on primary buttons in white, whatever the theme
    assert min(contrast(accent, ground) for ground in grounds(mode)) >= GRAPHIC
