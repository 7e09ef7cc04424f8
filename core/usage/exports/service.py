"""The verbs of exports: the ledger's calls as CSV and Parquet, and a report in Excel."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import BinaryIO

from core.errors import AppError, ErrorKind
from core.i18n import N_, translate
from core.store.unit_of_work import UnitOfWork
from core.usage.explore.ranges import checked
from core.usage.explore.types import Selection, Where
from core.usage.exports.csv_file import csv_pieces
from core.usage.exports.parquet_file import write_parquet
from core.usage.exports.rows import Row, Told, pages, untold
from core.usage.exports.selected import read_selected
from core.usage.exports.types import ExportKind, Separator
from core.usage.ledger import Ledger
from core.usage.types import UsageReport


class ExportService:
    """Writes the calls of a range of report days, of user `scope` or (None) of all users.

    Who may see all users `scope_of` knows (core/rights.py). Each export holds real calls or, with `sample`, sample
    data: never both; `where` leaves out others, just as the explorer does. Each raises AppError before its first byte:
    VALIDATION for a range or a filter that is none, NOT_FOUND where there is nothing to export. A call recorded or
    removed meanwhile may be in or not. `progress` is told how far it is, and raises to stop.
    """

    def __init__(
        self, unit: UnitOfWork, ledger: Ledger, names: Callable[[], Mapping[int, str]] = dict[int, str]
    ) -> None:
        """`names`: what users are called, by their ids; a deleted one has no name."""
        self._unit = unit
        self._ledger = ledger
        self._names = names

    def calls_csv(
        self,
        scope: int | None,
        start: date,
        end: date,
        *,
        where: Where = (),
        sample: bool = False,
        separator: Separator = Separator.COMMA,
        bom: bool = True,
        progress: Told = untold,
    ) -> Iterator[bytes]:
        """The calls as CSV in UTF-8, in pieces of about a megabyte; see `csv_pieces`.

        With `bom` Excel knows that it is UTF-8. Text that looks like a formula begins with an apostrophe.
        """
        selection = checked(Selection(scope, start, end, sample, where))
        self._check(selection)
        return csv_pieces(self._pages(selection, progress), separator, bom)

    def calls_parquet(
        self,
        scope: int | None,
        start: date,
        end: date,
        target: BinaryIO,
        *,
        where: Where = (),
        sample: bool = False,
        progress: Told = untold,
    ) -> int:
        """Write the calls to `target` as Parquet, texts untouched; returns how many. See `write_parquet`."""
        selection = checked(Selection(scope, start, end, sample, where))
        self._check(selection)
        return write_parquet(self._pages(selection, progress), self._ledger.zone.key, sample, target)

    def report_xlsx(
        self,
        scope: int | None,
        start: date,
        end: date,
        language: str,
        target: BinaryIO,
        *,
        where: Where = (),
        sample: bool = False,
        progress: Told = untold,
    ) -> None:
        """Write an Excel workbook in `language`: summary with charts, tables, and the first 100,000 calls."""
        # Imported here: openpyxl takes a quarter of a second at start.
        from core.usage.exports.report_file import MOST_CALLS, ReportFile

        def tell(calls: int, share: float) -> None:
            progress(calls, max(share, min(calls / MOST_CALLS, 1.0)))

        selection = checked(Selection(scope, start, end, sample, where))
        file = ReportFile(self._report(selection), selection, language, self._ledger.zone)
        file.write(self._pages(selection, tell), target)

    def file_name(
        self, kind: ExportKind, start: date, end: date, language: str, *, sample: bool = False
    ) -> str:
        """What to call the file, in `language`; sample data is named as such."""
        name = N_("aihub-sample-data-{first}-to-{last}") if sample else N_("aihub-usage-{first}-to-{last}")
        return f"{translate(language, name, first=start.isoformat(), last=end.isoformat())}.{kind.value}"

    def _pages(self, selection: Selection, progress: Told) -> Iterator[list[Row]]:
        return pages(self._unit, selection, self._ledger.zone, progress=progress, names=self._names())

    def _check(self, selection: Selection) -> None:
        """AppError when there is nothing to export."""
        if not selection.where:
            self._report(selection)
            return
        if next(pages(self._unit, selection, self._ledger.zone, 1), None) is None:
            raise _nothing()

    def _report(self, selection: Selection) -> UsageReport:
        """The report on the selection; AppError when there is none, or nothing in it."""
        with self._unit.snapshot() as session:
            report = read_selected(session, selection, self._ledger.zone)
        if not report.total.requests:
            raise _nothing()
        return report


def _nothing() -> AppError:
    return AppError(
        ErrorKind.NOT_FOUND,
        N_("There are no calls to export in these days. Choose other days, or clear the filters."),
    )
