"""CSV in any encoding, read row by row."""

import csv
import io
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from core.i18n import N_
from core.usage.imports import faults
from core.usage.imports.arrow import np, pa
from core.usage.imports.encodings import detect_encoding, detect_separator
from core.usage.imports.source import CHUNK, Chunk
from core.usage.imports.types import ImportOptions

# A cell may hold a whole conversation. Python's own limit of 131,072 characters is for the whole process.
_LONGEST_CELL = 16 << 20
csv.field_size_limit(_LONGEST_CELL)
_BLOCK = 2 << 20
_ASCII_BASED = frozenset({"utf-8", "utf-8-sig", "cp1251", "cp1252", "koi8-r", "cp866"})


class CsvSource:
    """A CSV file; see `Source`."""

    def __init__(self, path: Path, options: ImportOptions) -> None:
        self._path = path
        found = detect_encoding(path) if options.encoding is None else None
        self.encoding: str | None = options.encoding or (found.encoding if found else None)
        self.guessed = found.guessed if found else False
        self.size = path.stat().st_size
        self.done = 0
        with self._open() as file:
            try:
                line = next((line for line in file if line.strip()), "")
            except UnicodeError as error:
                raise self._undecodable() from error
        self.separator: str | None = options.separator or detect_separator(line.lstrip("\ufeff"))
        self.header = self._header()
        self._is_plain = self.encoding in _ASCII_BASED and _is_plain(path)

    def _header(self) -> tuple[str, ...]:
        with self._open() as file:
            for row in self._records(file):
                if row:
                    return tuple(cell.strip().lstrip("\ufeff") for cell in row)
        raise faults.empty()

    def _open(self) -> io.TextIOWrapper:
        return self._path.open(encoding=self.encoding, newline="")

    def _undecodable(self) -> Exception:
        """Names the line, which reading in blocks does not tell."""
        encoding, number = str(self.encoding), 1
        if encoding in _ASCII_BASED:
            with self._path.open("rb") as file:
                for number, line in enumerate(file, start=1):  # noqa: B007 - the last one is what is asked
                    try:
                        line.decode(encoding)
                    except UnicodeError:
                        break
        return faults.undecodable(number, encoding)

    def _records(self, file: Any) -> Iterator[list[str]]:
        """Rows as they stand, blank lines as empty ones."""
        rows = csv.reader(file, delimiter=self.separator or ",", strict=True)
        number = 0
        try:
            for row in rows:
                number += 1
                yield row
        except UnicodeError as error:
            raise self._undecodable() from error
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise faults.cut_off(number + 1) from error
            raise faults.fault(
                N_(
                    "Row {row} is not CSV: its quotes or separators do not fit ({reason}). "
                    "Repair that row, or export the file again."
                ),
                row=number + 1,
                reason=str(error),
            ) from error

    def chunks(self, used: Sequence[int]) -> Iterator[Chunk]:
        number, self.done = 1, 0
        if self._is_plain:
            for chunk in self._quickly(used):
                yield chunk
                number += len(chunk.rows)
        if self.done < self.size:
            yield from self._slowly(used, number)
        self.done = self.size

    def _quickly(self, used: Sequence[int]) -> Iterator[Chunk]:
        """The rows up to the first that does not have as many cells as the header: ten times faster."""
        arrow, number = pa(), 1
        csv_module: Any = import_module("pyarrow.csv")
        names = [str(place) for place in range(len(self.header))]
        self.done = 0
        try:
            with self._path.open("rb") as raw:
                reader = csv_module.open_csv(
                    raw,
                    csv_module.ReadOptions(
                        column_names=names, skip_rows_after_names=1, block_size=_BLOCK, encoding=self.encoding
                    ),
                    csv_module.ParseOptions(delimiter=self.separator, quote_char=False),
                    csv_module.ConvertOptions(
                        column_types=dict.fromkeys(names, arrow.string()),
                        include_columns=[names[place] for place in used],
                        null_values=[""],
                    ),
                )
                for batch in reader:
                    columns = {place: batch.column(at) for at, place in enumerate(used)}
                    yield Chunk(np().arange(number + 1, number + 1 + len(batch)), columns)
                    number += len(batch)
                    self.done = min(self.size - 1, raw.tell())
        except (arrow.ArrowException, UnicodeError):
            # The slow way goes on from here, and can say what is wrong in which row.
            self.done = min(self.done, self.size - 1)
        else:
            self.done = self.size

    def _slowly(self, used: Sequence[int], after: int) -> Iterator[Chunk]:
        """The rows after the one of that number."""
        with self._open() as file:
            raw: Any = file.buffer
            records = self._records(file)
            number = 1
            for row in records:
                if row:
                    break
                number += 1
            for _ in islice(records, after - number):
                number += 1
            while rows := list(islice(records, CHUNK)):
                yield self._chunk(rows, number + 1, used)
                number += len(rows)
                self.done = min(self.size - 1, int(raw.tell()))

    def _chunk(self, rows: list[list[str]], first: int, used: Sequence[int]) -> Chunk:
        width = len(self.header)
        numbers: Any = np().arange(first, first + len(rows))
        ragged: list[int] = []
        if any(len(row) != width for row in rows):
            kept = [place for place, row in enumerate(rows) if any(cell.strip() for cell in row)]
            numbers, rows = numbers[kept], [rows[place] for place in kept]
            for place, row in enumerate(rows):
                # Spreadsheets end lines with empty cells that mean nothing.
                if len(row) != width and (len(row) < width or any(row[width:])):
                    ragged.append(place)
                    rows[place] = [""] * width
        columns = {place: pa().array([row[place] for row in rows], pa().string()) for place in used}
        return Chunk(numbers, columns, tuple(ragged))


def _is_plain(path: Path) -> bool:
    """Whether a file has neither quotes nor blank lines, so that each of its lines is a row."""
    last = b"\n"
    with path.open("rb") as file:
        while read := file.read(_BLOCK):
            piece = last + read
            if b'"' in piece or b"\n\n" in piece or b"\n\r" in piece or b"\x00" in piece:
                return False
            if b"\r" in piece and piece.count(b"\r") != piece.count(b"\r\n") + piece.endswith(b"\r"):
                return False
            last = piece[-1:]
    return True
