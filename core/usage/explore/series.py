"""One figure over time: what a chart of it, or a program, asks for."""

from collections.abc import Sequence
from itertools import product

from core.usage.explore.columns import COUNTS, Columns, added_up
from core.usage.explore.columns import FIGURES as SUMMED
from core.usage.explore.types import Period

TOKENS, COST, SAVED = "tokens", "cost", "saved"
FIGURES = (TOKENS, *COUNTS, COST, SAVED)
Lines = dict[tuple[str, str], tuple[int, ...]]
"""By value of the group and currency ("" for what is no money): a number for each period."""


def lines_from(columns: Columns, periods: Sequence[Period], figure: str) -> Lines:
    """From rows of any sums."""
    money = figure in (COST, SAVED)
    currencies: Sequence[str] = columns.currencies if money else ("",)
    line = columns.of * len(currencies) + (columns.in_currency if money else 0)
    code = line * len(periods) + columns.positions(periods)
    numbers = columns.addable()[:, _places(figure)].sum(axis=1, keepdims=True)
    lines = added_up(numbers, code, len(columns.values) * len(currencies) * len(periods)).reshape(
        -1, len(periods)
    )
    names = product(columns.values, currencies)
    return {name: tuple(line) for name, line in zip(names, lines.tolist(), strict=True)}


def without_zeros(lines: Lines) -> Lines:
    """Only the lines on which something stands."""
    return {name: line for name, line in lines.items() if any(line)}


def _places(figure: str) -> list[int]:
    if figure == TOKENS:
        return [SUMMED.index("input_tokens"), SUMMED.index("output_tokens")]
    return [SUMMED.index({COST: "cost_nano", SAVED: "saved_nano"}.get(figure, figure))]
