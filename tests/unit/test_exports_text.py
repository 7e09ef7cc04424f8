"""Text from outside, made fit for a spreadsheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from core.usage.exports.plain_text import LONGEST_CELL, csv_text, excel_text, is_formula, money_text
from core.usage.exports.sheets import LONGEST_TITLE, sheet_title


@pytest.mark.parametrize(
    "text",
    ["=1", "+1", "-1", "@a", "\t=1+1", "\tplain", "\r=1", "\n=1", "  =1", "＝1", "＠a"],  # noqa: RUF001
)
def test_what_may_be_computed_is_marked_as_text(text: str) -> None:
    assert is_formula(text)
    assert csv_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "gpt-5.6", "a=b", "'=1", "1", "#N/A", "Модель"])
def test_what_is_only_text_stays_as_it_is(text: str) -> None:
    assert csv_text(text) == excel_text(text) == text


def test_nothing_hides_a_formula_from_the_mark() -> None:
    assert csv_text("\x00=1") == "'=1"
    assert csv_text("\x1b\x01+1") == "'+1"
    assert csv_text("\udc80=1") == "?=1"


def test_what_no_cell_can_hold_goes() -> None:
    assert excel_text("a\x00b\x0bc\ufffed\ud800e") == "abcd?e"
    assert excel_text("a\r\nb\rc\td") == "a\nb\nc\td"
    assert excel_text("_x000D_ _x0041_") == "_x005F_x000D_ _x005F_x0041_"


@pytest.mark.parametrize("character", ["a", "Я", "\U0001f600"])
def test_a_text_too_long_for_a_cell_is_cut_with_an_ellipsis(character: str) -> None:
    cut = excel_text("ab" + character * 40_000)
    assert cut.endswith(character + "…")
    assert LONGEST_CELL - 1 <= len(cut.encode("utf-16-le")) / 2 <= LONGEST_CELL
    assert excel_text("a" * LONGEST_CELL) == "a" * LONGEST_CELL
    assert len(csv_text("a" * 40_000)) == 40_000


@given(st.text(st.characters(codec=None), max_size=200))
def test_any_text_fits_a_cell_and_utf_8(text: str) -> None:
    shown = excel_text(text)
    shown.encode()
    assert not ILLEGAL_CHARACTERS_RE.search(shown)
    csv_text(text).encode()
    assert not csv_text(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0.000000000"),
        (1, "0.000000001"),
        (103_161_250, "0.103161250"),
        (-1_500_000_000, "-1.500000000"),
        (2**63 - 1, "9223372036.854775807"),
    ],
)
def test_money_is_written_exactly(nano: int, text: str) -> None:
    assert money_text(nano) == text


@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_title_is_one_that_excel_takes(wanted: list[str]) -> None:
    book = Workbook(write_only=True)
    for text in wanted:
        title = sheet_title(text, book.sheetnames)
        sheet = book.create_sheet(title)
        assert sheet.title == title
        assert 0 < len(title) <= LONGEST_TITLE
        assert not title.startswith("'")
        assert not title.endswith("'")
    assert len({name.lower() for name in book.sheetnames}) == len(wanted)
