"""The verbs of exports: the ledger's calls as CSV and Parquet, and a report in Excel."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import BinaryIO

from core.errors import AppError, ErrorKind
from core.i18n import N_, translate
from core.store.unit_of_work import UnitOfWork
from core.usage.explore.types import Dimension, Where
from core.usage.exports.csv_file import csv_pieces
from core.usage.exports.parquet_file import write_parquet
from core.usage.exports.rows import pages
from core.usage.exports.types import ExportKind, Selection, Separator
from core.usage.ledger import Ledger
from core.usage.service import UsageService
from core.usage.types import ANY_CALL, CallFilter, Source, UsageReport


class ExportService:
    """Writes the calls of a range of report days, of user `scope` or (None) of all users.

    Who may see all users is the caller's to know. Each export holds real calls or, with `sample`, sample data:
    never both. Each raises AppError before its first byte: VALIDATION for a range that no report could have,
    NOT_FOUND where there is nothing to export. A call recorded or removed meanwhile may be in or not.
    """

    def __init__(self, unit: UnitOfWork, ledger: Ledger, usage: UsageService) -> None:
        self._unit = unit
        self._ledger = ledger
        self._usage = usage

    def calls_csv(
        self,
        scope: int | None,
        start: date,
        end: date,
        *,
        only: CallFilter = ANY_CALL,
        where: Where = (),
        sample: bool = False,
        separator: Separator = Separator.COMMA,
        bom: bool = True,
    ) -> Iterator[bytes]:
        """The calls as CSV in UTF-8, in pieces of about a megabyte; see `csv_pieces`.

        With `bom` Excel knows that it is UTF-8. Text that looks like a formula begins with an apostrophe.
        """
        selection = Selection(scope, start, end, sample, only, where)
        self._check(selection)
        return csv_pieces(pages(self._unit, selection, self._ledger.zone), separator, bom)

    def calls_parquet(
        self,
        scope: int | None,
        start: date,
        end: date,
        target: BinaryIO,
        *,
        only: CallFilter = ANY_CALL,
        where: Where = (),
        sample: bool = False,
    ) -> int:
        """Write the calls to `target` as Parquet, texts untouched; returns how many. See `write_parquet`."""
        selection = Selection(scope, start, end, sample, only, where)
        self._check(selection)
        zone = self._ledger.zone
        return write_parquet(pages(self._unit, selection, zone), zone.key, sample, target)

    def report_xlsx(
        self,
        scope: int | None,
        start: date,
        end: date,
        language: str,
        target: BinaryIO,
        *,
        only: CallFilter = ANY_CALL,
        where: Where = (),
        sample: bool = False,
    ) -> None:
        """Write an Excel workbook in `language`: summary with charts, tables, and the first 100,000 calls."""
        # Imported here: openpyxl takes a quarter of a second at start.
        from core.usage.exports.report_file import ReportFile

        selection = Selection(scope, start, end, sample, _as_filter(only, where), where)
        file = ReportFile(self._report(selection), selection, language, self._ledger.zone)
        file.write(pages(self._unit, selection, self._ledger.zone), target)

    def file_name(
        self, kind: ExportKind, start: date, end: date, language: str, *, sample: bool = False
    ) -> str:
        """What to call the file, in `language`; sample data is named as such."""
        name = N_("aihub-sample-data-{first}-to-{last}") if sample else N_("aihub-usage-{first}-to-{last}")
        return f"{translate(language, name, first=start.isoformat(), last=end.isoformat())}.{kind.value}"

    def _check(self, selection: Selection) -> None:
        """AppError when there is nothing to export."""
        if not selection.where:
            self._report(selection)
            return
        if next(pages(self._unit, selection, self._ledger.zone, 1), None) is None:
            raise _nothing()

    def _report(self, selection: Selection) -> UsageReport:
        """The report on the selection; AppError when there is none, or nothing in it."""
        report = self._usage.report(
            selection.scope, selection.start, selection.end, selection.sample, only=selection.only
        )
        if not report.total.requests:
            raise _nothing()
        return report


def _nothing() -> AppError:
    return AppError(
        ErrorKind.NOT_FOUND,
        N_("There are no calls to export in these days. Choose other days, or clear the filters."),
    )


def _as_filter(only: CallFilter, where: Where) -> CallFilter:
    """The filters of a report: its sums are kept by provider, model and source. AppError for others."""
    for dimension, values in where:
        if len(values) == 1 and dimension is Dimension.PROVIDER:
            only = replace(only, provider=values[0])
        elif len(values) == 1 and dimension is Dimension.MODEL:
            provider, _, model = values[0].partition("/")
            only = replace(only, provider=provider, model=model)
        elif len(values) == 1 and dimension is Dimension.SOURCE:
            only = replace(only, source=Source(values[0]))
        else:
            raise AppError(
                ErrorKind.VALIDATION,
                N_(
                    "The Excel report can be filtered by one provider, one model and one source. Clear the other "
                    "filters, or export CSV or Parquet."
                ),
            )
    return only
