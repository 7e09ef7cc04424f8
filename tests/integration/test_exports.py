"""An export holds each call once, exactly and harmlessly, whatever it is opened with; on both databases."""

import csv
import re
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from core.errors import AppError, ErrorKind
from core.i18n import LANGUAGES, translate
from core.pricing.types import UNPRICED, CallCost, Money
from core.providers.types import TokenUsage
from core.store.unit_of_work import UnitOfWork
from core.usage.explore.service import ExploreService
from core.usage.explore.types import Dimension, Selection, Where
from core.usage.exports import report_file
from core.usage.exports.report_file import ReportFile
from core.usage.exports.rows import pages
from core.usage.exports.service import ExportService
from core.usage.exports.types import COLUMNS, ExportKind, Separator
from core.usage.imports.words import labels_of
from core.usage.ledger import Ledger
from core.usage.service import UsageService
from core.usage.types import Call, CallStatus, Source, Totals
from tests.support.store import NOON, call, migrated

MOSCOW = ZoneInfo("Europe/Moscow")
LEDGER = Ledger(MOSCOW)
END = NOON.date()
START = END - timedelta(29)
NAMES = [column.name for column in COLUMNS]
HOSTILE = (
    '=HYPERLINK("http://x.test";"a")',
    "\t=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    " =2",
    "#N/A",
    "_x0041_",
    "a\r\nb",
)

parquet: Any = import_module("pyarrow.parquet")


@pytest.fixture
def unit(database_url: str) -> Iterator[UnitOfWork]:
    unit = migrated(database_url)
    yield unit
    unit.close()


@pytest.fixture
def usage(unit: UnitOfWork) -> UsageService:
    return UsageService(unit, LEDGER)


@pytest.fixture
def exports(unit: UnitOfWork) -> ExportService:
    return ExportService(unit, LEDGER, lambda: {1: "=ann"})


def record(unit: UnitOfWork, *calls: Call) -> None:
    with unit.write() as session:
        for one in calls:  # in this order, which the ids follow
            LEDGER.record(session, one)


def mixed_calls() -> list[Call]:
    """Calls of 45 days: two users, three currencies' worth of states, sums that no double holds by luck."""
    found: list[Call] = []
    for number in range(240):
        cost = CallCost(Money(123_456_789 * number + 1, "RUB" if number % 5 == 0 else "USD"), "=list")
        found.append(
            call(
                request_id=f"call-{number}",
                user_id=1 + number % 2,
                occurred_at=NOON - timedelta(hours=4.5 * number),
                provider=("gemini", "openai", "local")[number % 3],
                model=f"model-{number % 11}",
                source=(Source.CHAT, Source.API, Source.SAMPLE)[number // 7 % 3],
                status=CallStatus.FAILED if number % 13 == 0 else CallStatus.COMPLETED,
                usage=TokenUsage(100 + number, number, 3, 2, 50 + number, number // 2, 1, number % 9 == 0),
                cost=UNPRICED if number % 6 == 0 else cost,
                error_kind=ErrorKind.TIMEOUT if number % 13 == 0 else None,
                latency_ms=number or None,
                from_cache=number % 17 == 0,
                saved_nano=7 if number % 17 == 0 else None,
                thread_id=number % 4 or None,
                tags=(("label", "a=1"), ("label", "b=2"))[: number % 3]
                + (("category", "Work"),) * (number % 2),
                # As imports sum them up.
                requests=1 + number % 3 * 20,
            )
        )
    return found


def read_csv(pieces: Iterator[bytes], separator: str = ",") -> list[dict[str, str]]:
    text = b"".join(pieces).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline=""), delimiter=separator))


def read_parquet(
    exports: ExportService, scope: int | None, start: date, end: date, **options: Any
) -> list[dict[str, Any]]:
    target = BytesIO()
    count = exports.calls_parquet(scope, start, end, target, **options)
    rows = parquet.read_table(BytesIO(target.getvalue())).to_pylist()
    assert len(rows) == count
    return rows


