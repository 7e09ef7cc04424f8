"""The Excel report: what was used and what it cost, in the reader's language, with charts and the calls."""

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from openpyxl import Workbook

from core.i18n import N_, translate
from core.usage.explore.types import Selection
from core.usage.exports import charts, measures
from core.usage.exports.quick_rows import QUICK
from core.usage.exports.rows import Row
from core.usage.exports.sheets import (
    NUMBER,
    PERCENT,
    TEXT,
    Head,
    Sheet,
    Value,
    day_format,
    moment_format,
    money_format,
)
from core.usage.exports.summary import write_notes, write_summary
from core.usage.exports.types import COLUMNS, Cell, Column
from core.usage.types import Totals, UsageReport

MOST_CALLS = 100_000
"""Rows of the sheet of calls; more make a workbook that is slow to open."""


class ReportFile:
    """One report on its way into a workbook."""

    def __init__(
        self,
        report: UsageReport,
        selection: Selection,
        language: str,
        zone: ZoneInfo,
        most_calls: int = MOST_CALLS,
    ) -> None:
        self._report = report
        self._selection = selection
        self._language = language
        self._zone = zone
        self._most_calls = most_calls
        self._book: Any = Workbook(write_only=True)
        self._currencies = [each for each in measures.currencies(report) if each in report.total.costs]

    def write(self, pages: Iterable[list[Row]], target: BinaryIO) -> None:
        """Write the workbook to `target`; `pages` are the calls in order, of which it takes as many as fit."""
        try:
            self._sheets(pages)
        except BaseException:
            for sheet in self._book.worksheets:
                sheet.abandon()
            raise
        self._book.save(target)

    def _sheets(self, pages: Iterable[list[Row]]) -> None:
        title = self._tr(N_("Usage report"))
        self._book.properties.creator, self._book.properties.title = "AIHub", title
        summary = write_summary(self._book, self._report, self._selection, self._language, self._zone.key)
        self._days()
        self._models()
        self._providers()
        all_there = self._calls(pages)
        write_notes(summary, self._report, self._language, None if all_there else self._most_calls)
        self._charts(summary.sheet)

    def _days(self) -> None:
        day = Head(self._tr(N_("Day")), day_format(self._language))
        sheet = Sheet(self._book, self._tr(N_("By day")), [day, *self._total_heads()])
        for each, totals in self._report.days:
            sheet.add([each, *self._values(totals)])
        sheet.totals([self._tr(N_("Total")), *self._values(self._report.total)])

    def _models(self) -> None:
        heads = [Head(self._tr(N_("Provider")), TEXT), Head(self._tr(N_("Model")), TEXT, 32)]
        heads += [*self._total_heads(), self._share_head()]
        sheet = Sheet(self._book, self._tr(N_("By model")), heads)
        for each in self._report.by_model:
            sheet.add([each.provider, each.model, *self._values(each.totals), self._share(each.totals)])
        total = self._report.total
        sheet.totals([self._tr(N_("Total")), None, *self._values(total), self._share(total)])

    def _providers(self) -> None:
        heads = [Head(self._tr(N_("Provider")), TEXT, 18), Head(self._tr(N_("Models")))]
        heads += [*self._total_heads(), self._share_head()]
        sheet = Sheet(self._book, self._tr(N_("By provider")), heads)
        for each in self._report.by_provider:
            sheet.add([each.provider, each.models, *self._values(each.totals), self._share(each.totals)])
        total, models = self._report.total, len(self._report.by_model)
        sheet.totals([self._tr(N_("Total")), models, *self._values(total), self._share(total)])

    def _calls(self, pages: Iterable[list[Row]]) -> bool:
        """Whether all of them fit: only reading tells, for a row may stand for many requests."""
        heads = [self._call_head(column) for column in COLUMNS]
        sheet = Sheet(self._book, self._tr(N_("Calls")), heads)
        room, all_there = self._most_calls, True
        quick = sheet.quick_rows([column.cell for column in COLUMNS])
        for page in pages:
            for row in page[:room]:
                if QUICK:
                    sheet.add_ready(quick.row(sheet.rows + 1, row))
                else:
                    sheet.add([_cell(column, value) for column, value in zip(COLUMNS, row, strict=True)])
            all_there = len(page) <= room
            if not all_there:
                break
            room -= len(page)
        sheet.end_of_table()
        if not all_there:
            sheet.add([None])
            text = self._tr(
                N_("The calls end here: a sheet takes no more. CSV and Parquet hold all of them.")
            )
            sheet.add_as([(text, TEXT)], bold=True)
        return all_there

    def _charts(self, summary: Any) -> None:
        """The charts on the summary, and the sheet of the figures they draw."""
        measure, other = measures.charted(self._report, self._language), self._tr(N_("Other"))
        names, rows = measures.columns_of_models(self._report, measure, other)
        parts = measures.parts_of_providers(self._report, measure, other)
        monthly = measures.by_month(self._report)
        number_format = money_format(measure.currency, self._language) if measure.currency else NUMBER
        day = "mm.yyyy" if monthly else day_format(self._language)
        first = self._tr(N_("Month")) if monthly else self._tr(N_("Day"))
        heads = [
            Head(first, day),
            *(Head(name, number_format, 18) for name in names),
            Head("", TEXT, 4),
            Head(self._tr(N_("Provider")), TEXT, 18),
            Head(measure.title, number_format, 18),
        ]
        sheet = Sheet(self._book, self._tr(N_("Chart figures")), heads)
        for row, part in zip_longest(rows, parts):
            left: list[Value] = [row[0], *map(measure.shown, row[1])] if row else [None] * (1 + len(names))
            right: list[Value] = [part[0], measure.shown(part[1])] if part else []
            sheet.add([*left, None, *right])
        by_time = N_("{measure} by month and model") if monthly else N_("{measure} by day and model")
        title = self._tr(by_time, measure=measure.title)
        axis = "#,##0.00" if measure.currency else NUMBER
        summary.add_chart(
            charts.stacked_columns(sheet.sheet, title, len(names), len(rows), (day, axis)), "F2"
        )
        title = self._tr(N_("{measure} by provider"), measure=measure.title)
        summary.add_chart(charts.shares(sheet.sheet, title, len(names) + 3, len(parts)), "F24")

    def _total_heads(self) -> list[Head]:
        heads = [Head(self._tr(title)) for title, _ in measures.COUNTS]
        return [*heads, *(self._money_head(currency) for currency in self._currencies)]

    def _values(self, totals: Totals) -> list[Value]:
        counts: list[Value] = [of(totals) for _, of in measures.COUNTS]
        costs = [totals.costs.get(currency) for currency in self._currencies]
        return [*counts, *(None if nano is None else measures.amount(nano) for nano in costs)]

    def _money_head(self, currency: str) -> Head:
        title = self._tr(N_("Cost, {currency}"), currency=currency)
        return Head(title, money_format(currency, self._language), 18)

    def _share_head(self) -> Head:
        measure = measures.charted(self._report, self._language)
        return Head(self._tr(N_("Share of: {measure}"), measure=measure.title), PERCENT)

    def _share(self, totals: Totals) -> Value:
        measure = measures.charted(self._report, self._language)
        return measures.ratio(measure.of(totals), measure.of(self._report.total))

    def _call_head(self, column: Column) -> Head:
        title = self._tr(column.title, zone=self._zone.key)
        if column.cell is Cell.MONEY:
            only = self._currencies[0] if len(self._currencies) == 1 else None
            number_format = money_format(only, self._language) if only else "#,##0.00#######"
            return Head(title, number_format, column.width)
        formats = {
            Cell.MOMENT: moment_format(self._language),
            Cell.DAY: day_format(self._language),
            Cell.NUMBER: "0" if column.name.endswith("_id") else NUMBER,
        }
        return Head(title, formats.get(column.cell, TEXT), column.width)

    def _tr(self, message: str, **params: object) -> str:
        return translate(self._language, message, **params)


def _cell(column: Column, value: Any) -> Value:
    if value is None:
        return None
    if column.cell is Cell.MONEY:
        return measures.amount(value)
    # Excel knows no zones: the head names the clock.
    return value.replace(tzinfo=None) if column.cell is Cell.MOMENT else value
