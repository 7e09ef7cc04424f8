"""Text of users and servers as a spreadsheet may have it: shown, never run."""

import re

from core.pricing.types import Money
from core.store.text import storable

LONGEST_CELL = 32_767
"""What fits in a cell of Excel, in UTF-16 units."""

# XML 1.0 has no place for them; neither has a cell.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# Excel reads `_x000D_` as the character of that number, unless the first underline is one itself.
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
# What begins a formula; the wide forms do where the keyboard is Chinese or Japanese.
_FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001 - those wide forms
_BLANK_START = ("\t", "\r", "\n")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might compute `text` instead of showing it."""
    return text.startswith(_BLANK_START) or text.lstrip().startswith(_FORMULA)


def shown(text: str) -> str:
    """`text` without what no cell can hold."""
    return _CONTROL.sub("", storable(text))


def csv_text(text: str) -> str:
    """`text` for a CSV: what looks like a formula begins with an apostrophe, which spreadsheets take as text."""
    text = shown(text)
    return f"'{text}" if is_formula(text) else text


def excel_text(text: str) -> str:
    """`text` for a cell of Excel, cut with an ellipsis where it is too long for one.

    It still may look like a formula: the cell has to say that it holds text.
    """
    text = shown(text).replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPE.sub("_x005F_", _cut(text))


def money_text(nano: int) -> str:
    """An amount of `nano` billionths, exact, with a point and nine decimals."""
    return f"{Money(nano, '').decimal:f}"


def _cut(text: str) -> str:
    if 2 * len(text) <= LONGEST_CELL:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= 2 * LONGEST_CELL:
        return text
    # Half of a character of two units may be left at the end; it goes.
    return units[: 2 * (LONGEST_CELL - 1)].decode("utf-16-le", "ignore") + "…"
