"""Columns of figures show what the ledger says: no digit less, no zero for something."""

from decimal import Decimal

import pytest

from ui.components.usage_number_columns import count_column, estimated, money_column, step_of


@pytest.mark.parametrize("decimals", range(2, 10))
def test_a_step_is_written_with_all_its_decimals(decimals: int) -> None:
    """The browser counts them in the written number, and writes a small one with an exponent."""
    assert len(str(step_of(decimals)).partition(".")[2]) == decimals


def test_amounts_are_told_to_the_last_digit_of_any_of_them() -> None:
    column = money_column("Cost, USD", [Decimal("1.5"), None, Decimal("0.000000123")])
    assert column["type_config"]["step"] == step_of(9)
    assert money_column("Cost, USD", [Decimal(3), None])["type_config"]["step"] == step_of(2)
    assert money_column("Cost, USD", [None])["type_config"]["step"] == step_of(2)


def test_a_column_is_as_wide_as_its_longest_figure_or_its_title() -> None:
    short, long = count_column("Requests", [1, None]), count_column("Requests", [1, 123_456_789_012])
    assert long["width"] - short["width"] == 8 * (len("123,456,789,012") - len("Requests"))


def test_estimates_have_no_digits_that_mean_nothing() -> None:
    assert estimated([Decimal("145.189"), Decimal("0.0012345"), None]) == [
        Decimal("145.19"),
        Decimal("0.00"),
        None,
    ]
    assert estimated([Decimal("0.0012345"), Decimal("0.000001")]) == [
        Decimal("0.001234"),
        Decimal("0.000001"),
    ]
