"""Which bytes are which letters, and what stands between cells: found out from the file itself."""

import codecs
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from charset_normalizer import from_bytes

from core.usage.imports.columns import PLAIN, normal
from core.usage.imports.layouts import LAYOUTS

ENCODINGS = ("utf-8", "utf-16", "cp1251", "cp1252", "koi8-r", "cp866")
"""The encodings to choose from."""

SEPARATORS = (",", ";", "\t", "|")

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SINGLE_BYTE = ["cp1251", "cp1252", "koi8_r", "cp866"]
_NAMES = {"koi8_r": "koi8-r"}
_PIECE = 1 << 20
_SAMPLE = 64 << 10
_KNOWN = frozenset(
    {name for names in PLAIN.values() for name in names}
    | {name for layout in LAYOUTS for names in layout.columns.values() for name in names}
    | {name for layout in LAYOUTS for name in layout.known_by}
)


@dataclass(frozen=True, slots=True)
class TextKind:
    """How to decode a file. `guessed`: the bytes allow others."""

    encoding: str
    guessed: bool = False


def detect_encoding(path: Path) -> TextKind:
    """The encoding of a text file: by its mark, UTF-8 where all of it is, else the likeliest of one byte a letter."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
        for mark, encoding in _BOMS:
            if head.startswith(mark):
                return TextKind(encoding)
        if encoding := _utf16_without_mark(head):
            return TextKind(encoding, guessed=True)
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        telling = b""
        try:
            while piece := file.read(_PIECE):
                telling = piece
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return TextKind(_likeliest(head, telling), guessed=True)
    return TextKind("utf-8")


def _utf16_without_mark(head: bytes) -> str | None:
    for encoding, highs in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if len(highs) > 1 and looks_like_highs(highs):
            return encoding
    return None


def looks_like_highs(highs: bytes) -> bool:
    """Whether every other byte of a text is that of UTF-16 in front of a Latin or a Cyrillic letter."""
    return (highs.count(0) + highs.count(4)) * 10 > len(highs) * 9


def _likeliest(head: bytes, telling: bytes) -> str:
    """Of the lines with other than ASCII, because the rest tells nothing; `telling` is where UTF-8 failed."""
    lines = [line for line in (head + b"\n" + telling).split(b"\n") if not line.isascii()]
    best = from_bytes(b"\n".join(lines)[:_SAMPLE], cp_isolation=_SINGLE_BYTE).best()
    return _NAMES.get(best.encoding, best.encoding) if best else "cp1251"


def detect_separator(line: str) -> str:
    """What stands between the headers: whatever makes the most of them known, else the most of them."""

    def score(separator: str) -> tuple[int, int]:
        cells = cells_of(line, separator)
        return sum(normal(cell) in _KNOWN for cell in cells), len(cells)

    return max(SEPARATORS, key=score)


def cells_of(line: str, separator: str) -> Sequence[str]:
    """The cells of one line of a CSV."""
    return next(csv.reader(StringIO(line), delimiter=separator), list[str]())