def read_xlsx(
    exports: ExportService, scope: int | None, start: date, end: date, language: str = "en", **options: Any
) -> Any:
    target = BytesIO()
    exports.report_xlsx(scope, start, end, language, target, **options)
    return load_workbook(BytesIO(target.getvalue()))


def table(sheet: Any) -> list[list[Any]]:
    """The rows of the filtered table below its head."""
    return [[cell.value for cell in row] for row in sheet[sheet.auto_filter.ref][1:]]


def calls_of(book: Any) -> list[dict[str, Any]]:
    return [dict(zip(NAMES, row, strict=True)) for row in table(book["Calls"])]


def added(rows: list[dict[str, Any]]) -> Totals:
    """Exported rows added up, with money back in nano-units."""
    sums = Totals()
    for row in rows:
        requests = int(row["requests"])
        sums.requests += requests
        sums.errors += requests * (row["status"] == "failed")
        sums.estimated += requests * (str(row["tokens_estimated"]).lower() == "true")
        for name in ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens"):
            setattr(sums, name, getattr(sums, name) + int(row[name]))
        if row["cost"] in (None, ""):
            sums.unpriced += requests
        else:
            nano = round(Decimal(row["cost"]) * 10**9)
            sums.costs[row["currency"]] = sums.costs.get(row["currency"], 0) + nano
    return sums


FILTERS: list[Where] = [
    (),
    ((Dimension.PROVIDER, ("openai", "local")), (Dimension.MODEL, ("openai/model-1", "local/model-2"))),
    ((Dimension.SOURCE, ("api", "sample")), (Dimension.USER, ("2",))),
    ((Dimension.STATUS, ("failed",)),),
    ((Dimension.ERROR, ("",)), (Dimension.THREAD, ("1", ""))),
    ((Dimension.LABEL, ("a=1", "b=2")),),
    ((Dimension.CATEGORY, ("Work",)), (Dimension.PROVIDER, ("gemini",))),
    ((Dimension.PROMPT, ("none",)),),
]


@pytest.mark.parametrize("scope", [1, None])
@pytest.mark.parametrize("sample", [False, True])
def test_every_kind_of_export_adds_up_to_the_report(
    unit: UnitOfWork,
    exports: ExportService,
    scope: int | None,
    sample: bool,
) -> None:
    with unit.write() as session:
        LEDGER.record_many(session, mixed_calls())
    for where in FILTERS:
        assert_adds_up(exports, ExploreService(unit, LEDGER), (scope, START, END), where, sample)


def assert_adds_up(
    exports: ExportService,
    reader: ExploreService,
    what: tuple[int | None, date, date],
    where: Where,
    sample: bool,
) -> None:
    """Every kind of export of a selection holds its calls, and comes to what the explorer shows."""
    asked = Selection(*what, sample, where)
    mine = {one.request_id for one in reader.calls(asked, limit=1_000).calls}
    if not mine:
        with pytest.raises(AppError, match="no calls to export"):
            exports.calls_csv(*what, where=where, sample=sample)
        with pytest.raises(AppError, match="no calls to export"):
            exports.report_xlsx(*what, "en", BytesIO(), where=where, sample=sample)
        return
    of_csv = read_csv(exports.calls_csv(*what, where=where, sample=sample))
    book = read_xlsx(exports, *what, where=where, sample=sample)
    of_parquet = read_parquet(exports, *what, where=where, sample=sample)

    shown = reader.explore(asked).total
    for rows in (of_csv, of_parquet, calls_of(book)):
        assert {row["request_id"] for row in rows} == mine
        total = added(rows)
        assert {name: getattr(shown, name) for name in total.__dataclass_fields__} == asdict(total)
    for sheet in ("By day", "By model", "By provider"):
        requests = [cell.value for cell in book[sheet][1]].index("Requests")
        assert sum(row[requests] for row in table(book[sheet])) == shown.requests
    assert {row["source"] == "sample" for row in of_csv} == {sample}


