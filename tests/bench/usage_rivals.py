"""The usage page's question asked without roll-ups: the same sums and the same rows, by other ways to read calls.

SQLite and pandas do less than the page, which also has percentiles, speeds and groups in order. DuckDB is asked for
the percentiles, too, and once more for the sums alone.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pandas as pd

from core.usage.explore.types import Exploration, Measures
from tests.bench.figures import Figure, say
from tests.bench.usage_page import Lines

# One call's part of each sum. The page's Measures have the same names.
_PARTS = {
    "requests": "1",
    "errors": "CASE WHEN status = 'failed' THEN 1 ELSE 0 END",
    "unpriced": "CASE WHEN cost_nano IS NULL THEN 1 ELSE 0 END",
    "estimated": "CASE WHEN tokens_estimated THEN 1 ELSE 0 END",
    "input_tokens": "input_tokens",
    "cached_input_tokens": "cached_input_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "output_tokens": "output_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "cost": "coalesce(cost_nano, 0)",
}
_COLUMNS = ("day", "provider", "model", "status", "tokens_estimated", "cost_nano", *list(_PARTS)[4:-1])
_LATENCIES = ("latency_ms", "first_token_ms")
_SUMS = ", ".join(f"sum({part}) AS {name}" for name, part in _PARTS.items())
_SERIES = f"SELECT day, provider, model, {_SUMS} FROM usage_events WHERE day BETWEEN ? AND ? GROUP BY 1, 2, 3"
_BEFORE = f"SELECT day, {_SUMS} FROM usage_events WHERE day BETWEEN ? AND ? GROUP BY 1"
# Rows that pandas reads at a time: ten million at once would need more memory than most machines have.
_FRAME_ROWS = 500_000

_PERCENTS = (50, 95, 99)
_RANKS = ", ".join(str(percent / 100) for percent in _PERCENTS)
_WHOLE = "status = 'completed'"
_SPREAD = (
    f"SELECT provider, model, quantile_disc(latency_ms, [{_RANKS}]) FILTER ({_WHOLE}), "
    f"quantile_disc(first_token_ms, [{_RANKS}]) "
    "FROM usage_events WHERE day BETWEEN ? AND ? GROUP BY GROUPING SETS ((provider, model), ())"
)
# The page counts latencies in buckets, whose middle is at most this far off.
_OFF = 0.05

# How many times faster the page's data is there, at ten million calls.
_LEAST = {"duckdb": 20.0, "duckdb_sums_alone": None, "sqlite_group_by": 200.0, "pandas": 1000.0}
_LINES = (
    "SELECT day, provider, model, sum(cost_nano) FROM usage_events WHERE day BETWEEN ? AND ? GROUP BY 1, 2, 3"
)
Rows = dict[tuple[str, ...], tuple[int, ...]]
Days = tuple[str, str]
Ask = Callable[[Days, Days], tuple[Rows, Rows]]


@dataclass(frozen=True, slots=True)
class Ours:
    """What the hub answered, and how long that took."""

    page: Exploration
    page_ms: float
    series: Lines
    series_ms: float


def names(size: str) -> tuple[str, ...]:
    """The figures that `measure` yields."""
    return (
        f"usage.duckdb_year.{size}",
        *(f"usage.page_year.times_faster_than_{rival}.{size}" for rival in _LEAST),
        f"usage.series_year.times_faster_than_duckdb.{size}",
    )


def measure(database: Path, ours: Ours, size: str, promised: bool) -> Iterator[Figure]:
    """Each rival on the calls in SQLite's file `database`, against what the hub took for the same.

    ValueError when one answers anything else. Without `promised` the factors have no target.
    """
    found = ours.page
    assert found.compared is not None
    year = (found.selection.start.isoformat(), found.selection.end.isoformat())
    before = (found.compared.start.isoformat(), found.compared.end.isoformat())
    expected = _of_page(found)
    with closing(_columnar(database)) as columnar, closing(sqlite3.connect(database)) as rows:
        rivals: dict[str, tuple[int, Ask]] = {
            "duckdb": (5, lambda *days: _with_percentiles(columnar, found, *days)),
            "duckdb_sums_alone": (5, lambda *days: _asked(columnar, *days)),
            "sqlite_group_by": (1, lambda *days: _asked(rows, *days)),
            "pandas": (1, lambda *days: _framed(rows, *days)),
        }
        for rival, (rounds, ask) in rivals.items():
            took: list[float] = []
            for _ in range(rounds):
                begun = time.perf_counter()
                answer = ask(year, before)
                took.append(time.perf_counter() - begun)
                if answer != expected:
                    raise ValueError(f"{rival} answers the page's question in another way")
            took_ms = median(took) * 1000
            say(f"{rival}: {took_ms:,.0f} ms for the same rows")
            if rival == "duckdb":
                yield Figure(f"usage.duckdb_year.{size}", took_ms, "ms")
            least = _LEAST[rival] if promised else None
            yield Figure(
                f"usage.page_year.times_faster_than_{rival}.{size}",
                took_ms / ours.page_ms,
                "times",
                least,
                at_least=True,
            )
        yield _lines_figure(columnar, ours, year, size)


def _lines_figure(columnar: duckdb.DuckDBPyConnection, ours: Ours, year: Days, size: str) -> Figure:
    periods, lines = ours.series
    expected = {
        (period.start.isoformat(), *model.split("/", 1)): nano
        for (model, _currency), line in lines.items()
        for period, nano in zip(periods, line, strict=True)
        if nano
    }
    took: list[float] = []
    for _ in range(5):
        begun = time.perf_counter()
        rows = columnar.execute(_LINES, year).fetchall()
        took.append(time.perf_counter() - begun)
        if {tuple(map(str, row[:3])): int(row[3]) for row in rows if row[3]} != expected:
            raise ValueError("duckdb answers the question of one figure in another way")
    took_ms = median(took) * 1000
    say(f"duckdb: {took_ms:,.0f} ms for one figure")
    return Figure(
        f"usage.series_year.times_faster_than_duckdb.{size}",
        took_ms / ours.series_ms,
        "times",
    )


def _of_page(found: Exploration) -> tuple[Rows, Rows]:
    series = {
        (day.start.isoformat(), *group.value.split("/", 1)): _sums(point)
        for group in found.groups
        for day, point in zip(found.periods, group.points, strict=True)
        if point.requests
    }
    assert found.compared is not None
    assert found.before_points is not None
    first: date = found.compared.start
    before = {
        ((first + timedelta(at)).isoformat(),): _sums(point)
        for at, point in enumerate(found.before_points)
        if point.requests
    }
    return series, before


def _sums(of: Measures) -> tuple[int, ...]:
    return (*(getattr(of, name) for name in list(_PARTS)[:-1]), of.costs.get("USD", 0))


def _columnar(database: Path) -> duckdb.DuckDBPyConnection:
    """The same calls in DuckDB's own columns, in a file beside `database`."""
    begun = time.perf_counter()
    columnar = duckdb.connect(database.with_suffix(".duckdb"))
    kinds = {"day": "DATE", "tokens_estimated": "BOOLEAN"}
    texts = ("provider", "model", "status")
    columns = ", ".join(
        f"{name} {kinds.get(name, 'VARCHAR' if name in texts else 'BIGINT')}"
        for name in (*_COLUMNS, *_LATENCIES)
    )
    columnar.execute(f"CREATE TABLE usage_events ({columns})")
    with closing(sqlite3.connect(database)) as source:
        for frame in _frames(source, ("0001-01-01", "9999-12-31"), _LATENCIES):
            whole = {name: frame[name].astype("Int64") for name in ("cost_nano", *_LATENCIES)}
            columnar.register("part", frame.assign(**whole))
            columnar.execute("INSERT INTO usage_events SELECT * FROM part")
            columnar.unregister("part")
    say(f"the calls stand in DuckDB after {time.perf_counter() - begun:.0f} s")
    return columnar


