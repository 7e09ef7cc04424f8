"""Messages in the reader's language: gettext catalogues under core/locales, read with Babel.

English is the source text and needs no catalogue. Code marks a text with `N_` (translated later,
at the edge that knows the reader) or asks `translate` / `translate_plural` at once.
"""

from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

LOCALES_DIR = Path(__file__).parent / "locales"
LANGUAGES: tuple[str, ...] = ("en", "ru")
DEFAULT_LANGUAGE = "en"


def N_(message: str) -> str:
    """Mark a text for the catalogue; it is translated where it is shown."""
    return message


def pick_language(*wanted: str | None) -> str:
    """The first of `wanted` (tags such as `ru-RU`, best first) that AIHub speaks; English otherwise."""
    for tag in wanted:
        base = (tag or "").replace("_", "-").split("-")[0].lower()
        if base in LANGUAGES:
            return base
    return DEFAULT_LANGUAGE


def translate(language: str, message: str, /, **params: object) -> str:
    """`message` in `language` with `{name}` fields filled from `params`."""
    text = _catalogue(language).gettext(message) if message else ""
    return text.format(**params) if params else text


def translate_plural(language: str, singular: str, plural: str, count: int, /, **params: object) -> str:
    """The form of a counted message that `language` uses for `count`; `{count}` is filled in too."""
    text = _catalogue(language).ngettext(singular, plural, count)
    return text.format(**{"count": count, **params})


@lru_cache
def _catalogue(language: str) -> NullTranslations:
    path = LOCALES_DIR / language / "LC_MESSAGES" / "aihub.po"
    if not path.exists():
        return NullTranslations()
    # Read from the .po at first use, so that no compiled file has to be kept in step with it.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
