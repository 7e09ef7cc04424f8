"""The cells of one chunk by what they say, and the words in them as ours."""

import json
from contextlib import suppress
from typing import Any

from core.usage.imports.arrow import Array, np, pa, pc
from core.usage.imports.columns import ColumnMap
from core.usage.imports.numbers import cleaned, decimal_of
from core.usage.imports.skips import ChunkSkips
from core.usage.imports.source import Chunk
from core.usage.imports.types import COUNTS, DecimalSign, Field, Format, SkipReason
from core.usage.imports.words import labels_of, provider_of, status_of, tags_json
from core.usage.types import CallStatus

_APART = "\x1f"  # stands in no cell that a person or a program writes


class Texts:
    """Columns of a chunk, cleaned once each."""

    def __init__(self, chunk: Chunk, columns: ColumnMap, header: tuple[str, ...]) -> None:
        self._chunk = chunk
        self._map = columns
        self.header = header
        self._clean: dict[int, Array] = {}

    def __len__(self) -> int:
        return len(self._chunk.rows)

    def at(self, place: int) -> Array:
        """The column at a position."""
        if place not in self._clean:
            self._clean[place] = cleaned(self._chunk.columns[place])
        return self._clean[place]

    def get(self, field: Field) -> Array | None:
        """What the rows say of a field; None when no column does."""
        places = self._map.columns.get(field)
        return self.at(places[0]) if places else None

    def places(self, field: Field) -> tuple[int, ...]:
        """The positions of the columns that say a field."""
        return self._map.columns.get(field, ())

    def title(self, field: Field) -> str:
        """How the file calls the column of a field."""
        places = self._map.columns.get(field)
        return self.header[places[0]] if places else ""

    def time(self) -> Array:
        """When, as one text: the date and the time of day may stand in two columns."""
        places = self._map.columns[Field.TIME]
        first = self.at(places[0])
        if len(places) == 1:
            return first
        second = self.at(places[1])
        return (
            pc().binary_join_element_wise(
                first, pc().coalesce(second, pa().scalar("")), " ", null_handling="emit_null"
            )
            if not pc().all(pc().is_null(second)).as_py()
            else first
        )

    def filled(self, field: Field) -> Array:
        """A field as text without nulls: of its column, or what the file says of all rows."""
        column = self.get(field)
        fixed = self._map.fixed.get(field, "")
        if column is None:
            return pa().array([fixed] * len(self), pa().string())
        return pc().fill_null(column, fixed)

    def joined(self, places: tuple[int, ...]) -> Array:
        """Several columns as one text a row."""
        parts = [pc().fill_null(self.at(place), "") for place in places]
        return parts[0] if len(parts) == 1 else pc().binary_join_element_wise(*parts, _APART)

    def each(self, column: Array, of: Any, kind: Any) -> Array:
        """`of` for each text of a column, asked once for each that is different."""
        coded = column.dictionary_encode()
        found = pa().array([of(text) for text in coded.dictionary.to_pylist()], kind)
        return found.take(coded.indices)

    def models(self, format_: Format) -> tuple[Array, Array]:
        """Providers and models in our words; "" for a row that names no model."""
        pairs = pc().binary_join_element_wise(self.filled(Field.PROVIDER), self.filled(Field.MODEL), _APART)

        def named(pair: str) -> tuple[str, str]:
            provider, _, model = pair.partition(_APART)
            if format_ is Format.OPENAI_COSTS:
                model = model.partition(", ")[0]
            return provider_of(provider, model) if model else (provider, "")

        coded = pairs.dictionary_encode()
        names = [named(pair) for pair in coded.dictionary.to_pylist()]
        return (
            pa().array([name for name, _ in names], pa().string()).take(coded.indices),
            pa().array([name for _, name in names], pa().string()).take(coded.indices),
        )

    def span(self, milliseconds: Field, seconds: Field, known: Array | None) -> Array | None:
        """A duration in milliseconds, -1 where unknown; `known` is what other columns tell."""
        for field, scale in ((milliseconds, 1), (seconds, 1000)):
            column = self.get(field)
            if column is not None:
                told = _spans(column, scale)
                return told if known is None else np().where(told >= 0, told, known)
        return known


def _spans(column: Array, scale: int) -> Array:
    """Durations times `scale`, -1 where a cell says none."""
    if scale == 1:
        with suppress(pa().ArrowInvalid):
            return pc().fill_null(pc().cast(column, pa().int64()), -1).to_numpy(zero_copy_only=False)
    return np().array([_scaled(text, scale) for text in column.to_pylist()], np().int64)


