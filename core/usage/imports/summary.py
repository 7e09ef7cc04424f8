"""What the staged calls come to: by model, their days, and some rows to look at."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from core.usage.imports.arrow import pa, pc
from core.usage.imports.staging import tables
from core.usage.imports.types import ModelLine, SampleRow

SAMPLE = 20
_KEYS = ["provider", "model", "currency", "given", "unpriced"]
_SUMS = ("requests", "input_tokens", "output_tokens", "cost_nano")


@dataclass(slots=True)
class _Line:
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unpriced: int = 0
    given: dict[str, int] = field(default_factory=dict[str, int])
    priced: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True)
class Summary:
    """Of all staged calls. Days are those of the report zone."""

    calls: int = 0
    first_day: date | None = None
    last_day: date | None = None
    models: tuple[ModelLine, ...] = ()
    sample: tuple[SampleRow, ...] = ()


def summarise(path: Path) -> Summary:
    """Read the staged calls once."""
    lines: dict[tuple[str, str], _Line] = {}
    found, days = Summary(), list[int]()
    for table in tables(path):
        found.calls += len(table)
        if len(found.sample) < SAMPLE:
            found.sample += tuple(
                _sample(row) for row in table.slice(0, SAMPLE - len(found.sample)).to_pylist()
            )
        if len(table):
            low_high: Any = pc().min_max(table.column("day")).as_py()
            days += [low_high["min"], low_high["max"]]
            _add(lines, table)
    if days:
        found.first_day, found.last_day = _day(min(days)), _day(max(days))
    ordered = sorted(
        lines.items(), key=lambda each: (-sum(_costs(each[1]).values()), -each[1].requests, each[0])
    )
    found.models = tuple(
        ModelLine(
            *name,
            requests=line.requests,
            input_tokens=line.input_tokens,
            output_tokens=line.output_tokens,
            given=line.given,
            priced=line.priced,
            unpriced=line.unpriced,
        )
        for name, line in ordered
    )
    return found


def _add(lines: dict[tuple[str, str], _Line], table: Any) -> None:
    # Sums of many large amounts may not fit 64 bits; those of decimals do.
    wide = pa().decimal128(38, 0)
    table = table.select([*_KEYS[:4], *_SUMS]).append_column(
        "unpriced", pc().is_null(table.column("cost_nano"))
    )
    for name in _SUMS:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pc().cast(table.column(name), wide))
    for row in table.group_by(_KEYS).aggregate([(name, "sum") for name in _SUMS]).to_pylist():
        line = lines.setdefault((row["provider"], row["model"]), _Line())
        requests = int(row["requests_sum"])
        line.requests += requests
        line.input_tokens += int(row["input_tokens_sum"])
        line.output_tokens += int(row["output_tokens_sum"])
        if row["unpriced"]:
            line.unpriced += requests
            continue
        costs = line.given if row["given"] else line.priced
        costs[row["currency"]] = costs.get(row["currency"], 0) + int(row["cost_nano_sum"])


def _costs(line: _Line) -> dict[str, int]:
    return {name: line.given.get(name, 0) + line.priced.get(name, 0) for name in {*line.given, *line.priced}}


def _sample(row: dict[str, Any]) -> SampleRow:
    return SampleRow(
        row=row["row"],
        occurred_at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row["occurred_at"]),
        provider=row["provider"],
        model=row["model"],
        requests=row["requests"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        nano=row["cost_nano"],
        currency=row["currency"],
        given=row["given"],
        status=row["status"],
    )


def _day(days: int) -> date:
    return date(1970, 1, 1) + timedelta(days)
