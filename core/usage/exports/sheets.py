"""Sheets of an Excel workbook, written row by row: a head, rows, perhaps a line of totals."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_symbol
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from core.usage.exports.plain_text import excel_text, is_formula
from core.usage.exports.quick_rows import QuickRows, QuickSheet
from core.usage.exports.types import Cell as Kind

Value = str | int | bool | Decimal | date | datetime | None

LONGEST_TITLE = 31
"""Excel's limit on a sheet's title, in characters."""

_A4 = 9
TEXT = "General"
NUMBER = "#,##0"
PERCENT = "0.0%"
_DAYS = {"ru": "dd.mm.yyyy"}
_MOMENTS = {"ru": "dd.mm.yyyy hh:mm:ss"}

_BOLD = Font(name="Calibri", size=11, bold=True)
_HEAD_FILL = PatternFill("solid", start_color="E8EEF7")
_LINE = Side(style="thin", color="8096B0")
_HEAD_ALIGNMENT = Alignment(wrap_text=True, vertical="center")
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")


@dataclass(frozen=True, slots=True)
class Head:
    """A column: what stands above it, its number format, its width in characters."""

    title: str
    number_format: str = NUMBER
    width: int = 14


def day_format(language: str) -> str:
    """How Excel shows a day."""
    return _DAYS.get(language, "yyyy-mm-dd")


def moment_format(language: str) -> str:
    """How Excel shows a day and a time."""
    return _MOMENTS.get(language, "yyyy-mm-dd hh:mm:ss")


def money_format(currency: str, language: str) -> str:
    """How Excel shows an amount: with cents always, and what there is below them down to the nano-unit."""
    symbol = get_currency_symbol(currency, locale=language)
    amount = "#,##0.00#######"
    return f"[${symbol}]{amount}" if language == "en" else f"{amount} [${symbol}]"


def sheet_title(text: str, taken: Sequence[str] = ()) -> str:
    """`text` as a sheet may be called, other than the titles `taken` (Excel ignores their case)."""
    base = _FORBIDDEN.sub(" ", text).strip(" '")[:LONGEST_TITLE].strip(" '") or "1"
    used = {title.lower() for title in taken}
    title, number = base, 1
    while title.lower() in used:
        number += 1
        end = f" {number}"
        title = base[: LONGEST_TITLE - len(end)] + end
    return title


class Sheet:
    """A sheet under way. Its settings go in before its first row; rows leave memory as they come.

    With a head, `heads` is the first row: frozen, repeated on every printed page, and with filters.
    """

    def __init__(self, book: Workbook, title: str, heads: Sequence[Head], with_head: bool = True) -> None:
        sheet: Any = QuickSheet(book, sheet_title(title, book.sheetnames))
        own: Any = book
        own._add_sheet(sheet)
        self.sheet = sheet
        self.rows = 0
        self._heads = heads
        self._with_head = with_head
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = _A4
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        for number, head in enumerate(heads, start=1):
            sheet.column_dimensions[get_column_letter(number)].width = head.width
        # One cell a column and look, filled anew for every row: a new one each costs three times as much.
        self._cells = [self._styled(head.number_format) for head in heads]
        self._quoted = [self._styled(head.number_format, quoted=True) for head in heads]
        if with_head:
            sheet.freeze_panes = "A2"
            sheet.print_title_rows = "1:1"
            self.head([head.title for head in heads])

    def head(self, titles: Sequence[str]) -> None:
        """A line of titles."""
        cells: list[Cell] = []
        for title in titles:
            cell = self._styled(TEXT, bold=True, quoted=is_formula(title))
            cell.fill, cell.alignment, cell.border = _HEAD_FILL, _HEAD_ALIGNMENT, Border(bottom=_LINE)
            cells.append(_filled(cell, title))
        self._append(cells)

    def add(self, values: Sequence[Value]) -> None:
        """A row. Text is only ever shown, whatever it looks like."""
        row: list[Cell | None] = []
        for number, value in enumerate(values):
            if value is None:
                row.append(None)
            elif isinstance(value, str) and is_formula(value):
                row.append(_filled(self._quoted[number], value))
            else:
                row.append(_filled(self._cells[number], value))
        self._append(row)

    def quick_rows(self, kinds: Sequence[Kind]) -> QuickRows:
        """What makes rows of this sheet for `add_ready`, for columns that hold `kinds`."""
        plain, quoted = ([cell.style_id for cell in cells] for cells in (self._cells, self._quoted))
        return QuickRows(kinds, plain, quoted)

    def add_ready(self, row: str) -> None:
        """A row that `quick_rows` made, for the number `rows` + 1."""
        self.rows += 1
        self.sheet.append_xml(row)

    def add_as(self, values: Sequence[tuple[Value, str]], bold: bool = False) -> None:
        """A row whose cells have number formats of their own."""
        self._append(
            [
                None
                if value is None
                else _filled(
                    self._styled(number_format, bold, isinstance(value, str) and is_formula(value)), value
                )
                for value, number_format in values
            ]
        )

    def totals(self, values: Sequence[Value]) -> None:
        """A bold last row, which no filter hides or sorts away."""
        self.end_of_table()
        formats = [head.number_format for head in self._heads]
        self.add_as(list(zip(values, formats, strict=True)), bold=True)

    def end_of_table(self) -> None:
        """What is added after this is no part of the filtered table."""
        if self._with_head and self.rows > 1:
            self.sheet.auto_filter.ref = f"A1:{get_column_letter(len(self._heads))}{self.rows}"

    def _append(self, row: Sequence[Cell | None]) -> None:
        self.rows += 1
        self.sheet.append(row)

    def _styled(self, number_format: str, bold: bool = False, quoted: bool = False) -> Cell:
        cell: Any = WriteOnlyCell(self.sheet)
        cell.number_format = number_format
        if bold:
            cell.font = _BOLD
        if quoted:
            # Excel then keeps it as text even when somebody edits the cell.
            cell.quotePrefix = True
        return cell


def _filled(cell: Cell, value: Value) -> Cell:
    target: Any = cell
    if isinstance(value, str):
        target.value = excel_text(value)
        # openpyxl takes "=1" for a formula and "#N/A" for an error.
        target.data_type = "s"
    else:
        target.value = value
    return cell
