"""JSON and JSON Lines: a list of objects, read one after the other however long it is."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from core.i18n import N_
from core.usage.imports import faults
from core.usage.imports.arrow import np, pa
from core.usage.imports.source import CHUNK, Chunk

_PIECE = 1 << 20
_LONGEST_ROW = 64 << 20
_SEEN = 500  # objects whose names make the header
# Where the rows are in the answer of an API.
_LIST = re.compile(r'"(?:data|rows|results|logs|observations|traces|response)"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")

Item = dict[str, Any]


class JsonSource:
    """A JSON file; see `Source`. Numbers stay the digits they are, nested values stay JSON."""

    encoding: str | None = "utf-8"
    separator = None
    guessed = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size
        self.done = 0
        names: dict[str, None] = {}
        for item in islice(self._items(), _SEEN):
            names.update(dict.fromkeys(item))
        if not names:
            raise faults.empty()
        self.header = tuple(names)

    def chunks(self, used: Sequence[int]) -> Iterator[Chunk]:
        items = self._items()
        number = 1
        while part := list(islice(items, CHUNK)):
            columns = {
                place: pa().array([_text(item.get(self.header[place])) for item in part], pa().string())
                for place in used
            }
            yield Chunk(np().arange(number + 1, number + 1 + len(part)), columns)
            number += len(part)
        self.done = self.size

    def _items(self) -> Iterator[Item]:
        with self._path.open(encoding="utf-8-sig") as file:
            number = 1
            try:
                for value in self._values(file):
                    number += 1
                    if not isinstance(value, dict):
                        raise _not_rows(number)
                    yield value
            except UnicodeError as error:
                raise faults.undecodable(number + 1, "UTF-8") from error

    def _values(self, file: TextIO) -> Iterator[Any]:
        """The values one by one, wherever their list begins."""
        decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
        buffer, place, number = file.read(_PIECE), 0, 1
        place = self._begin(buffer)
        listed = place > 0
        while True:
            place = _end(_BETWEEN, buffer, place)
            if place < len(buffer) and listed and buffer[place] == "]":
                return
            if place < len(buffer):
                try:
                    value, place = decoder.raw_decode(buffer, place)
                except json.JSONDecodeError as error:
                    if not _may_go_on(error, buffer, place):
                        raise _not_json(number + 1, error) from error
                else:
                    number += 1
                    yield value
                    continue
            piece = file.read(_PIECE)
            self.done = min(self.size, self.done + len(piece))
            if not piece:
                if buffer[place:].strip() or listed:
                    raise faults.cut_off(number + 1)
                return
            buffer, place = buffer[place:] + piece, 0

    @staticmethod
    def _begin(head: str) -> int:
        """Where the first value begins; 0 for values that stand in no list."""
        start = len(head) - len(head.lstrip())
        if head[start : start + 1] == "[":
            return start + 1
        first = head[start:].partition("\n")[0]
        try:
            lone = json.loads(first)
        except ValueError:
            lone = None
        # One object a line are the rows themselves, unless the first line is a whole answer with a list in it.
        found = _LIST.search(head)
        if found and (lone is None or any(isinstance(lone.get(name), list) for name in ("data", "results"))):
            return found.end()
        return 0


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place


def _may_go_on(error: json.JSONDecodeError, buffer: str, place: int) -> bool:
    """Whether the rest of a value may just not have been read yet."""
    if len(buffer) - place > _LONGEST_ROW:
        return False
    return "Unterminated string" in error.msg or error.pos > len(buffer) - 64


def _not_json(row: int, error: json.JSONDecodeError) -> Exception:
    return faults.fault(
        N_("Row {row} is not JSON ({reason}). Repair that row, or export the file again."),
        row=row,
        reason=error.msg,
    )


def _not_rows(row: int) -> Exception:
    return faults.fault(
        N_("Row {row} is no object with named values. Choose a JSON file with a list of objects."), row=row
    )


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)
