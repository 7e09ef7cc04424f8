"""Rows of a sheet written as the XML they are: several times faster than openpyxl's cells, for a table of calls."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet._writer import WorksheetWriter

from core.usage.exports.plain_text import excel_text, is_formula, money_text
from core.usage.exports.types import Cell

# With lxml openpyxl writes through a file that takes no ready XML; its own cells do then.
QUICK = not openpyxl.LXML
# Excel counts days from the one that it takes for the last of 1899.
_DAY_ZERO = date(1899, 12, 30).toordinal()
_DAY_SECONDS = 86_400


class _Xml(NamedTuple):
    """A row ready to be written."""

    text: str


class QuickSheet(WriteOnlyWorksheet):
    """A sheet that takes rows of cells and, from `append_xml`, rows of XML."""

    def append_xml(self, row: str) -> None:
        own: Any = self
        own.append(_Xml(row))

    def abandon(self) -> None:
        """Give up a sheet of a workbook that is not saved: its file in the folder for temporary ones goes at once."""
        own: Any = self
        if not self.closed:
            own.close()
        own._writer.cleanup()

    def _values_to_row(self, values: Any, row_idx: int) -> Any:
        if isinstance(values, _Xml):
            return values
        parent: Any = super()
        return parent._values_to_row(values, row_idx)

    def _get_writer(self) -> None:
        own: Any = self
        if own._writer is None:
            own._writer = _Writer(self)
            own._writer.write_top()


class _Writer(WorksheetWriter):
    def write_row(self, xf: Any, row: Any, row_idx: int) -> None:
        if isinstance(row, _Xml):
            xf._file(row.text)
        else:
            parent: Any = super()
            parent.write_row(xf, row, row_idx)


class QuickRows:
    """Makes rows of XML. `kinds`: what each column holds; `styles` and `quoted`: the numbers of the cell styles of
    each column, the latter for text that looks like a formula."""

    def __init__(self, kinds: Sequence[Cell], styles: Sequence[int], quoted: Sequence[int]) -> None:
        self._columns = [
            (f'<c r="{get_column_letter(number)}', f'" s="{style}"', f'" s="{marked}"', kind)
            for number, (kind, style, marked) in enumerate(zip(kinds, styles, quoted, strict=True), start=1)
        ]

    def row(self, number: int, values: Sequence[Any]) -> str:
        """Row `number`, counted from 1: a value or None for each column, as `Cell` says. Text is only ever shown."""
        parts = [f'<row r="{number}">']
        for value, (start, plain, marked, kind) in zip(values, self._columns, strict=True):
            if value is None:
                continue
            if kind is Cell.TEXT:
                inner, looks_like_formula = _text(value)
                parts.append(f"{start}{number}{marked if looks_like_formula else plain}{inner}")
            else:
                parts.append(f"{start}{number}{plain}{_VALUES[kind](value)}</v></c>")
        parts.append("</row>")
        return "".join(parts)


@lru_cache(4_096)
def _text(text: str) -> tuple[str, bool]:
    shown = excel_text(text)
    kept = ' xml:space="preserve"' if shown != shown.strip() or "\n" in shown else ""
    return f' t="inlineStr"><is><t{kept}>{escape(shown)}</t></is></c>', is_formula(text)


@lru_cache(4_096)
def _day(day: date) -> str:
    return f' t="n"><v>{day.toordinal() - _DAY_ZERO}'


def _moment(moment: datetime) -> str:
    # Excel knows no zones: the head names the clock.
    seconds = moment.hour * 3_600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6
    return f' t="n"><v>{moment.toordinal() - _DAY_ZERO + seconds / _DAY_SECONDS:.16g}'


_VALUES: dict[Cell, Callable[[Any], str]] = {
    Cell.MOMENT: _moment,
    Cell.DAY: _day,
    Cell.NUMBER: ' t="n"><v>{}'.format,
    Cell.YES_NO: lambda value: f' t="b"><v>{int(value)}',
    Cell.MONEY: lambda nano: f' t="n"><v>{money_text(nano)}',
}
