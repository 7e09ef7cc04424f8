"""Columns of figures in a table, with room for all of their digits.

A table measures its cells for a column's width, but leaves out what is far longer than the others, and then cuts such a
figure in front: 1,234.50 reads as 34.50. So each column is told how wide it is.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import streamlit as st

_FEWEST, _MOST = 2, 9
_SIGNIFICANT = 4
# Pixels: of a digit or letter at the table's size, and around them.
_CHARACTER, _PADDING = 8, 28


def count_column(title: str, values: Sequence[int | None]) -> Any:
    """Whole numbers, grouped in the reader's way."""
    texts = [f"{value:,}" for value in values if value is not None]
    return st.column_config.NumberColumn(format="localized", width=_wide(title, texts))


def money_column(title: str, amounts: Sequence[Decimal | None]) -> Any:
    """Amounts in the reader's way, to the last digit that one of them has."""
    known = [amount for amount in amounts if amount is not None]
    decimals = max(map(_decimals, known), default=_FEWEST)
    width = _wide(title, [f"{amount:,.{decimals}f}" for amount in known])
    return st.column_config.NumberColumn(format="localized", step=step_of(decimals), width=width)


def estimated(amounts: Sequence[Decimal | None]) -> list[Decimal | None]:
    """Estimates without digits that mean nothing: cents, and four digits of the largest below 1."""
    largest = max((abs(amount) for amount in amounts if amount is not None), default=Decimal(0))
    below = _SIGNIFICANT - 1 - largest.adjusted() if 0 < largest < 1 else _FEWEST
    return [None if amount is None else round(amount, min(below, _MOST)) for amount in amounts]


def step_of(decimals: int) -> float:
    """What a column of numbers takes for so many decimals; it cuts off what is beyond them.

    It counts the digits of the step as JavaScript writes it, and that writes 0.0000001 as 1e-7.
    """
    return float(f"1.{'1':0>{decimals}}")


def amount_column(title: str, texts: Sequence[str | None]) -> Any:
    """Figures that are written out already, such as amounts of several currencies."""
    width = _wide(title, [text for text in texts if text is not None])
    return st.column_config.TextColumn(alignment="right", width=width)


def _decimals(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return min(max(-int(exponent), _FEWEST), _MOST)


def _wide(title: str, texts: Sequence[str]) -> int:
    return _CHARACTER * max(len(title), *map(len, texts), 0) + _PADDING
