"""Who has which colour. A provider keeps its own in every chart; its models are shades of it.

One palette serves both themes: it is `chartCategoricalColors` of .streamlit/config.toml, and every shade
has at least 3:1 on both backgrounds too (tests/unit/test_usage_palette.py).
"""

from collections.abc import Iterable
from zlib import crc32

# The theme's colour first, then shades of it for further models, each far from those before it.
TEAL = ("#1d9cb5", "#1a7074", "#2a7ea3", "#3c8b8f")
OCHRE = ("#b18725", "#726725", "#a16a25", "#8c8141")
VIOLET = ("#9980f8", "#5561af", "#9450cd", "#5f6ceb")
RUST = ("#bb3709", "#db7677", "#cd6503", "#df4250")
BLUE = ("#196ed2", "#7b8fe1", "#298bc6", "#2e8afc")
ROSE = ("#e9608d", "#a8494f", "#c1398e", "#db3f52")
GREEN = ("#327346", "#699d80", "#5d8845", "#48826c")
PLUM = ("#98479b", "#dc69b5", "#9e76bb", "#c0509c")
OTHER = "#87919b"
"""Grey: what is left when the largest have been named."""

_PROVIDERS = {
    "gemini": BLUE,
    "openai": GREEN,
    "anthropic": RUST,
    "gigachat": PLUM,
    "local": TEAL,
    "demo": OCHRE,
}
# Endpoints under names of their own.
_OTHERS = (VIOLET, ROSE)


def provider_colour(provider: str) -> str:
    """The colour of a provider, as `#rrggbb`; the same for the same id everywhere."""
    return _shades(provider)[0]


def model_colours(models: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """A colour for each (provider, model): its provider's, in a shade of its own for up to four models.

    The order of `models` does not matter, so that a model keeps its shade when another overtakes it.
    """
    colours: dict[tuple[str, str], str] = {}
    seen: dict[str, int] = {}
    for provider, model in sorted(set(models)):
        shades = _shades(provider)
        colours[provider, model] = shades[seen.get(provider, 0) % len(shades)]
        seen[provider] = seen.get(provider, 0) + 1
    return colours


def _shades(provider: str) -> tuple[str, ...]:
    return _PROVIDERS.get(provider) or _OTHERS[crc32(provider.encode()) % len(_OTHERS)]
