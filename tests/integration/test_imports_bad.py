"""What an import does with files that are wrong: it says where and what to do, and nothing is recorded."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from sqlalchemy import func, select

from core.errors import AppError
from core.pricing.service import PriceBook
from core.store.engine import open_engine
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import DAILY, EVENTS
from core.usage.imports.jobs import ImportJobs
from core.usage.imports.service import ImportService
from core.usage.imports.types import (
    Asked,
    DateOrder,
    DecimalSign,
    ImportOptions,
    SkipReason,
    Step,
    UnclearFile,
)
from core.usage.ledger import Ledger
from tests.support.import_files import plain, saved
from tests.support.store import migrated

pa: Any = import_module("pyarrow")
pq: Any = import_module("pyarrow.parquet")
GOOD = "2026-11-01,openai,gpt-4o,10,5,0.1"
WIDE = "time;provider;model;input_tokens;output_tokens;cost"


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[UnitOfWork]:
    opened = migrated(f"sqlite:///{tmp_path / 'hub.db'}")
    yield opened
    opened.close()


@pytest.fixture
def imports(unit: UnitOfWork) -> ImportService:
    return ImportService(unit, Ledger(ZoneInfo("UTC")), PriceBook(unit))


def read(
    imports: ImportService, folder: Path, content: str | bytes, stored: str = "utf-8", **options: Any
) -> Any:
    path = saved(folder, content, "file", stored)
    (folder / "staged").unlink(missing_ok=True)
    return imports.read(1, path, folder / "staged", options=ImportOptions(**options))


def refusal(imports: ImportService, folder: Path, content: str | bytes, **options: Any) -> str:
    with pytest.raises(AppError) as refused:
        read(imports, folder, content, **options)
    return refused.value.text()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1251", "koi8-r"])
def test_letters_are_read_in_any_encoding(imports: ImportService, tmp_path: Path, encoding: str) -> None:
    header = "Дата;Поставщик;Модель;Входные токены;Выходные токены;Стоимость;Валюта;Категория"
    row = "21.11.2025 10:30;openai;gpt-4o;1 200;35;0,5;руб;Ежедневные отчёты для отдела продаж"
    preview = read(imports, tmp_path, f"{header}\r\n{row}\r\n", encoding)
    assert preview.calls == 1
    assert preview.models[0].given == {"RUB": 500_000_000}
    assert preview.models[0].input_tokens == 1_200
    assert preview.sample[0].occurred_at == datetime(2025, 11, 21, 10, 30, tzinfo=UTC)
    assert preview.columns[-1] == "Категория"


def test_a_wrong_encoding_names_the_row(imports: ImportService, tmp_path: Path) -> None:
    content = plain(GOOD, GOOD, "2026-11-01,openai,модель,1,1,1").encode("cp1251")
    assert "Row 4 has characters that are not utf-8" in refusal(imports, tmp_path, content, encoding="utf-8")


@pytest.mark.parametrize(
    ("cells", "nano", "tokens"),
    [
        ("1234;1234,5", 1_234_500_000_000, 1_234),
        ("1.234;1.234,50", 1_234_500_000_000, 1_234),
        ("1 234;1 234,50 ₽", 1_234_500_000_000, 1_234),
        ("1'234;1'234.50", 1_234_500_000_000, 1_234),
        ('1,234;"1,234.50"', 1_234_500_000_000, 1_234),
        ("12.0;1e-7", 100, 12),
        ("12;$0.0000000005", 0, 12),
        ("12;0.0000000015", 2, 12),
    ],
)
def test_numbers_are_read_as_they_are_written(
    imports: ImportService, tmp_path: Path, cells: str, nano: int, tokens: int
) -> None:
    count, cost = cells.split(";")
    preview = read(imports, tmp_path, f"{WIDE}\n2026-11-01;openai;gpt-4o;{count};0;{cost}\n")
    assert preview.skips == ()
    assert (sum(preview.models[0].given.values()), preview.models[0].input_tokens) == (nano, tokens)


def test_an_amount_that_may_be_two_is_asked_about(imports: ImportService, tmp_path: Path) -> None:
    content = f"{WIDE}\n2026-11-01;openai;gpt-4o;1;1;1,234\n"
    with pytest.raises(UnclearFile) as asked:
        read(imports, tmp_path, content)
    assert (asked.value.asked, asked.value.row, asked.value.example) == (Asked.DECIMAL, 2, "1,234")
    as_comma = read(imports, tmp_path, content, decimal=DecimalSign.COMMA)
    as_point = read(imports, tmp_path, content, decimal=DecimalSign.POINT)
    assert as_comma.models[0].given == {"USD": 1_234_000_000}
    assert as_point.models[0].given == {"USD": 1_234_000_000_000}


def test_a_date_that_may_be_two_is_asked_about(imports: ImportService, tmp_path: Path) -> None:
    content = plain("03/04/2026,openai,gpt-4o,1,1,0.1", "05/04/2026,openai,gpt-4o,1,1,0.1")
    with pytest.raises(UnclearFile) as asked:
        read(imports, tmp_path, content)
    assert (asked.value.asked, asked.value.example) == (Asked.DATE_ORDER, "03/04/2026")
    assert read(imports, tmp_path, content, date_order=DateOrder.DAY_FIRST).first_day == date(2026, 4, 3)
    assert read(imports, tmp_path, content, date_order=DateOrder.MONTH_FIRST).first_day == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("dates", "first"),
    [
        (("03/04/2026", "13/04/2026"), date(2026, 4, 3)),
        (("03/04/2026", "04/13/2026 1:05 PM"), date(2026, 3, 4)),
        (("2026/04/03", "2026-04-13T10:00:00.123456789Z"), date(2026, 4, 3)),
        (("1775174400", "1775174400123"), date(2026, 4, 3)),
        (("03.04.26", "03.04.2026 10:00"), date(2026, 4, 3)),
        (("2026-04-03T02:00:00+03:00", "2026-04-03 10:00 UTC"), date(2026, 4, 2)),
    ],
)
def test_the_whole_column_tells_the_order_of_a_date(
    imports: ImportService, tmp_path: Path, dates: tuple[str, ...], first: date
) -> None:
    preview = read(imports, tmp_path, plain(*(f"{day},openai,gpt-4o,1,1,0.1" for day in dates)))
    assert (preview.first_day, preview.calls, preview.skips) == (first, 2, ())


def test_a_column_of_both_orders_names_two_rows(imports: ImportService, tmp_path: Path) -> None:
    rows = [f"{day},openai,gpt-4o,1,1,0.1" for day in ("01/02/2026", "13/01/2026", "01/14/2026")]
    text = refusal(imports, tmp_path, plain(*rows))
    assert "row 3 has 13/01/2026" in text
    assert "row 4 has 01/14/2026" in text


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        ("yesterday,openai,gpt-4o,1,1,1", SkipReason.BAD_TIME, "time"),
        ("2026-02-30,openai,gpt-4o,1,1,1", SkipReason.BAD_TIME, "time"),
        (",openai,gpt-4o,1,1,1", SkipReason.BAD_TIME, "time"),
        ("1999-12-31,openai,gpt-4o,1,1,1", SkipReason.OUT_OF_RANGE, "time"),
        ("2999-12-31,openai,gpt-4o,1,1,1", SkipReason.OUT_OF_RANGE, "time"),
        ("2026-11-01,openai,,1,1,1", SkipReason.NO_MODEL, "model"),
        ("2026-11-01,openai,gpt-4o,-1,1,1", SkipReason.NEGATIVE, "input_tokens"),
        ("2026-11-01,openai,gpt-4o,1,1,-1", SkipReason.NEGATIVE, "cost"),
        ("2026-11-01,openai,gpt-4o,99999999999999999999,1,1", SkipReason.ABSURD, "input_tokens"),
        ("2026-11-01,openai,gpt-4o,1,1,99999999999", SkipReason.ABSURD, "cost"),
        ("2026-11-01,openai,gpt-4o,many,1,1", SkipReason.BAD_NUMBER, "input_tokens"),
        ("2026-11-01,openai,gpt-4o,1.5,1,1", SkipReason.BAD_NUMBER, "input_tokens"),
        ("2026-11-01,openai,gpt-4o,1,1,free", SkipReason.BAD_NUMBER, "cost"),
        ("2026-11-01,openai,gpt-4o,1,1", SkipReason.SHORT_ROW, ""),
        ("2026-11-01,openai,gpt-4o,1,1,1,1", SkipReason.SHORT_ROW, ""),
        ("2026-11-01,openai,gpt-4o,0,0,", SkipReason.NOTHING, ""),
    ],
)
def test_a_wrong_row_is_skipped_and_named(
    imports: ImportService, tmp_path: Path, row: str, reason: SkipReason, column: str
) -> None:
    preview = read(imports, tmp_path, plain(GOOD, row, GOOD))
    assert [(skip.reason, skip.rows, skip.row, skip.column) for skip in preview.skips] == [
        (reason, 1, 3, column)
    ]
    assert preview.calls == 2


def test_each_column_that_is_wrong_is_named_with_its_first_row(
    imports: ImportService, tmp_path: Path
) -> None:
    tokens, cost = "2026-11-01,openai,gpt-4o,-1,1,1", "2026-11-01,openai,gpt-4o,1,1,-0.5"
    preview = read(imports, tmp_path, plain(GOOD, tokens, cost, cost))
    assert [(skip.rows, skip.row, skip.column, skip.example) for skip in preview.skips] == [
        (2, 4, "cost", "-0.5"),
        (1, 3, "input_tokens", "-1"),
    ]
    assert {skip.reason for skip in preview.skips} == {SkipReason.NEGATIVE}


def test_parts_that_exceed_the_whole_are_skipped(imports: ImportService, tmp_path: Path) -> None:
    header = "time,model,input_tokens,cached_input_tokens,output_tokens,status,currency"
    rows = (
        "2026-11-01,gpt-4o,10,11,1,ok,USD",
        "2026-11-01,gpt-4o,10,1,1,puzzled,USD",
        "2026-11-01,gpt-4o,10,1,1,ok,DOLLARS",
    )
    preview = read(imports, tmp_path, plain(*rows, header=header))
    assert [skip.reason for skip in preview.skips] == [
        SkipReason.CONTRADICTION,
        SkipReason.BAD_STATUS,
        SkipReason.BAD_CURRENCY,
    ]


def excel(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def parquet() -> bytes:
    target = io.BytesIO()
    columns = {"time": ["2026-11-01"] * 5_000, "model": ["gpt-4o"] * 5_000, "input_tokens": range(5_000)}
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


def test_excel_and_parquet_are_read(imports: ImportService, tmp_path: Path) -> None:
    header = ["Date", "Model", "Input tokens", "Cost"]
    morning = datetime(2026, 11, 1, 9)  # noqa: DTZ001 - Excel knows no zones
    sheet = excel(header, [], [morning, "gpt-4o", 7, 1.234])
    preview = read(imports, tmp_path, sheet)
    assert (preview.models[0].input_tokens, preview.models[0].given) == (7, {"USD": 1_234_000_000})
    assert preview.sample[0].row == 3
    assert read(imports, tmp_path, parquet()).calls == 4_999


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(80):
                sheet.write(bytes(1 << 20))
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "file is empty"),
        (b"\xef\xbb\xbf \n", "file is empty"),
        (b"time,model,cost\n", "file is empty"),
        (plain(GOOD, '2026-11-01,"openai,gpt-4o,1,1,1'), "ends in the middle of row 3"),
        (plain(GOOD, '2026-11-01,"open"ai,gpt-4o,1,1,1'), "Row 3 is not CSV"),
        ("time,model,cost,model\n2026-11-01,a,1,b\n", "Two columns are called “model”: number 2 and number 4"),
        ("time,input_tokens,cost\n2026-11-01,1,1\n", "no column “model”"),
        ("name,colour\nJo,red\n", "Found: name, colour"),
        (b"%PDF-1.7 \x00", "another kind (PDF)"),
        (b"\x89PNG\r\n\x1a\n\x00", "another kind (PNG)"),
        (b"MZ\x90\x00\x03\x00\x00\x00\x04\x00", "another kind (binary)"),
        (b"\xd0\xcf\x11\xe0", "old kind (.xls)"),
        (b"\x1f\x8b\x08", "compressed"),
        (parquet()[:-300], "Parquet file is damaged"),
        (excel(["time"], ["2026-11-01"])[:-300], "Excel file is damaged"),
        (bomb(), "too large to be opened safely"),
        ('[{"time": "2026-11-01", "model": "a", "cost": 1}, {"time": "2026', "ends in the middle of row 3"),
        ('[{"time": "2026-11-01", "model": "a", "cost": 1}, {"time": nothing' + " " * 99 + "}]", "Row 3 is not JSON"),
        ("[1, 2]", "Row 2 is no object"),
        (plain(GOOD, '2026-11-01,openai,gpt-4o,1,1,"1,5"'), "written in two ways"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_in_words(
    imports: ImportService, unit: UnitOfWork, tmp_path: Path, content: str | bytes, said: str
) -> None:
    assert said in refusal(imports, tmp_path, content)
    assert rows_of(unit) == (0, 0)


def rows_of(unit: UnitOfWork) -> tuple[int, int]:
    with unit.read() as session:
        return tuple(
            session.execute(select(func.count()).select_from(table)).scalar_one() for table in (EVENTS, DAILY)
        )  # type: ignore[return-value]


def test_a_process_killed_in_the_middle_leaves_nothing(database_url: str, tmp_path: Path) -> None:
    path = saved(tmp_path, plain(*[GOOD] * 30_000))
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.import_child", database_url, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdin is not None
    with child.stdout, child.stdin:
        assert child.stdout.readline() == "writing\n"
        child.kill()
        child.wait()
    unit = UnitOfWork(open_engine(database_url))
    assert rows_of(unit) == (0, 0)
    imports = ImportService(unit, Ledger(ZoneInfo("UTC")), PriceBook(unit))
    info = imports.write(1, imports.read(1, path, tmp_path / "staged"), tmp_path / "staged")
    assert (info.calls, rows_of(unit)[0]) == (30_000, 30_000)
    unit.close()


def test_jobs_read_write_and_tidy_up(imports: ImportService, unit: UnitOfWork, tmp_path: Path) -> None:
    jobs = ImportJobs(imports, tmp_path / "jobs")
    content = plain("03/04/2026,openai,gpt-4o,1,1,0.1").encode()
    jobs.upload(1, "usage.csv", [content])
    state = jobs.wait(1)
    assert state is not None
    assert isinstance(state.error, UnclearFile)
    jobs.read_again(1, ImportOptions(date_order=DateOrder.DAY_FIRST))
    state = jobs.wait(1)
    assert state is not None
    assert (state.step, state.preview is not None) == (Step.READY, True)
    assert jobs.state(2) is None
    jobs.start(1)
    state = jobs.wait(1)
    assert state is not None
    assert state.step is Step.DONE
    assert state.info is not None
    assert rows_of(unit)[0] == 1
    jobs.dismiss(1)
    assert jobs.state(1) is None
    assert list((tmp_path / "jobs").iterdir()) == []


LINES = st.lists(
    st.tuples(
        st.dates(date(2025, 1, 1), date(2026, 10, 31)),
        st.sampled_from(["gpt-4o", "nobody-knows", "claude-sonnet-4-20250514"]),
        st.integers(0, 10**7),
        st.integers(0, 10**5),
        st.none() | st.decimals(0, 1_000, places=9),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, cut=st.integers(0, 12))
def test_imports_again_and_undone_are_exact(
    imports: ImportService, unit: UnitOfWork, tmp_path: Path, lines: list[tuple[Any, ...]], cut: int
) -> None:
    rows = [
        f"{day},openai,{model},{read},{written},{'' if cost is None else cost},{requests}"
        for day, model, read, written, cost, requests in lines
    ]
    header = "date,provider,model,input_tokens,output_tokens,cost,requests"
    staged = tmp_path / "staged"

    def take(part: list[str]) -> Any:
        staged.unlink(missing_ok=True)
        preview = imports.read(1, saved(tmp_path, plain(*part, header=header)), staged)
        new = preview.calls - preview.known
        return imports.write(1, preview, staged) if new else None

    first, whole, again = take(rows[:cut]) if rows[:cut] else None, take(rows), take(rows)
    assert again is None
    with unit.read() as session:
        total = session.execute(select(func.sum(EVENTS.c.requests), func.count())).one()
    assert total == (sum(line[5] for line in lines), len(lines))
    for info in (first, whole):
        if info is not None:
            imports.undo(1, info.id)
    assert rows_of(unit) == (0, 0)
