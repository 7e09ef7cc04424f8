"""Calls as CSV (RFC 4180), in pieces as they are read."""

import csv
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from typing import Any

from core.usage.exports.plain_text import csv_text, money_text
from core.usage.exports.rows import Row
from core.usage.exports.types import COLUMNS, Cell, Separator

_BOM = "\ufeff"
_TEXTS: dict[Cell, Callable[[Any], str]] = {
    Cell.MOMENT: lambda moment: moment.isoformat(timespec="microseconds"),
    Cell.DAY: lambda day: day.isoformat(),
    Cell.TEXT: csv_text,
    Cell.NUMBER: str,
    Cell.YES_NO: lambda value: "true" if value else "false",
    Cell.MONEY: money_text,
}
_TEXT_OF = tuple(_TEXTS[column.cell] for column in COLUMNS)


def csv_pieces(pages: Iterable[list[Row]], separator: Separator, bom: bool) -> Iterator[bytes]:
    """The bytes of the file in UTF-8, a piece a page; the first begins with the header.

    Times are ISO 8601 with their offset, money is exact with a decimal point. An empty cell: unknown.
    """
    piece = StringIO(newline="")
    writer = csv.writer(piece, delimiter=separator.value)
    piece.write(_BOM if bom else "")
    writer.writerow([column.name for column in COLUMNS])
    for page in pages:
        writer.writerows(map(_texts, page))
        yield piece.getvalue().encode()
        piece.seek(0)
        piece.truncate()
    if rest := piece.getvalue():
        yield rest.encode()


def _texts(row: Row) -> list[str]:
    return ["" if value is None else text_of(value) for text_of, value in zip(_TEXT_OF, row, strict=True)]
