"""The viewer's language on a page: `_` and `ngettext` bound to it."""

from dataclasses import dataclass

import streamlit as st

from core.config import Settings
from core.i18n import pick_language, translate, translate_plural


@dataclass(frozen=True, slots=True)
class Translator:
    """Texts in one language. Pages bind `_ = viewer.tr.text` so that the extractor sees every string."""

    language: str

    def text(self, message: str, /, **params: object) -> str:
        return translate(self.language, message, **params)

    def plural(self, singular: str, plural: str, count: int, /, **params: object) -> str:
        return translate_plural(self.language, singular, plural, count, **params)


def viewer_language(settings: Settings) -> str:
    """The configured language, or else the browser's when AIHub speaks it, or else English."""
    return pick_language(settings.language, st.context.locale)
