"""How far an export is: how many calls, and how long it will take."""

import gc
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.store.unit_of_work import UnitOfWork
from core.usage.explore.types import Dimension, Selection
from core.usage.exports.jobs import ExportJobs, ExportState, ExportStep
from core.usage.exports.rows import pages
from core.usage.exports.service import ExportService
from core.usage.exports.types import ExportKind, Separator
from core.usage.ledger import Ledger
from tests.bench.ledgers import fill, new_unit
from tests.support.people import ADMIN

CALLS = 12_000
DAY = date(2026, 11, 20)
YEAR = Selection(None, DAY - timedelta(364), DAY)
LEDGER = Ledger(ZoneInfo("UTC"))


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitOfWork]:
    unit = new_unit(tmp_path_factory.mktemp("ledger"))
    with unit.write() as session:
        fill(session, LEDGER, CALLS, DAY, users=3)
    yield unit
    unit.close()


def test_pages_tell_how_many_calls_they_gave_and_how_far_they_are(unit: UnitOfWork) -> None:
    told: list[tuple[int, float]] = []
    one = Selection(None, YEAR.start, DAY, where=((Dimension.USER, ("2",)),))
    for selection in (YEAR, one):
        told.clear()
        sizes = [
            len(page)
            for page in pages(
                unit, selection, LEDGER.zone, 1_000, lambda calls, share: told.append((calls, share))
            )
        ]
        assert [calls for calls, _ in told][: len(sizes)] == [sum(sizes[: n + 1]) for n in range(len(sizes))]
        shares = [share for _, share in told]
        assert shares == sorted(shares)
        assert (0 < shares[0] < 1, shares[-1]) == (True, 1.0)


class _Stop(Exception):
    """Somebody stops it."""


def stop(_calls: int, _share: float) -> None:
    raise _Stop


@pytest.mark.parametrize(
    "export",
    [
        lambda exports: list(exports.calls_csv(None, YEAR.start, DAY, progress=stop)),
        lambda exports: exports.calls_parquet(None, YEAR.start, DAY, BytesIO(), progress=stop),
        lambda exports: exports.report_xlsx(None, YEAR.start, DAY, "en", BytesIO(), progress=stop),
    ],
    ids=["csv", "parquet", "excel"],
)
def test_every_kind_can_be_stopped_on_its_way(
    unit: UnitOfWork,
    export: Callable[[ExportService], object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(_Stop):
        export(ExportService(unit, LEDGER))
    # Nothing of it stays behind, open or on the disk.
    gc.collect()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", list(ExportKind))
def test_an_export_under_way_says_about_how_long_it_will_take(
    unit: UnitOfWork, tmp_path: Path, kind: ExportKind
) -> None:
    seen: list[ExportState] = []
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 10
        if (state := jobs.state(1)) is not None:
            seen.append(state)
        return now

    jobs = ExportJobs(ExportService(unit, LEDGER), tmp_path, clock)
    jobs.start(ADMIN, kind, YEAR, "en", Separator.COMMA)
    ended = jobs.wait(1)
    assert ended is not None
    assert ended.step is ExportStep.READY
    assert (ended.calls, ended.seconds_left) == (CALLS, 0)
    told = [(state.calls, state.seconds_left) for state in seen if state.calls]
    # Ten seconds a page, at every look at this clock.
    assert [calls for calls, _ in told] == [5_000, 10_000]
    assert told[0][1] == pytest.approx(10 * (CALLS - 5_000) / 5_000, rel=0.01)
    assert told[1][1] == pytest.approx(20 * (CALLS - 10_000) / 10_000, rel=0.01)
    jobs.close()
    assert list(tmp_path.iterdir()) == []
