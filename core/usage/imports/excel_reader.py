"""The first sheet of an Excel workbook, row by row."""

import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from core.i18n import N_
from core.usage.imports import faults
from core.usage.imports.arrow import np, pa
from core.usage.imports.source import CHUNK, Chunk

# Unpacked, a million rows of twenty columns are about one gigabyte; the table of texts is held in memory.
_MOST_UNPACKED, _MOST_TEXTS = 4 << 30, 512 << 20
_MOST_RATIO = 400  # times; a sheet of equal cells packs about a hundredfold
_SMALL = 64 << 20


class ExcelSource:
    """An .xlsx file; see `Source`. `size` counts rows, as far as the sheet tells them."""

    encoding = None
    separator = None
    guessed = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.done = 0
        _check_archive(path)
        with self._rows() as (rows, count):
            self.size = count
            header = next((row for row in rows if any(cell is not None for cell in row)), None)
        if header is None:
            raise faults.empty()
        names = [_text(cell) or "" for cell in header]
        while names and not names[-1].strip():
            names.pop()
        self.header = tuple(name.strip() for name in names)

    @contextmanager
    def _rows(self) -> Generator[tuple[Iterator[tuple[Any, ...]], int]]:
        # Imported here: a quarter of a second at start.
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException

        faulty = (
            zipfile.BadZipFile,
            InvalidFileException,
            ParseError,
            KeyError,
            EOFError,
            zipfile.LargeZipFile,
        )
        try:
            # As an open file, because openpyxl refuses a name that does not end in .xlsx.
            file = self._path.open("rb")
            book: Any = load_workbook(file, read_only=True, data_only=True)
        except (*faulty, ValueError, TypeError, OSError) as error:
            raise faults.broken("Excel") from error
        try:
            sheet = next((each for each in book.worksheets if each.sheet_state == "visible"), None)
            if sheet is None:
                raise faults.empty()
            count = sheet.max_row or 0
            sheet.reset_dimensions()
            yield sheet.iter_rows(values_only=True), count
        except (*faulty, ValueError) as error:
            raise faults.broken("Excel") from error
        finally:
            book.close()
            file.close()

    def chunks(self, used: Sequence[int]) -> Iterator[Chunk]:
        with self._rows() as (rows, _):
            number = 0
            for row in rows:
                number += 1
                if any(cell is not None for cell in row):
                    break
            while part := list(islice(rows, CHUNK)):
                yield self._chunk(part, number + 1, used)
                number += len(part)
                self.done = number
        self.done = self.size

    def _chunk(self, rows: list[tuple[Any, ...]], first: int, used: Sequence[int]) -> Chunk:
        numbers: Any = np().arange(first, first + len(rows))
        kept = [place for place, row in enumerate(rows) if any(cell is not None for cell in row)]
        if len(kept) < len(rows):
            numbers, rows = numbers[kept], [rows[place] for place in kept]
        columns = {
            place: pa().array(
                [_text(row[place]) if place < len(row) else None for row in rows], pa().string()
            )
            for place in used
        }
        return Chunk(numbers, columns)


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise faults.broken("Excel") from error
    names = {part.filename for part in parts}
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise faults.fault(N_("The file is compressed. Unpack it first, then choose the file inside."))
    unpacked = sum(part.file_size for part in parts)
    texts = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
    ratio = unpacked / max(1, path.stat().st_size)
    if (ratio > _MOST_RATIO and unpacked > _SMALL) or unpacked > _MOST_UNPACKED or texts > _MOST_TEXTS:
        raise faults.fault(
            N_(
                "Unpacked, this Excel file is too large to be opened safely. Save it as CSV, then choose that."
            )
        )


def _text(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, float):
        # 1.234 as text might be a thousand and some: with a fourth decimal it cannot.
        text = repr(cell)
        return f"{text}0" if len(text.partition(".")[2]) == 3 else text
    return str(cell)
