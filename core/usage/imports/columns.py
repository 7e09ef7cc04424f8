"""Which column of a file says what: the seam between layouts and rows.

Whatever matches columns, by name or otherwise, hands a `ColumnMap` in; what comes out does not depend on it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.usage.imports.types import Field

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """`columns`: the positions (from 0) of the columns that say a field; several counts are added up, a date and
    a time joined. `fixed`: what every row says. `labels`: columns whose value becomes the label of that name.
    `identity`: the columns whose text tells rows without a request id apart.
    """

    columns: Mapping[Field, tuple[int, ...]]
    fixed: Mapping[Field, str] = field(default_factory=dict[Field, str])
    labels: Mapping[str, int] = field(default_factory=dict[str, int])
    identity: tuple[int, ...] = ()

    def used(self) -> tuple[int, ...]:
        """The positions of all columns that matter, in order."""
        found = {place for places in self.columns.values() for place in places}
        return tuple(sorted({*found, *self.labels.values(), *self.identity}))


def normal(name: str) -> str:
    """A header without its dress: `startTime`, `Start time` and `start_time` are one."""
    return _OTHER.sub("_", _HUMP.sub("_", name.strip().lstrip("\ufeff"))).strip("_").lower()


PLAIN: Mapping[Field, tuple[str, ...]] = {
    Field.TIME: (
        "time",
        "date",
        "datetime",
        "date_time",
        "timestamp",
        "occurred_at",
        "created_at",
        "start_time",
        "time_utc",
        "day",
        "дата_и_время",
        "дата_время",
        "время",
        "дата",
        "день",
    ),
    Field.PROVIDER: ("provider", "поставщик", "провайдер"),
    Field.MODEL: ("model", "model_name", "модель"),
    Field.INPUT: (
        "input_tokens",
        "prompt_tokens",
        "input",
        "входные_токены",
        "входящие_токены",
        "токены_запроса",
    ),
    Field.CACHED: (
        "cached_input_tokens",
        "cached_tokens",
        "cache_read_tokens",
        "кэшированные_токены",
        "кешированные_токены",
        "входные_токены_из_кэша",
        "токены_из_кэша",
    ),
    Field.CACHE_WRITE: ("cache_write_tokens", "cache_creation_tokens", "токены_записи_в_кэш"),
    Field.INPUT_AUDIO: ("input_audio_tokens", "входные_аудиотокены"),
    Field.OUTPUT: (
        "output_tokens",
        "completion_tokens",
        "output",
        "выходные_токены",
        "исходящие_токены",
        "токены_ответа",
    ),
    Field.REASONING: ("reasoning_tokens", "thinking_tokens", "токены_рассуждений", "токены_размышлений"),
    Field.OUTPUT_AUDIO: ("output_audio_tokens", "выходные_аудиотокены"),
    Field.REQUESTS: (
        "requests",
        "calls",
        "number_of_requests",
        "запросы",
        "число_запросов",
        "количество_запросов",
    ),
    Field.COST: ("cost", "amount", "price", "cost_usd", "стоимость", "сумма", "цена"),
    Field.CURRENCY: ("currency", "валюта"),
    Field.STATUS: ("status", "статус", "состояние"),
    Field.LATENCY_MS: ("latency_ms", "duration_ms", "latency", "длительность_мс", "задержка_мс"),
    Field.FIRST_TOKEN_MS: ("first_token_ms", "ttft_ms", "время_до_первого_токена_мс", "первый_токен_мс"),
    Field.CATEGORY: ("category", "категория"),
    Field.PROMPT: ("prompt", "prompt_name", "промпт", "шаблон"),
    Field.LABELS: ("labels", "tags", "label", "метки", "теги"),
    Field.ID: ("request_id", "id", "call_id", "идентификатор", "идентификатор_запроса", "номер_запроса"),
}
"""The documented names of a plain table, the one to recommend first; English and Russian."""

_DATES, _TIMES = ("date", "day", "дата", "день"), ("time", "время")


def places_of(header: Sequence[str]) -> dict[str, list[int]]:
    """The positions of each header by its normal name; more than one is a header that stands twice."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(header):
        if name := normal(name):
            found.setdefault(name, []).append(place)
    return found


def match_plain(header: Sequence[str]) -> ColumnMap:
    """The columns of a plain table by their documented names. Its rows are told apart by all of them."""
    places = places_of(header)
    columns: dict[Field, tuple[int, ...]] = {
        each: (places[name][0],)
        for each, names in PLAIN.items()
        if (name := next((name for name in names if name in places), None)) is not None
    }
    joined = (_first(_DATES, places), _first(_TIMES, places))
    if None not in joined:
        columns[Field.TIME] = tuple(place for place in joined if place is not None)
    fixed = {Field.CURRENCY: "USD"} if "cost_usd" in places and not {"cost", "amount"} & places.keys() else {}
    if Field.CURRENCY in columns:
        fixed = {}
    used = sorted({place for each in columns.values() for place in each})
    return ColumnMap(columns, fixed, {}, tuple(used))


def twice(header: Sequence[str], columns: ColumnMap) -> tuple[str, tuple[int, ...]] | None:
    """A header that stands twice where it matters, with its positions."""
    used = set(columns.used())
    for name, places in places_of(header).items():
        if len(places) > 1 and used & set(places):
            return header[places[0]].strip() or name, tuple(places)
    return None


def _first(names: Iterable[str], places: Mapping[str, list[int]]) -> int | None:
    return next((places[name][0] for name in names if name in places), None)
