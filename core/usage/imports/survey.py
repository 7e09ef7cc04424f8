"""What only a whole column tells: whether the day or the month comes first, and what stands before decimals."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from core.i18n import N_
from core.usage.imports import faults
from core.usage.imports.arrow import Array, np, pc
from core.usage.imports.columns import ColumnMap
from core.usage.imports.moments import SHORT_DATE
from core.usage.imports.numbers import cleaned
from core.usage.imports.source import Source
from core.usage.imports.types import COUNTS, Asked, DateOrder, DecimalSign, Field, ImportOptions, UnclearFile

_ODD = r"[.,]"
_OTHER = re.compile(r"[^\d.,]")
_EXPONENT = re.compile(r"[+-]?[\d.,]+[eE][+-]?\d+")


@dataclass(frozen=True, slots=True)
class Conventions:
    """How the columns of a file are written. `date_order` None: no date in it needs one."""

    decimal: DecimalSign = DecimalSign.POINT
    date_order: DateOrder | None = None


@dataclass(slots=True)
class _Evidence:
    """The first cell that tells each way, and the first that tells nothing: its row, column and text."""

    found: dict[str, tuple[int, int, str]] = field(default_factory=dict[str, tuple[int, int, str]])

    def note(self, what: str, row: int, column: int, text: str) -> None:
        self.found.setdefault(what, (row, column, text))


def survey(
    source: Source, columns: ColumnMap, options: ImportOptions, progress: Callable[[int, int, int], None]
) -> Conventions:
    """Read the columns that may be written in several ways. UnclearFile when they may be read in several, and
    AppError(VALIDATION) when they contradict themselves."""
    dates, amounts = _Evidence(), _Evidence()
    times = columns.columns.get(Field.TIME, ())[:1]
    numbers = {
        place: each is Field.COST for each in (Field.COST, *COUNTS) for place in columns.columns.get(each, ())
    }
    used = sorted({*times, *numbers})
    rows = 0
    for chunk in source.chunks(used):
        rows += len(chunk.rows)
        progress(source.done, source.size, rows)
        for place in times:
            if options.date_order is None:
                _look_at_dates(chunk.rows, cleaned(chunk.columns[place]), place, dates)
        for place, is_money in numbers.items():
            if options.decimal is None:
                _look_at_numbers(chunk.rows, cleaned(chunk.columns[place]), place, is_money, amounts)
    return Conventions(
        options.decimal or _decimal(amounts, source.header),
        options.date_order or _order(dates, source.header),
    )


def _look_at_dates(rows: Array, column: Array, place: int, seen: _Evidence) -> None:
    parts = pc().extract_regex(column, SHORT_DATE)
    odd = np().flatnonzero(pc().is_valid(parts).to_numpy(zero_copy_only=False))
    if not len(odd):
        return
    for index, cell in zip(odd.tolist(), parts.take(odd).to_pylist(), strict=True):
        first, second = int(cell["a"]), int(cell["b"])
        if cell["sign"] == "." or first > 12 >= second:
            what = DateOrder.DAY_FIRST.value
        elif second > 12 >= first:
            what = DateOrder.MONTH_FIRST.value
        elif first != second:
            what = "either"
        else:
            continue
        seen.note(what, int(rows[index]), place, column[index].as_py())


def _order(seen: _Evidence, header: tuple[str, ...]) -> DateOrder | None:
    day, month = seen.found.get(DateOrder.DAY_FIRST), seen.found.get(DateOrder.MONTH_FIRST)
    if day and month:
        raise faults.fault(
            N_(
                "Column “{column}” mixes two orders: row {row} has {example} with the day first, row {other_row} has "
                "{other} with the month first. Write all dates the same way, best as 2026-11-21."
            ),
            column=header[day[1]],
            row=day[0],
            example=day[2],
            other_row=month[0],
            other=month[2],
        )
    if day or month:
        return DateOrder.DAY_FIRST if day else DateOrder.MONTH_FIRST
    if either := seen.found.get("either"):
        raise UnclearFile(Asked.DATE_ORDER, header[either[1]], either[0], either[2])
    return None


def _look_at_numbers(rows: Array, column: Array, place: int, is_money: bool, seen: _Evidence) -> None:
    pattern = "," if is_money and DecimalSign.POINT.value in seen.found else _ODD
    odd = np().flatnonzero(
        pc()
        .fill_null(pc().match_substring_regex(column, pattern), fill_value=False)
        .to_numpy(zero_copy_only=False)
    )
    for index, text in zip(odd.tolist(), column.take(odd).to_pylist(), strict=True):
        what = _sign_in(_number_in(text), is_money)
        if what:
            seen.note(what, int(rows[index]), place, text)
            if what == DecimalSign.POINT.value and pattern == _ODD and is_money:
                # Most files are of this kind: from here on only a comma can tell more.
                _look_at_numbers(rows[index:], column[index:], place, is_money, seen)
                return


def _number_in(text: str) -> str:
    """The digits and signs of a cell, without its currency; with its exponent."""
    return text if _EXPONENT.fullmatch(text) else _OTHER.sub("", text)


def _sign_in(text: str, is_money: bool) -> str:
    """The decimal sign that a number shows, "either" where it may be one, "" where it shows nothing."""
    if "e" in text.lower():
        # Only programs write 1.5E-7, and a group of three is no part of it.
        return next((sign for sign in ".," if sign in text), "")
    point, comma = text.count("."), text.count(",")
    if point and comma:
        return "," if text.rindex(",") > text.rindex(".") else "."
    sign, other = (".", ",") if point else (",", ".")
    if point + comma > 1:
        return other
    whole, _, rest = text.partition(sign)
    if len(rest) != 3 or not 1 <= len(whole) <= 3 or whole.startswith("0"):
        return sign
    if is_money:
        return "either"
    # There is no part of a token: 1.234 of them are a thousand and some. 1.000 may be either.
    return "" if rest == "000" else other


def _decimal(seen: _Evidence, header: tuple[str, ...]) -> DecimalSign:
    point, comma = seen.found.get("."), seen.found.get(",")
    if point and comma:
        raise faults.fault(
            N_(
                "The numbers are written in two ways: row {row} has {example}, row {other_row} has {other}. "
                "Write all of them with the same decimal sign."
            ),
            row=point[0],
            example=point[2],
            other_row=comma[0],
            other=comma[2],
        )
    if point or comma:
        return DecimalSign.POINT if point else DecimalSign.COMMA
    if either := seen.found.get("either"):
        raise UnclearFile(Asked.DECIMAL, header[either[1]], either[0], either[2])
    return DecimalSign.POINT