def test_a_csv_says_all_of_a_call_exactly(unit: UnitOfWork, exports: ExportService) -> None:
    record(
        unit,
        call(
            request_id="one",
            occurred_at=datetime(2026, 11, 19, 22, 30, 0, 250_000, UTC),
            status=CallStatus.FAILED,
            error_kind=ErrorKind.TIMEOUT,
            usage=TokenUsage(10, 4, 3, 2, 5, 1, 1, True),
            cost=CallCost(Money(103_161_250, "USD"), 'a list, of "prices"'),
            latency_ms=820,
            first_token_ms=90,
            thread_id=7,
            attempts=3,
            from_cache=True,
            saved_nano=1,
            flag="odd",
            fallback_from="openai/gpt",
            tags=(("category", "=Work"), ("prompt", "Summary"), ("label", "a=1"), ("label", "b=2")),
            requests=3,
        ),
    )
    data = b"".join(exports.calls_csv(1, START, END, separator=Separator.SEMICOLON))
    assert data.startswith(b"\xef\xbb\xbftime_utc;time_local;day;")
    plain = b"".join(exports.calls_csv(1, START, END, bom=False))
    assert plain.startswith(b"time_utc,")
    assert (
        read_csv(iter([data]), ";")
        == read_csv(iter([plain]))
        == [
            {
                "time_utc": "2026-11-19T22:30:00.250000+00:00",
                "time_local": "2026-11-20T01:30:00.250000+03:00",
                "day": "2026-11-20",
                "user_id": "1",
                "user": "'=ann",
                "provider": "gemini",
                "model": "gemini-3.8-flash",
                "source": "chat",
                "status": "failed",
                "error_kind": "timeout",
                "requests": "3",
                "input_tokens": "10",
                "cached_input_tokens": "4",
                "cache_write_tokens": "3",
                "input_audio_tokens": "2",
                "output_tokens": "5",
                "reasoning_tokens": "1",
                "output_audio_tokens": "1",
                "tokens_estimated": "true",
                "cost": "0.103161250",
                "currency": "USD",
                "price_source": 'a list, of "prices"',
                "latency_ms": "820",
                "first_token_ms": "90",
                "attempts": "3",
                "from_cache": "true",
                "saved": "0.000000001",
                "flag": "odd",
                "fallback_from": "openai/gpt",
                "category": "'=Work",
                "prompt": "Summary",
                "labels": "a=1; b=2",
                "thread_id": "7",
                "request_id": "one",
            }
        ]
    )


def test_a_label_with_a_separator_in_it_comes_back_from_an_import(
    unit: UnitOfWork, exports: ExportService
) -> None:
    labels = ("team=a; b", "env=prod, eu")
    record(unit, call(tags=tuple(("label", label) for label in labels)))
    (row,) = read_csv(exports.calls_csv(1, START, END))
    assert labels_of(row["labels"]) == list(labels)


def test_an_unpriced_call_has_no_cost_and_no_currency(unit: UnitOfWork, exports: ExportService) -> None:
    record(unit, call(cost=UNPRICED), call(cost=CallCost(Money(0, "RUB"), "free: demo")))
    rows = read_csv(exports.calls_csv(1, START, END))
    assert [(row["cost"], row["currency"]) for row in rows] == [("", ""), ("0.000000000", "RUB")]


def test_parquet_has_types_that_lose_nothing(unit: UnitOfWork, exports: ExportService) -> None:
    largest = 2**63 - 1
    record(unit, call(cost=CallCost(Money(largest, "USD"), HOSTILE[0]), occurred_at=NOON))
    target = BytesIO()
    exports.calls_parquet(1, START, END, target)
    read = parquet.read_table(BytesIO(target.getvalue()))
    types = {field.name: str(field.type) for field in read.schema}
    assert list(types) == NAMES
    assert types["cost"] == types["saved"] == "decimal128(38, 9)"
    assert types["time_utc"] == "timestamp[us, tz=UTC]"
    assert types["time_local"] == "timestamp[us, tz=Europe/Moscow]"
    assert types["day"] == "date32[day]"
    row = read.to_pylist()[0]
    assert row["cost"] == Decimal(largest) / 10**9
    assert row["time_utc"] == row["time_local"] == NOON
    assert row["time_local"].hour == 15
    assert row["price_source"] == HOSTILE[0]
    assert row["latency_ms"] is None
    assert read.schema.metadata[b"aihub.sample"] == b"false"


