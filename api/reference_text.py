"""Texts of the reference: in the reader's language, with the little markup that they may have."""

import re
from typing import Protocol

from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`]+)`")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")


class Say(Protocol):
    """Puts an English text into the reader's language; `params` fill its `{fields}`."""

    def __call__(self, message: str, /, **params: object) -> str: ...


def marked(text: str) -> Markup:
    """`text` with its `code` and **bold**; everything else means itself."""
    html = str(escape(text))
    return Markup(_BOLD.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", html)))  # noqa: S704 - escaped above
