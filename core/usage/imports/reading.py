"""From a file to staged calls and a preview of them; the ledger is asked what it has, and not written to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from core.i18n import N_
from core.pricing.service import PriceBook
from core.usage.imports import faults
from core.usage.imports.columns import ColumnMap, match_plain, twice
from core.usage.imports.convert import Converter, Reading
from core.usage.imports.layouts import PLAIN_LAYOUT, Layout, detect, layout_of
from core.usage.imports.pricing import RowPricer
from core.usage.imports.skips import Skips
from core.usage.imports.source import Source, open_source
from core.usage.imports.staging import Progress, Staging
from core.usage.imports.summary import summarise
from core.usage.imports.survey import Conventions, survey
from core.usage.imports.types import DecimalSign, Field, Format, ImportOptions, Preview

_MOST_NANO = 9 * 10**18
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class ReadingRoom:
    """What it takes to read files. `zone`: the report time zone."""

    prices: PriceBook
    zone: Callable[[], ZoneInfo]

    def read(
        self,
        user_id: int,
        path: Path,
        file_name: str,
        staged: Path,
        options: ImportOptions,
        progress: Progress,
        columns: ColumnMap | None = None,
    ) -> Preview:
        """Stage the calls of a file for a user, and tell what they are. `known` is not looked up here.

        `columns`: how the columns were matched, where neither the headers nor the documented names tell.
        AppError(VALIDATION) for a file that cannot be imported; UnclearFile when a choice is missing.
        """
        report = self.zone()
        zone = _zone(options, report)
        source = open_source(path, options)
        layout = _layout(source, options, columns)
        columns = columns or (
            match_plain(source.header) if layout.format is Format.PLAIN else layout.match(source.header)
        )
        _check_columns(source, layout, columns)
        skips = Skips()
        plain = layout.format is Format.PLAIN
        conventions = self._conventions(source, columns, options, plain, progress)
        reading = Reading(
            layout,
            columns,
            conventions,
            source.header,
            ZoneInfo("UTC") if layout.utc and options.zone is None else zone,
            report,
            options.currency,
            user_id,
            datetime.now(UTC),
        )
        staging = Staging(staged)
        staging.write(
            source,
            columns.used(),
            Converter(reading, RowPricer(self.prices), skips),
            lambda done, size, rows: progress(done + size * plain, size * (1 + plain), rows),
        )
        staging.settle(skips)
        return _preview(file_name, source, reading, staging, staged, skips)

    @staticmethod
    def _conventions(
        source: Source, columns: ColumnMap, options: ImportOptions, plain: bool, progress: Progress
    ) -> Conventions:
        if not plain:
            return Conventions(options.decimal or DecimalSign.POINT, options.date_order)
        # In a file that knows numbers from text a number is one; only text files write them in several ways.
        if source.separator is None and options.decimal is None:
            options = replace(options, decimal=DecimalSign.POINT)
        return survey(source, columns, options, lambda done, size, rows: progress(done, size * 2, rows))


def _zone(options: ImportOptions, report: ZoneInfo) -> ZoneInfo:
    try:
        return ZoneInfo(options.zone) if options.zone else report
    except (KeyError, ValueError, OSError) as error:
        raise faults.fault(
            N_("There is no time zone “{zone}”. Choose one such as Europe/Moscow."), zone=str(options.zone)
        ) from error


def _layout(source: Source, options: ImportOptions, columns: ColumnMap | None) -> Layout:
    if columns is not None:
        return PLAIN_LAYOUT
    layout = layout_of(options.format) if options.format else detect(source.header)
    if layout is None:
        raise faults.fault(
            N_(
                "No column says when a call was made or which model answered. Found: {found}. Rename the columns as "
                "in the template below, or choose another file."
            ),
            found=_listed(source.header),
        )
    return layout


def _check_columns(source: Source, layout: Layout, columns: ColumnMap) -> None:
    found = columns.columns
    if layout.format is Format.OPENAI_USAGE and Field.MODEL not in found:
        raise faults.fault(
            N_("This export of OpenAI has no usage in it. Export days with usage, grouped by model.")
        )
    missing = next(
        (each for each in (Field.TIME, Field.MODEL) if each not in found and each not in columns.fixed), None
    )
    if missing is not None:
        raise faults.fault(
            N_(
                "The file has no column “{column}”. Found: {found}. Add the column, or choose another format."
            ),
            column=missing.value,
            found=_listed(source.header),
        )
    if repeated := twice(source.header, columns):
        name, places = repeated
        raise faults.fault(
            N_("Two columns are called “{name}”: number {first} and number {second}. Rename or remove one."),
            name=name,
            first=places[0] + 1,
            second=places[1] + 1,
        )


def _preview(
    file_name: str, source: Source, reading: Reading, staging: Staging, staged: Path, skips: Skips
) -> Preview:
    summary = summarise(staged)
    if not staging.rows:
        raise faults.empty()
    for line in summary.models:
        if any(nano > _MOST_NANO for nano in (*line.given.values(), *line.priced.values())):
            raise faults.fault(
                N_("The costs of {model} add up to more than any can. Check them."), model=line.model
            )
    columns = reading.columns
    used = set(columns.used())
    layout = reading.layout
    return Preview(
        file_name=file_name,
        format=layout.format,
        encoding=source.encoding,
        separator=source.separator,
        guessed=source.guessed,
        rows=staging.rows,
        calls=summary.calls,
        known=0,
        first_day=summary.first_day,
        last_day=summary.last_day,
        models=summary.models,
        skips=skips.all(),
        sample=summary.sample,
        summed=layout.summed and layout.format is not Format.PLAIN,
        counted=layout.counted,
        columns=tuple(source.header[place] for place in sorted(used)),
        zone=reading.report.key,
        unused=tuple(name for place, name in enumerate(source.header) if place not in used and name),
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:_SHOWN] if name)
    return f"{shown} …" if len(names) > _SHOWN else shown or "—"
