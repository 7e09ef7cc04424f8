"""Numbers as people and programs write them, a column at a time: exact, and quick where they are plain."""

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from core.usage.imports.arrow import Array, np, pa, pc
from core.usage.imports.types import DecimalSign

NOTHING = frozenset({"", "-", "–", "—", "null", "none", "nan", "n/a", "na", "nil"})
"""What stands in a cell that says nothing, in small letters."""

CURRENCY_SIGNS = {"$": "USD", "€": "EUR", "₽": "RUB", "£": "GBP", "¥": "CNY", "руб.": "RUB", "руб": "RUB"}

# What groups of three digits are set apart with, whatever the decimal sign: spaces of all kinds, apostrophes.
_SPACES = re.compile("[\\s\u00a0\u202f\u2009'’`_]")
_PLAIN_WHOLE = r"^[+-]?\d{1,18}$"
_GROUPED = {
    sign: re.compile(rf"[+-]?\d{{1,3}}(?:\{group}\d{{3}})+(?:\{sign}\d*)?")
    for sign, group in ((DecimalSign.POINT, ","), (DecimalSign.COMMA, "."))
}
_GROUP = {DecimalSign.POINT: ",", DecimalSign.COMMA: "."}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_MOST_DIGITS = 60


def cleaned(column: Array) -> Array:
    """A column of text without outer spaces; empty cells are null."""
    text = pc().utf8_trim_whitespace(column)
    return pc().if_else(pc().equal(text, ""), pa().scalar(None, pa().string()), text)


def decimal_of(text: str, sign: DecimalSign) -> Decimal | None:
    """The exact number in `text`, None where there is none."""
    text = _SPACES.sub("", text)
    if not _NUMBER.fullmatch(text) or sign is DecimalSign.COMMA:
        if _GROUPED[sign].fullmatch(text):
            text = text.replace(_GROUP[sign], "")
        if sign is DecimalSign.COMMA:
            if "." in text and "," in text:
                return None
            text = text.replace(",", ".") if "," in text else text
        if not _NUMBER.fullmatch(text):
            return None
    if len(text) > _MOST_DIGITS:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def counts(column: Array, sign: DecimalSign) -> tuple[Array, Array, Array]:
    """Whole numbers of a cleaned column: values (0 for none), which cells say one, which are something else."""
    present = _numpy(pc().is_valid(column))
    try:
        values = pc().cast(column, pa().int64())
        return _numpy(pc().fill_null(values, 0)), present, np().zeros(len(column), bool)
    except pa().ArrowInvalid:
        pass
    plain = pc().fill_null(pc().match_substring_regex(column, _PLAIN_WHOLE), fill_value=False)
    values = _numpy(
        pc().fill_null(
            pc().cast(pc().if_else(plain, column, pa().scalar(None, pa().string())), pa().int64()), 0
        )
    ).copy()
    bad = np().zeros(len(column), bool)
    for place in np().flatnonzero(present & ~_numpy(plain)).tolist():
        text = column[place].as_py()
        number = None if text.lower() in NOTHING else decimal_of(text, sign)
        if text.lower() in NOTHING:
            present[place] = False
        elif number is None or number != number.to_integral_value():
            bad[place] = True
        else:
            values[place] = _within(int(number))
    return values, present, bad


def amounts(column: Array, sign: DecimalSign) -> tuple[list[int | None], list[int], dict[int, str]]:
    """Money of a cleaned column in nano-units, rounded half-even; the cells that say something else; the currencies
    of cells with a currency sign."""
    nano: list[int | None] = []
    bad: list[int] = []
    signs: dict[int, str] = {}
    quick = sign is DecimalSign.POINT
    for place, text in enumerate(column.to_pylist()):
        if text is None:
            nano.append(None)
            continue
        if quick and _NUMBER.fullmatch(text) and len(text) < _MOST_DIGITS:
            nano.append(_nano(Decimal(text)))
            continue
        if text.lower() in NOTHING:
            nano.append(None)
            continue
        bare, currency = _without_currency(text)
        number = decimal_of(bare, sign)
        if currency:
            signs[place] = currency
        nano.append(None if number is None else _nano(number))
        if number is None:
            bad.append(place)
    return nano, bad, signs


def _without_currency(text: str) -> tuple[str, str | None]:
    for sign, currency in CURRENCY_SIGNS.items():
        if text.startswith(sign) or text.endswith(sign):
            return text.removeprefix(sign).removesuffix(sign).strip(), currency
    code = text[:3] if text[:3].isalpha() else text[-3:]
    if code.isalpha() and code.isupper() and code.isascii():
        return text.removeprefix(code).removesuffix(code).strip(), code
    return text, None


def _nano(number: Decimal) -> int:
    if not number or number.adjusted() > 20:
        return 0 if not number else _within(10**18 if number > 0 else -(10**18))
    return int(number.scaleb(9).to_integral_value(ROUND_HALF_EVEN))


def _within(number: int) -> int:
    """A number that fits its column; what does not is refused as absurd anyway."""
    return max(-(2**62), min(number, 2**62))


def _numpy(column: Array) -> Array:
    return column.to_numpy(zero_copy_only=False)