def _scaled(text: str | None, scale: int) -> int:
    number = decimal_of(text, DecimalSign.POINT) if text else None
    if number is None or number < 0 or number.adjusted() > 9:
        return -1
    return int((number * scale).to_integral_value())


def statuses(texts: Texts, skips: ChunkSkips) -> tuple[Array, Array]:
    """How each call ended, and which failed."""
    cells = texts.get(Field.STATUS)
    if cells is None:
        ended = pa().array([CallStatus.COMPLETED.value] * len(texts), pa().string())
        return ended, np().zeros(len(texts), bool)
    ended = texts.each(pc().fill_null(cells, ""), status_of, pa().string())
    unknown = pc().is_null(ended).to_numpy(zero_copy_only=False)
    skips.mark(unknown, SkipReason.BAD_STATUS, texts.title(Field.STATUS), cells)
    ended = pc().fill_null(ended, CallStatus.COMPLETED.value)
    return ended, pc().equal(ended, CallStatus.FAILED.value).to_numpy(zero_copy_only=False)


def tags(texts: Texts, columns: ColumnMap) -> Array:
    """The tags of each row as JSON, null for none."""
    single = [columns.columns[each][0] for each in (Field.CATEGORY, Field.PROMPT) if each in columns.columns]
    kinds = [each for each in (Field.CATEGORY, Field.PROMPT) if each in columns.columns]
    listed = columns.columns.get(Field.LABELS, ())[:1]
    places = (*single, *columns.labels.values(), *listed)
    if not places:
        return pa().nulls(len(texts), pa().string())
    names = [*kinds, *columns.labels, *(Field.LABELS for _ in listed)]

    def tagged(joined: str) -> str | None:
        said: dict[str, str] = dict(zip(names, joined.split(_APART), strict=False))
        labels = [f"{name}={said[name]}" for name in columns.labels if said.get(name)]
        labels += labels_of(said[Field.LABELS]) if said.get(Field.LABELS) else []
        return tags_json(said.get(Field.CATEGORY, ""), said.get(Field.PROMPT, ""), labels)

    return texts.each(texts.joined(places), tagged, pa().string())


def from_json(texts: Texts, skips: ChunkSkips, found: dict[Field, Array]) -> None:
    """Tokens of rows that keep them as JSON; they win over columns."""
    cells = texts.get(Field.USAGE_JSON)
    if cells is None:
        return
    bad: list[int] = []
    for place, cell in enumerate(cells.to_pylist()):
        if cell is None or cell in ("{}", "null"):
            continue
        try:
            usage = _usage(json.loads(cell, parse_float=str))
        except (ValueError, TypeError, AttributeError):
            bad.append(place)
            continue
        if usage is not None:
            for field, value in usage.items():
                found[field][place] = value
    skips.mark_places(bad, SkipReason.BAD_JSON, texts.title(Field.USAGE_JSON), cells)


def _usage(said: dict[str, Any]) -> dict[Field, int] | None:
    """Langfuse keeps kinds of tokens apart that add up to the total; the older form has the sums only."""
    numbers = {
        name: int(value)
        for name, value in said.items()
        if value is not None and str(value).lstrip("-").isdigit()
    }
    if not numbers:
        return None
    parts = {name: number for name, number in numbers.items() if name not in ("total", "totalTokens", "unit")}
    read = {name: number for name, number in parts.items() if _is_input(name)}
    written = {name: number for name, number in parts.items() if name not in read}
    total = numbers.get("total", numbers.get("totalTokens"))
    inclusive = total is not None and total == numbers.get("input", 0) + numbers.get("output", 0)
    cached = sum(number for name, number in read.items() if "cache" in name and "creation" not in name)
    stored = sum(number for name, number in read.items() if "cache" in name and "creation" in name)
    return {
        **dict.fromkeys(COUNTS, 0),
        Field.INPUT: numbers.get("input", 0) if inclusive else sum(read.values()),
        Field.CACHED: cached,
        Field.CACHE_WRITE: stored,
        Field.INPUT_AUDIO: sum(
            number for name, number in read.items() if "audio" in name and "cache" not in name
        ),
        Field.OUTPUT: numbers.get("output", 0) if inclusive else sum(written.values()),
        Field.REASONING: sum(
            number for name, number in written.items() if "reason" in name or "thought" in name
        ),
        Field.OUTPUT_AUDIO: sum(number for name, number in written.items() if "audio" in name),
    }


def _is_input(name: str) -> bool:
    name = name.lower()
    return name.startswith(("input", "prompt", "cache"))