def test_pages_give_each_call_once_and_in_order(unit: UnitOfWork) -> None:
    record(unit, *mixed_calls())
    everything = Selection(None, date(2020, 1, 1), END)
    whole = [row for page in pages(unit, everything, MOSCOW) for row in page]
    for size in (1, 7, len(whole) - 1, len(whole), len(whole) + 1):
        parts = list(pages(unit, everything, MOSCOW, size))
        assert max(map(len, parts)) <= size
        assert [row for page in parts for row in page] == whole
    assert list(pages(unit, Selection(99, START, END), MOSCOW)) == []


def test_a_call_recorded_during_an_export_waits_for_the_next(unit: UnitOfWork) -> None:
    record(unit, call(request_id="before"), call(request_id="before too"))
    under_way = pages(unit, Selection(1, START, END), MOSCOW, size=1)
    assert next(under_way)[0][-1] == "before"
    record(unit, call(request_id="meanwhile"))
    assert [page[0][-1] for page in under_way] == ["before too"]


def test_hostile_text_stays_text(unit: UnitOfWork, exports: ExportService) -> None:
    record(unit, *(call(model=text, flag=text, request_id=str(n)) for n, text in enumerate(HOSTILE)))

    of_csv = [row["model"] for row in read_csv(exports.calls_csv(1, START, END))]
    assert of_csv == [*(f"'{text}" for text in HOSTILE[:6]), *HOSTILE[6:]]
    assert [row["model"] for row in read_parquet(exports, 1, START, END)] == list(HOSTILE)

    book = read_xlsx(exports, 1, START, END)
    model = NAMES.index("model") + 1
    cells = [book["Calls"].cell(row, model) for row in range(2, 2 + len(HOSTILE))]
    assert [cell.data_type for cell in cells] == ["s"] * len(HOSTILE)
    assert [cell.value for cell in cells] == [*HOSTILE[:7], "_x005F_x0041_", "a\nb"]
    assert [cell.quotePrefix for cell in cells] == [True] * 6 + [False] * 3
    formulas = [cell for sheet in book for row in sheet for cell in row if cell.data_type in ("f", "e")]
    assert formulas == []


def test_a_filter_that_looks_like_a_formula_is_text_in_the_summary(
    unit: UnitOfWork, exports: ExportService
) -> None:
    record(unit, call(provider="=cmd|' /C calc'!A0"))
    book = read_xlsx(exports, 1, START, END, where=((Dimension.PROVIDER, ("=cmd|' /C calc'!A0",)),))
    cell = next(cell for row in book["Summary"] for cell in row if str(cell.value).startswith("=cmd"))
    assert (cell.data_type, cell.quotePrefix) == ("s", True)


def test_the_summary_names_every_filter(unit: UnitOfWork, exports: ExportService) -> None:
    record(unit, *mixed_calls())
    threads = tuple(str(number) for number in range(1, 40))
    where: Where = (
        (Dimension.STATUS, ("completed", "failed")),
        (Dimension.LABEL, ("", "b=2")),
        (Dimension.THREAD, threads),
    )
    summary = read_xlsx(exports, 1, START, END, where=where)["Summary"]
    lines = {row[0].value: row[1].value for row in summary.iter_rows(max_col=2)}
    assert (lines["Status"], lines["Label"]) == ("completed, failed", "No label, b=2")
    assert lines["Thread no."] == ", ".join((*threads[:20], "19 more"))


