"""The first sheet of the Excel report: what was asked, the totals beside the period before, and what they leave out."""

from datetime import date, timedelta
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from core.i18n import N_, translate, translate_plural
from core.usage.explore.types import Dimension, Selection
from core.usage.exports import measures
from core.usage.exports.sheets import NUMBER, TEXT, Head, Sheet, Value, money_format
from core.usage.types import UsageReport

_FILTERS = {
    Dimension.PROVIDER: N_("Provider"),
    Dimension.MODEL: N_("Model"),
    Dimension.SOURCE: N_("Source"),
    Dimension.USER: N_("User no."),
    Dimension.STATUS: N_("Status"),
    Dimension.ERROR: N_("Error"),
    Dimension.CATEGORY: N_("Category"),
    Dimension.PROMPT: N_("Prompt"),
    Dimension.LABEL: N_("Label"),
    Dimension.THREAD: N_("Thread no."),
}
_NOTHING = {
    Dimension.ERROR: N_("No error"),
    Dimension.CATEGORY: N_("No category"),
    Dimension.PROMPT: N_("No prompt"),
    Dimension.LABEL: N_("No label"),
    Dimension.THREAD: N_("No thread"),
}
_MOST_VALUES = 20
_SIGNED = "+0.0%;-0.0%;0.0%"


def write_summary(book: Any, report: UsageReport, selection: Selection, language: str, zone: str) -> Sheet:
    """Add the sheet; `write_notes` ends it."""
    widths = (44, 24, 24, 14, 4)
    title = translate(language, N_("Summary"))
    sheet = Sheet(book, title, [Head("", TEXT, width) for width in widths], with_head=False)
    sheet.add_as([(translate(language, N_("Usage report")), TEXT)], bold=True)
    if selection.sample:
        sample = translate(language, N_("Sample data: invented figures, not your usage"))
        sheet.add_as([(sample, TEXT)], bold=True)
    for name, value in _asked(report, selection, language, zone):
        sheet.add([name, value])
    sheet.add([None])
    sheet.head(
        [
            "",
            translate(language, N_("This period")),
            translate(language, N_("Period before")),
            translate(language, N_("Change")),
        ]
    )
    for name, current, previous, unit in _compared(report, language):
        change = measures.ratio(current - previous, previous)
        now, before = (measures.amount(current), measures.amount(previous)) if unit else (current, previous)
        number_format = money_format(unit, language) if unit else NUMBER
        sheet.add_as([(name, TEXT), (now, number_format), (before, number_format), (change, _SIGNED)])
    return sheet


def write_notes(sheet: Sheet, report: UsageReport, language: str, calls_shown: int | None) -> None:
    """What the figures leave out; `calls_shown`: how many calls the workbook has when it has not all."""
    sheet.add([None])
    for note in _notes(report, language, calls_shown):
        sheet.add([note])


def _asked(report: UsageReport, selection: Selection, language: str, zone: str) -> list[tuple[str, Value]]:
    length = timedelta(len(report.days))
    everyone = translate(language, N_("All users"))
    one = translate(language, N_("User no. {number}"), number=selection.scope)
    lines: list[tuple[str, str]] = [
        (N_("Period"), _days(report.start, report.end, language)),
        (N_("Compared with"), _days(report.start - length, report.end - length, language)),
        (N_("Time zone of the days"), zone),
        (N_("Users"), everyone if selection.scope is None else one),
        *(
            (_FILTERS[dimension], _filtered(dimension, values, language))
            for dimension, values in selection.where
        ),
    ]
    return [(translate(language, name), value) for name, value in lines]


def _filtered(dimension: Dimension, values: tuple[str, ...], language: str) -> str:
    """The values of a filter as one cell; as the sheet of calls spells them."""
    nothing = translate(language, _NOTHING.get(dimension, "—"))
    more = len(values) - _MOST_VALUES
    named = [value or nothing for value in values[:_MOST_VALUES]]
    if more > 0:
        named.append(translate(language, N_("{count} more"), count=more))
    return ", ".join(named)


def _compared(report: UsageReport, language: str) -> list[tuple[str, int, int, str]]:
    """Name, now, before, currency; money in nano-units."""
    total, previous = report.total, report.previous
    lines = [
        (
            translate(language, N_("Cost, {currency}"), currency=currency),
            total.costs.get(currency, 0),
            previous.costs.get(currency, 0),
            currency,
        )
        for currency in measures.currencies(report)
    ]
    lines += [(translate(language, name), of(total), of(previous), "") for name, of in measures.COUNTS]
    return lines


def _notes(report: UsageReport, language: str, calls_shown: int | None) -> list[str]:
    total = report.total
    notes = [_unpriced(total.unpriced, language), _estimated(total.estimated, language)]
    if not report.previous.requests:
        notes.append(translate(language, N_("There were no calls in the period before.")))
    measure = measures.charted(report, language)
    if measure.currency and len(total.costs) > 1:
        text = N_("The charts show {currency}; amounts in other currencies are in the tables.")
        notes.append(translate(language, text, currency=measure.currency))
    if calls_shown is not None:
        text = N_("The sheet of calls has the first {number}. Export CSV or Parquet to have all of them.")
        notes.append(translate(language, text, number=_number(calls_shown, language)))
    return notes


def _unpriced(count: int, language: str) -> str:
    if not count:
        return translate(language, N_("Every call has a price."))
    return translate_plural(
        language,
        "{number} call has no known price: its tokens count, its cost is missing from the sums.",
        "{number} calls have no known price: their tokens count, their cost is missing from the sums.",
        count,
        number=_number(count, language),
    )


def _estimated(count: int, language: str) -> str:
    if not count:
        return translate(language, N_("All tokens are as the providers reported them."))
    return translate_plural(
        language,
        "The tokens of {number} call are estimated: the provider did not report them all.",
        "The tokens of {number} calls are estimated: the provider did not report them all.",
        count,
        number=_number(count, language),
    )


def _days(first: date, last: date, language: str) -> str:
    return f"{format_date(first, 'medium', locale=language)} – {format_date(last, 'medium', locale=language)}"


def _number(count: int, language: str) -> str:
    return format_decimal(count, locale=language)