def _with_percentiles(
    columnar: duckdb.DuckDBPyConnection, page: Exploration, year: Days, before: Days
) -> tuple[Rows, Rows]:
    """All that the page shows. ValueError when a percentile is another than the page's."""
    answer = _asked(columnar, year, before)
    expected = {(group.value): (group.latency, group.first_token) for group in page.groups}
    expected[""] = (page.latency, page.first_token)
    for provider, model, *spreads in columnar.execute(_SPREAD, year).fetchall():
        name = "" if provider is None else f"{provider}/{model}"
        for exact, told in zip(spreads, expected[name], strict=True):
            ours = (told.p50, told.p95, told.p99)
            pairs = zip(exact or (None,) * len(ours), ours, strict=True)
            if any((a is None) != (b is None) or (a and b and abs(a - b) > a * _OFF + 1) for a, b in pairs):
                raise ValueError(f"the page says {ours} of {name or 'all'}, and duckdb {exact}")
    return answer


def _asked(connection: Any, year: Days, before: Days) -> tuple[Rows, Rows]:
    def rows(statement: str, days: Days, keys: int) -> Rows:
        found = connection.execute(statement, days).fetchall()
        return {tuple(map(str, row[:keys])): tuple(map(int, row[keys:])) for row in found}

    return rows(_SERIES, year, 3), rows(_BEFORE, before, 1)


def _framed(connection: sqlite3.Connection, year: Days, before: Days) -> tuple[Rows, Rows]:
    def rows(days: Days, keys: list[str]) -> Rows:
        parts = [_grouped(frame, keys) for frame in _frames(connection, days)]
        if not parts:
            return {}
        whole = pd.concat(parts).groupby(level=list(range(len(keys)))).sum()
        return {
            (key if isinstance(key, tuple) else (key,)): tuple(map(int, values))
            for key, values in zip(whole.index, whole.to_numpy(), strict=True)
        }

    return rows(year, ["day", "provider", "model"]), rows(before, ["day"])


def _grouped(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    frame = frame.assign(
        requests=1,
        errors=(frame["status"] == "failed").astype("int64"),
        unpriced=frame["cost_nano"].isna().astype("int64"),
        estimated=frame["tokens_estimated"].astype("int64"),
        # One call costs far less than 2^53 nano-units, so that a float holds it exactly.
        cost=frame["cost_nano"].fillna(0).astype("int64"),
    )
    return frame.groupby(keys)[list(_PARTS)].sum()


def _frames(connection: sqlite3.Connection, days: Days, more: tuple[str, ...] = ()) -> Iterator[pd.DataFrame]:
    columns = ", ".join((*_COLUMNS, *more))
    statement = f"SELECT {columns} FROM usage_events WHERE day BETWEEN ? AND ?"
    return pd.read_sql(statement, connection, params=days, chunksize=_FRAME_ROWS)