def test_a_filter_that_is_none_is_refused(exports: ExportService) -> None:
    for where in (((Dimension.STATUS, ("done",)),), ((Dimension.THREAD, ("x",)),)):
        with pytest.raises(AppError) as refused:
            exports.report_xlsx(1, START, END, "en", BytesIO(), where=where)
        assert refused.value.kind is ErrorKind.VALIDATION


def test_rows_written_quickly_are_the_same_as_openpyxls_own(
    unit: UnitOfWork, exports: ExportService, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = (*HOSTILE, "<b>&amp;\u2028😀 ", "x" * 40_000)
    record(
        unit,
        *mixed_calls(),
        *(call(flag=text, model=f"m{n}", request_id=f"h-{n}") for n, text in enumerate(texts)),
    )

    def cells() -> list[tuple[Any, ...]]:
        sheet = read_xlsx(exports, None, START, END, language="ru")[translate("ru", "Calls")]
        return [
            (cell.coordinate, cell.data_type, cell.value, cell.number_format, cell.quotePrefix)
            for row in sheet
            for cell in row
        ]

    quick = cells()
    monkeypatch.setattr(report_file, "QUICK", not report_file.QUICK)
    assert quick == cells()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_speaks_the_language_and_its_tables_add_up(
    unit: UnitOfWork, usage: UsageService, exports: ExportService, language: str
) -> None:
    record(unit, *mixed_calls())
    report = usage.report(None, START, END)
    book = read_xlsx(exports, None, START, END, language=language)
    titles = ("Summary", "By day", "By model", "By provider", "Calls", "Chart figures")
    assert book.sheetnames == [translate(language, title) for title in titles]
    for name in book.sheetnames:
        assert len(name) <= 31
        assert not re.search(r"[\[\]:*?/\\]", name)

    cost, total = translate(language, "Cost, {currency}", currency="USD"), translate(language, "Total")
    for sheet in book.worksheets[1:4]:
        heads = [cell.value for cell in sheet[1]]
        at, requests = heads.index(cost), heads.index(translate(language, "Requests"))
        rows, last = table(sheet), [cell.value for cell in sheet[sheet.max_row]]
        assert last[0] == total
        assert sum(row[requests] for row in rows) == last[requests] == report.total.requests
        nano = sum(round(row[at] * 10**9) for row in rows if row[at] is not None)
        assert nano == round(last[at] * 10**9) == report.total.costs["USD"]
    assert len(table(book.worksheets[1])) == len(report.days)


def test_sheets_are_ready_to_read_and_print(unit: UnitOfWork, exports: ExportService) -> None:
    record(unit, *mixed_calls())
    book = read_xlsx(exports, None, START, END)
    for sheet in book.worksheets[1:5]:
        assert sheet.freeze_panes == "A2"
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.auto_filter.ref.startswith("A1:")
        assert sheet.column_dimensions["A"].width >= 12
    sheet = book["By day"]
    formats = {cell.value: sheet.cell(2, cell.column).number_format for cell in sheet[1]}
    assert formats["Day"] == "yyyy-mm-dd"
    assert formats["Cost, USD"] == "[$$]#,##0.00#######"
    assert formats["Cost, RUB"] == "[$RUB]#,##0.00#######"
    russian = read_xlsx(exports, None, START, END, language="ru")["По дням"]
    assert {cell.number_format for cell in russian[2]} >= {"#,##0.00####### [$₽]", "dd.mm.yyyy"}


def test_charts_are_excels_own_and_draw_what_the_report_says(
    unit: UnitOfWork, usage: UsageService, exports: ExportService
) -> None:
    record(unit, *mixed_calls())
    report = usage.report(None, START, END)
    book = read_xlsx(exports, None, START, END)
    columns, ring = book["Summary"]._charts
    assert (type(columns).__name__, columns.grouping, columns.overlap) == ("BarChart", "stacked", 100)
    assert type(ring).__name__ == "DoughnutChart"
    drawn = sum(
        round((cell.value or 0) * 10**9)
        for series in columns.series
        for cell in cells_of(book, series.val.numRef.f)
    )
    assert drawn == report.total.costs["USD"]
    names = [cells_of(book, series.tx.strRef.f)[0].value for series in columns.series]
    assert len(names) == 8
    assert names[-1] == "Other"
    parts = [cell.value for cell in cells_of(book, ring.series[0].val.numRef.f)]
    assert sum(round(part * 10**9) for part in parts) == report.total.costs["USD"]
    assert [cell.value for cell in cells_of(book, ring.series[0].cat.strRef.f)] == [
        each.provider for each in report.by_provider
    ]


def cells_of(book: Any, reference: str) -> list[Any]:
    sheet, _, area = reference.rpartition("!")
    found = book[sheet.strip("'")][area.replace("$", "")]
    return [cell for row in found for cell in row] if isinstance(found, tuple) else [found]


def test_a_long_range_is_drawn_by_month(unit: UnitOfWork, exports: ExportService) -> None:
    record(unit, call(), call(occurred_at=NOON - timedelta(100)))
    book = read_xlsx(exports, 1, END - timedelta(120), END)
    months = [row[0].value.date() for row in book["Chart figures"].iter_rows(min_row=2)]
    assert months == [date(2026, month, 1) for month in range(7, 12)]


def test_without_a_price_the_charts_show_tokens(unit: UnitOfWork, exports: ExportService) -> None:
    record(unit, call(cost=UNPRICED))
    book = read_xlsx(exports, 1, START, END)
    shown = [cell.value for row in book["Chart figures"] for cell in row if cell.value]
    assert "Tokens" in shown
    assert 15 in shown


def words(book: Any) -> str:
    return "\n".join(str(cell.value) for row in book.worksheets[0] for cell in row if cell.value is not None)


def test_the_summary_says_in_words_what_the_sums_leave_out(unit: UnitOfWork, exports: ExportService) -> None:
    estimated = TokenUsage(10, output_tokens=5, estimated=True)
    record(unit, call(cost=UNPRICED), call(cost=UNPRICED), call(usage=estimated))
    english = words(read_xlsx(exports, 1, START, END))
    assert "2 calls have no known price" in english
    assert "The tokens of 1 call are estimated" in english
    assert "There were no calls in the period before." in english
    assert "Oct 22, 2026 – Nov 20, 2026" in english
    assert "Sep 22, 2026 – Oct 21, 2026" in english
    assert "Europe/Moscow" in english
    russian = words(read_xlsx(exports, 1, START, END, language="ru"))
    assert "Цена 2 запросов неизвестна" in russian


def test_the_summary_compares_with_the_period_before(unit: UnitOfWork, exports: ExportService) -> None:
    before = NOON - timedelta(30)
    record(unit, call(), call(), call(), call(occurred_at=before), call(occurred_at=before))
    book = read_xlsx(exports, 1, START, END)
    rows = {row[0].value: [cell.value for cell in row[1:4]] for row in book["Summary"]}
    assert rows["Requests"] == [3, 2, 0.5]
    assert rows["Cost, USD"] == [0.0000045, 0.000003, 0.5]
    assert "no calls in the period before" not in words(book)


def test_a_sheet_of_calls_that_was_cut_says_so(unit: UnitOfWork, usage: UsageService) -> None:
    # What is cut are rows, however many requests they stand for.
    record(unit, *(call(request_id=str(number), requests=7) for number in range(9)))
    selection = Selection(1, START, END)
    for most, said in ((8, True), (9, False)):
        target = BytesIO()
        file = ReportFile(usage.report(1, START, END), selection, "en", MOSCOW, most)
        file.write(pages(unit, selection, MOSCOW, size=5), target)
        book = load_workbook(target)
        assert len(calls_of(book)) == most
        last = book["Calls"].cell(book["Calls"].max_row, 1).value
        assert ("The calls end here" in str(last)) == said
        assert ("The sheet of calls has the first 8." in words(book)) == said


def test_sample_data_is_exported_alone_and_named_so(unit: UnitOfWork, exports: ExportService) -> None:
    record(unit, call(request_id="real"), call(request_id="sample", source=Source.SAMPLE))
    for sample, wanted in ((False, "real"), (True, "sample")):
        rows = read_csv(exports.calls_csv(None, START, END, sample=sample))
        assert [row["request_id"] for row in rows] == [wanted]
        book = read_xlsx(exports, None, START, END, sample=sample)
        assert ("Sample data: invented figures" in words(book)) == sample
    for only, sample in ((Source.SAMPLE, False), (Source.CHAT, True)):
        with pytest.raises(AppError, match="no calls to export"):
            exports.calls_csv(None, START, END, where=((Dimension.SOURCE, (only,)),), sample=sample)


def test_files_are_named_after_their_days(exports: ExportService) -> None:
    days = (date(2026, 11, 1), date(2026, 11, 20))
    names = {
        exports.file_name(kind, *days, language, sample=sample)
        for kind in ExportKind
        for language in LANGUAGES
        for sample in (False, True)
    }
    assert len(names) == 12
    assert "aihub-usage-2026-11-01-to-2026-11-20.csv" in names
    assert "aihub-sample-data-2026-11-01-to-2026-11-20.parquet" in names
    assert "aihub-расход-2026-11-01-2026-11-20.xlsx" in names
    assert not [name for name in names if re.search(r'[\s/\\:*?"<>|]', name)]


def test_a_range_turned_round_and_an_empty_one_are_refused_before_the_first_byte(
    exports: ExportService,
) -> None:
    target = BytesIO()
    for days, kind in (((END, START), ErrorKind.VALIDATION), ((START, END), ErrorKind.NOT_FOUND)):
        refused = pytest.raises(AppError, check=lambda error, kind=kind: error.kind is kind)
        with refused:
            exports.calls_csv(1, *days)
        with refused:
            exports.calls_parquet(1, *days, target)
        with refused:
            exports.report_xlsx(1, *days, "ru", target)
    assert target.getvalue() == b""


def test_the_parts_of_the_workbook_are_whole(
    unit: UnitOfWork, exports: ExportService, tmp_path: Path
) -> None:
    """What makes Excel offer a repair: a part that is no XML, is not declared, or is referred to and missing."""
    record(unit, *mixed_calls(), *(call(model=text) for text in HOSTILE))
    path = tmp_path / "report.xlsx"
    with path.open("wb") as target:
        exports.report_xlsx(None, START, END, "ru", target)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert len(parts) == len(set(parts))
    trees = {name: ET.fromstring(data) for name, data in parts.items()}  # noqa: S314 - our own file

    types = trees.pop("[Content_Types].xml")
    declared = {each.get("PartName", "").lstrip("/") for each in types if each.tag.endswith("Override")}
    defaults = {each.get("Extension") for each in types if each.tag.endswith("Default")}
    assert declared <= set(parts)
    assert [name for name in parts if name not in declared and name.rpartition(".")[2] not in defaults] == [
        name for name in parts if name == "[Content_Types].xml" and "xml" not in defaults
    ]
    for name, tree in trees.items():
        if name.endswith(".rels"):
            folder = Path(name).parent.parent
            for link in tree:
                wanted = link.get("Target", "")
                full = wanted.lstrip("/") if wanted.startswith("/") else (folder / wanted).as_posix()
                assert full in parts, f"{name} refers to {wanted}"
    book: Any = load_workbook(path)
    for name, tree in trees.items():
        if name.startswith("xl/worksheets/sheet"):
            used = {int(cell.get("s", "0")) for cell in tree.iter() if cell.tag.endswith("}c")}
            assert max(used) < len(book._cell_styles)
            rows = [int(row.get("r", "0")) for row in tree.iter() if row.tag.endswith("}row")]
            assert rows == list(range(1, len(rows) + 1))
