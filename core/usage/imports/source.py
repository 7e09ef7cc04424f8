"""A file as a table of text: a header, and its rows in chunks that memory holds whatever the file's size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.i18n import N_
from core.usage.imports import faults
from core.usage.imports.arrow import Array
from core.usage.imports.types import ImportOptions

CHUNK = 20_000
"""Rows in a chunk."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows. `rows`: their numbers, the header being 1 (int64). `columns`: by position, text or null.

    `ragged`: the indices in this chunk of rows that have more or fewer cells than the header; theirs are null.
    """

    rows: Array
    columns: dict[int, Array]
    ragged: tuple[int, ...] = ()


class Source(Protocol):
    """A file that is open for reading. AppError(VALIDATION) where it turns out not to be what it seemed."""

    @property
    def header(self) -> tuple[str, ...]: ...

    @property
    def encoding(self) -> str | None: ...

    @property
    def separator(self) -> str | None: ...

    @property
    def guessed(self) -> bool:
        """Whether the encoding is a guess."""
        ...

    @property
    def size(self) -> int:
        """How much there is to read, in any unit."""
        ...

    @property
    def done(self) -> int:
        """How much of that the last `chunks` has read."""
        ...

    def chunks(self, used: Sequence[int]) -> Iterator[Chunk]:
        """All rows from the first on, with the columns `used`; can be asked for again."""
        ...


_OTHERS = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"SQLite format 3", "SQLite"),
    (b"\x7fELF", "ELF"),
    (b"<!DOCTYPE", "HTML"),
    (b"<html", "HTML"),
    (b"<?xml", "XML"),
)


def open_source(path: Path, options: ImportOptions) -> Source:
    """The table in a file, by what the file is and not by how it is called."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise faults.empty()
    if head.startswith(b"PAR1"):
        from core.usage.imports.parquet_reader import ParquetSource

        return ParquetSource(path)
    if head.startswith(b"PK\x03\x04"):
        from core.usage.imports.excel_reader import ExcelSource

        return ExcelSource(path)
    _refuse_others(head)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        from core.usage.imports.json_reader import JsonSource

        return JsonSource(path)
    from core.usage.imports.csv_reader import CsvSource

    return CsvSource(path, options)


def _refuse_others(head: bytes) -> None:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise faults.fault(
            N_(
                "This is an Excel file of the old kind (.xls). Save it as .xlsx or CSV, then choose that file."
            )
        )
    if head.startswith((b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!")):
        raise faults.fault(N_("The file is compressed. Unpack it first, then choose the file inside."))
    kind = next((name for start, name in _OTHERS if head.lstrip().startswith(start)), None)
    if kind is None and b"\x00" in head and not _may_be_utf16(head):
        kind = "binary"
    if kind is not None:
        raise faults.fault(
            N_("This is a file of another kind ({kind}). Choose a CSV, Excel, Parquet or JSON file."),
            kind=kind,
        )


def _may_be_utf16(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    from core.usage.imports.encodings import looks_like_highs

    return b"\x00\x00" not in head and any(looks_like_highs(highs) for highs in (head[::2], head[1::2]))
