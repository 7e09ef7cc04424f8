"""Imports: each format recorded to the token and the nano-unit, once, and taken out again exactly."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from core.errors import AppError, ErrorKind
from core.pricing.service import PriceBook
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import DAILY, EVENT_TAGS, EVENTS
from core.usage.imports.columns import ColumnMap
from core.usage.imports.service import ImportService
from core.usage.imports.types import DETECTED, Field, Format, ImportInfo, ImportOptions, Preview, SkipReason
from core.usage.ledger import Ledger
from tests.support import import_files as files
from tests.support.import_files import csv_text, plain, saved
from tests.support.store import call, migrated

USER = 1
pa: Any = import_module("pyarrow")
pq: Any = import_module("pyarrow.parquet")


@dataclass
class Desk:
    """A database with its import service, and files to import."""

    unit: UnitOfWork
    ledger: Ledger
    imports: ImportService
    folder: Path

    def read(self, content: str | bytes | Path, user: int = USER, **options: Any) -> Preview:
        path = content if isinstance(content, Path) else saved(self.folder, content)
        self.staged.unlink(missing_ok=True)
        return self.imports.read(user, path, self.staged, options=replace(DETECTED, **options))

    def take(self, content: str | bytes | Path, user: int = USER, **options: Any) -> ImportInfo:
        return self.imports.write(user, self.read(content, user, **options), self.staged)

    @property
    def staged(self) -> Path:
        return self.folder / "staged.parquet"

    def events(self) -> list[dict[str, Any]]:
        with self.unit.read() as session:
            return [dict(row) for row in session.execute(select(EVENTS).order_by(EVENTS.c.id)).mappings()]

    def tags(self) -> set[tuple[str, str]]:
        with self.unit.read() as session:
            return {(row.facet, row.value) for row in session.execute(select(EVENT_TAGS))}

    def roll_ups(self) -> list[tuple[Any, ...]]:
        with self.unit.read() as session:
            return sorted(tuple(row) for row in session.execute(select(DAILY)))


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    unit = migrated(database_url)
    ledger = Ledger(ZoneInfo("Europe/Moscow"))
    with unit.write() as session:
        ledger.open(session)
    yield Desk(unit, ledger, ImportService(unit, ledger, PriceBook(unit)), tmp_path)
    unit.close()


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Desk]:
    """On SQLite only: for what happens before a database is asked."""
    unit = migrated(f"sqlite:///{tmp_path / 'lite.db'}")
    ledger = Ledger(ZoneInfo("UTC"))
    yield Desk(unit, ledger, ImportService(unit, ledger, PriceBook(unit)), tmp_path)
    unit.close()


def rebuilt(desk: Desk) -> list[tuple[Any, ...]]:
    with desk.unit.write() as session:
        desk.ledger.rebuild(session)
    return desk.roll_ups()


def test_a_plain_table_is_recorded_to_the_last_digit(desk: Desk) -> None:
    header = (
        "time,provider,model,input_tokens,cached_input_tokens,output_tokens,reasoning_tokens,cost,currency,requests,"
        "status,latency_ms,first_token_ms,category,prompt,labels,request_id"
    )
    row = "2026-11-01 23:30:00,Google,gemini-2.5-pro,100,40,50,20,1.234567891,RUB,1,failed,900,120,Work,Sum,a=b; c,r-1"
    info = desk.take(plain(row, header=header))
    (event,) = desk.events()
    assert (event["provider"], event["model"], event["source"]) == ("gemini", "gemini-2.5-pro", "import")
    assert event["occurred_at"] == datetime(2026, 11, 1, 20, 30, tzinfo=UTC)
    assert event["day"] == date(2026, 11, 1)
    tokens = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")
    assert [event[name] for name in tokens] == [100, 40, 50, 20]
    assert (event["cost_nano"], event["currency"]) == (1_234_567_891, "RUB")
    assert event["price_source"].startswith("given: ")
    assert (event["status"], event["error_kind"]) == ("failed", "api_error")
    assert (event["latency_ms"], event["first_token_ms"], event["batch"] is not None) == (900, 120, True)
    assert desk.tags() == {("category", "Work"), ("prompt", "Sum"), ("label", "a=b"), ("label", "tag=c")}
    assert (info.calls, info.requests, info.costs) == (1, 1, {"RUB": 1_234_567_891})
    assert (info.first_day, info.last_day) == (date(2026, 11, 1), date(2026, 11, 1))
    assert desk.roll_ups() == rebuilt(desk)


def test_days_of_openai_keep_their_requests_and_are_priced_by_the_average_one(desk: Desk) -> None:
    empty = {name: files.openai_day()[name] for name in files.OPENAI_USAGE[:4]}
    batch = files.openai_day(batch="True", project_id="proj_2")
    preview = desk.read(csv_text(files.OPENAI_USAGE, files.openai_day(), empty, batch))
    assert preview.format is Format.OPENAI_USAGE
    assert [(skip.reason, skip.rows, skip.row) for skip in preview.skips] == [(SkipReason.NO_MODEL, 1, 3)]
    desk.imports.write(USER, preview, desk.staged)
    day, discounted = desk.events()
    assert (day["requests"], day["input_tokens"], day["cached_input_tokens"]) == (3, 3_000, 1_000)
    # 2,000 × $2.50 + 1,000 × $1.25 + 500 × $10 a million.
    assert day["cost_nano"] == 11_250_000
    # Noon of the UTC day, so that the day is the same in Moscow and in New York.
    assert day["occurred_at"] == datetime(2025, 10, 27, 12, tzinfo=UTC)
    assert discounted["cost_nano"] is None
    assert "batch True" in discounted["price_source"]
    assert ("label", "project=proj_1") in desk.tags()


@pytest.mark.parametrize("window", ["≤ 200k", "<= 200k", "0-200k", "200k-1M"])
def test_a_window_of_usual_length_has_the_usual_price(desk: Desk, window: str) -> None:
    preview = desk.read(csv_text(files.ANTHROPIC_USAGE, files.anthropic_day(context_window=window)))
    assert preview.models[0].unpriced == (window == "200k-1M")


def test_anthropic_days_add_up_their_kinds_of_input(desk: Desk) -> None:
    hours = files.anthropic_day(api_key="other", usage_input_tokens_cache_write_1h=50)
    desk.take(csv_text(files.ANTHROPIC_USAGE, files.anthropic_day(), hours))
    five, one = desk.events()
    assert (five["input_tokens"], five["cached_input_tokens"], five["cache_write_tokens"]) == (
        1_500,
        300,
        200,
    )
    # 1,000 × $3 + 200 × $3.75 + 300 × $0.30 + 400 × $15 a million.
    assert (five["cost_nano"], five["provider"]) == (9_840_000, "anthropic")
    # An hour in the cache has a price of its own that nobody published here.
    assert one["cost_nano"] is None


def test_cost_exports_bring_costs_and_no_tokens(desk: Desk) -> None:
    row = {
        "usage_date_utc": "2025-10-27",
        "model": "Claude Haiku 4.5",
        "token_type": "output",
        "cost_usd": "0.02",
    }
    desk.take(csv_text(files.ANTHROPIC_COSTS, row))
    day = files.openai_day(amount_value="0.9153483", amount_currency="usd", line_item="gpt-4o, input")
    desk.take(csv_text(files.OPENAI_COSTS, {name: day.get(name, "") for name in files.OPENAI_COSTS}))
    first, second = desk.events()
    assert (first["cost_nano"], first["currency"], first["input_tokens"]) == (20_000_000, "USD", 0)
    assert (second["model"], second["cost_nano"], second["currency"]) == ("gpt-4o", 915_348_300, "USD")


def test_the_older_activity_export_of_openai(desk: Desk) -> None:
    row = {
        "n_requests": 7,
        "n_context_tokens_total": 100,
        "n_generated_tokens_total": 10,
        "model": "gpt-4o",
        "timestamp": 1_700_000_000,
        "user": "ann@example.org",
    }
    desk.take(csv_text(files.OPENAI_ACTIVITY, row))
    (event,) = desk.events()
    assert (event["requests"], event["input_tokens"], event["output_tokens"]) == (7, 100, 10)
    assert desk.tags() == {("label", "user=ann@example.org")}


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "answer"])
def test_litellm_spend_logs(lite: Desk, kind: str) -> None:
    rows = [
        files.litellm_call(),
        files.litellm_call(
            request_id="chatcmpl-2", spend="0.0", custom_llm_provider="vertex_ai", model="gemini-2.5-pro"
        ),
        files.litellm_call(request_id="chatcmpl-3", spend=0, cache_hit="True"),
        files.litellm_call(
            request_id="chatcmpl-4", status="failure", spend=0, prompt_tokens=0, completion_tokens=0
        ),
    ]
    texts: dict[str, Callable[[], str]] = {
        "csv": lambda: csv_text(files.LITELLM, *rows),
        "json": lambda: json.dumps(rows, indent=1),
        "jsonl": lambda: files.json_lines(*rows),
        "answer": lambda: json.dumps({"total": 4, "data": rows}),
    }
    lite.take(saved(lite.folder, texts[kind](), f"spend.{kind}"))
    plain_call, priced, cached, failed = lite.events()
    assert plain_call["request_id"] == "litellm:1::chatcmpl-1"
    assert (plain_call["cost_nano"], plain_call["model"]) == (123_500, "gpt-4o")
    assert (plain_call["latency_ms"], plain_call["first_token_ms"]) == (2_500, 400)
    # 0 is what LiteLLM writes where it knows no price: 10 × $1.25 + 5 × $10 a million.
    assert (priced["provider"], priced["cost_nano"]) == ("gemini", 62_500)
    # As the hub's own cache: no tokens were used, and what they would have cost is saved.
    assert (cached["from_cache"], cached["cost_nano"], cached["attempts"]) == (True, 0, 0)
    assert (cached["input_tokens"], cached["output_tokens"]) == (0, 0)
    assert (cached["saved_nano"], cached["currency"]) == (75_000, "USD")
    assert (failed["status"], failed["input_tokens"]) == ("failed", 0)
    assert lite.tags() == {("label", "tag=prod"), ("label", "team=blue"), ("label", "user=ann")}


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_langfuse_observations(lite: Desk, kind: str) -> None:
    rows = [
        files.langfuse_call(),
        files.langfuse_call(id="obs-2", type="SPAN", model=""),
        files.langfuse_call(id="obs-3", level="ERROR"),
    ]
    path = lite.folder / f"observations.{kind}"
    if kind == "csv":
        saved(lite.folder, csv_text(files.LANGFUSE, *rows), path.name)
    elif kind == "json":
        parsed = [{**row, "usageDetails": json.loads(row["usageDetails"])} for row in rows]
        saved(lite.folder, json.dumps(parsed), path.name)
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    preview = lite.read(path)
    assert [(skip.reason, skip.row) for skip in preview.skips] == [(SkipReason.NOT_A_CALL, 3)]
    lite.imports.write(USER, preview, lite.staged)
    first, failed = lite.events()
    # Langfuse keeps cached input apart; the ledger's input includes it.
    assert (first["input_tokens"], first["cached_input_tokens"], first["output_tokens"]) == (100, 30, 50)
    assert (first["cost_nano"], first["latency_ms"], first["first_token_ms"]) == (1_050_000, 1_500, 250)
    assert failed["status"] == "failed"
    assert ("prompt", "summary") in lite.tags()


def test_langfuse_traces_have_no_model_and_say_so(lite: Desk) -> None:
    row = {
        "id": "t-1",
        "timestamp": "2025-10-27T10:00:00Z",
        "name": "chat",
        "totalCost": 0.5,
        "latency": 1.25,
    }
    lite.take(saved(lite.folder, json.dumps([row]), "traces.json"))
    (event,) = lite.events()
    assert (event["provider"], event["model"]) == ("langfuse", "trace")
    assert (event["cost_nano"], event["latency_ms"]) == (500_000_000, 1_250)


def test_what_was_imported_before_adds_nothing_and_an_overlap_adds_the_rest(desk: Desk) -> None:
    rows = [f"2026-11-0{day},openai,gpt-4o,10,5,0.1" for day in (1, 2, 2, 3)]
    first = desk.take(plain(*rows[:3]))
    before = desk.roll_ups()
    # Two equal rows are two calls: there is no id that says otherwise.
    assert (first.calls, len(desk.events())) == (3, 3)

    preview = desk.read(plain(*rows[:3]))
    assert (preview.calls, preview.known) == (3, 3)
    with pytest.raises(AppError) as refused:
        desk.imports.write(USER, preview, desk.staged)
    assert refused.value.kind is ErrorKind.VALIDATION
    assert desk.roll_ups() == before

    second = desk.take(plain(*rows))
    assert (second.calls, second.known) == (1, 3)
    desk.imports.undo(USER, second.id)
    assert desk.roll_ups() == before
    desk.imports.undo(USER, first.id)
    assert desk.events() == []
    assert desk.roll_ups() == []
    assert desk.tags() == set()
    assert [info.undone_at is None for info in desk.imports.imports(USER)] == [False, False]
    with pytest.raises(AppError) as gone:
        desk.imports.undo(USER, first.id)
    assert gone.value.kind is ErrorKind.NOT_FOUND


def test_the_same_id_twice_in_a_file_is_one_call(lite: Desk) -> None:
    preview = lite.read(csv_text(files.LITELLM, files.litellm_call(), files.litellm_call(spend="9")))
    assert [(skip.reason, skip.row, skip.example) for skip in preview.skips] == [
        (SkipReason.REPEATED, 3, "chatcmpl-1")
    ]
    assert (preview.calls, preview.models[0].given) == (1, {"USD": 123_500})


def test_rows_far_apart_that_say_the_same_are_told_apart(lite: Desk) -> None:
    """Further than a file is read at a time."""
    some = [f"2026-11-01 12:00,openai,gpt-4o,{number},5,0.1" for number in range(30_000)]
    before = sorted(lite.folder.iterdir())
    preview = lite.read(plain(*some, *some[:7], some[0]))
    assert (preview.rows, preview.calls, preview.skips) == (30_008, 30_008, ())
    ids = pq.read_table(lite.staged, columns=["request_id"]).column(0).to_pylist()
    assert len(set(ids)) == 30_008
    assert [name for name in ids if name.endswith((":2", ":3"))] == [
        *(f"{ids[number]}:2" for number in range(7)),
        f"{ids[0]}:3",
    ]
    assert set(lite.folder.iterdir()) - set(before) <= {lite.staged, *lite.folder.glob("*.csv")}


def test_an_import_belongs_to_its_user(desk: Desk) -> None:
    content = plain("2026-11-01,openai,gpt-4o,10,5,0.1")
    info = desk.take(content)
    assert desk.imports.imports(2) == ()
    with pytest.raises(AppError) as refused:
        desk.imports.undo(2, info.id)
    assert refused.value.kind is ErrorKind.NOT_FOUND
    # What another user imports are calls of that user, whatever stands already.
    assert desk.read(content, user=2).known == 0
    desk.take(content, user=2)
    assert [event["user_id"] for event in desk.events()] == [1, 2]


def test_a_cancelled_import_leaves_nothing(desk: Desk) -> None:
    class Stop(Exception):
        pass

    def stop(_rows: int) -> None:
        raise Stop

    preview = desk.read(plain("2026-11-01,openai,gpt-4o,10,5,0.1"))
    with pytest.raises(Stop):
        desk.imports.write(USER, preview, desk.staged, stop)
    assert (desk.events(), desk.roll_ups(), desk.imports.imports(USER)) == ([], [], ())


def test_a_preview_writes_nothing_and_says_what_it_would(lite: Desk) -> None:
    preview = lite.read(
        plain(
            "2026-11-01,openai,gpt-4o,1000,100,0.5",
            "2026-11-03,openai,gpt-4o,1000,100,",
            "2026-11-02,local,my-model,5,5,",
        )
    )
    assert lite.events() == []
    assert (preview.rows, preview.calls, preview.known) == (3, 3, 0)
    assert (preview.first_day, preview.last_day) == (date(2026, 11, 1), date(2026, 11, 3))
    known, unknown = preview.models
    assert (known.requests, known.given, known.priced) == (2, {"USD": 500_000_000}, {"USD": 3_500_000})
    assert (unknown.model, unknown.unpriced, unknown.given) == ("my-model", 1, {})
    assert [(row.row, row.nano, row.given) for row in preview.sample][:2] == [
        (2, 500_000_000, True),
        (3, 3_500_000, False),
    ]


def test_columns_can_be_matched_by_whoever_knows_them(lite: Desk) -> None:
    path = saved(lite.folder, "when;who;words\n2026-11-01;gpt-4o;12\n")
    columns = ColumnMap(
        {Field.TIME: (0,), Field.MODEL: (1,), Field.INPUT: (2,)}, {Field.PROVIDER: "openai"}, {}, (0, 1, 2)
    )
    preview = lite.imports.read(USER, path, lite.staged, columns=columns)
    assert (preview.calls, preview.models[0].input_tokens, preview.models[0].provider) == (1, 12, "openai")


def test_imported_calls_count_with_the_others(desk: Desk) -> None:
    with desk.unit.write() as session:
        desk.ledger.record(session, call(provider="openai", model="gpt-4o"))
    before = desk.roll_ups()
    info = desk.take(plain("2026-11-20 12:00,openai,gpt-4o,10,5,0.1", "2026-11-20 13:00,openai,gpt-4o,10,5,"))
    assert desk.roll_ups() == rebuilt(desk)
    desk.imports.undo(USER, info.id)
    assert desk.roll_ups() == before == rebuilt(desk)


def test_a_day_that_is_not_over_waits(lite: Desk) -> None:
    today = datetime.now(UTC).date().isoformat()
    preview = lite.read(csv_text(files.ANTHROPIC_USAGE, files.anthropic_day(usage_date_utc=today)))
    assert (preview.calls, preview.skips[0].reason) == (0, SkipReason.NOT_OVER)


def test_options_are_obeyed(lite: Desk) -> None:
    content = plain("2026-11-01 12:00,openai,gpt-4o,10,5,0.1")
    preview = lite.read(content, zone="Asia/Tokyo", currency="EUR")
    assert preview.sample[0].occurred_at == datetime(2026, 11, 1, 3, tzinfo=UTC)
    assert preview.models[0].given == {"EUR": 100_000_000}
    with pytest.raises(AppError, match="time zone"):
        lite.read(content, zone="Mars/Base")
    with pytest.raises(AppError, match="no column"):
        lite.read(content, format=Format.ANTHROPIC_USAGE)
    assert ImportOptions() == DETECTED
