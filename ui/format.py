"""Numbers, money, time and dates in the reader's language, as the locale data of Babel (CLDR) writes them.

Pure and quick: what a locale says is read once, then it is integer arithmetic and string work.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_time
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from babel.units import format_unit

from core.i18n import pick_language

NBSP = "\u00a0"
_NANO_DIGITS, _SIGNIFICANT, _CENTS = 9, 4, 2
_POWERS = (10**3, 10**6, 10**9, 10**12)

# CLDR writes 12.3K and 2.3 sec in English; we want the symbols of the SI (and B, T for money's sake).
_ENGLISH = {"millisecond": "ms", "second": "s", "minute": "min", "hour": "h"}
_ENGLISH_POWERS = ("k", "M", "B", "T")


@dataclass(frozen=True, slots=True)
class _Signs:
    """What a locale writes between and after digits."""

    locale: Locale
    decimal: str
    group: str
    powers: tuple[str, ...]
    units: dict[str, str]
    percent: tuple[str, str]


def count(number: int, language: str) -> str:
    """A quantity to grasp: exact below 10,000, then three significant digits (12.3 k, 4.56 M)."""
    size = abs(number)
    if size < 10_000:
        return exact(number, language)
    signs, step = _signs(language), 0
    scaled, decimals = _three_digits(size, _POWERS[step])
    while scaled >= 10 ** (3 + decimals) and step + 1 < len(_POWERS):
        step += 1
        scaled, decimals = _three_digits(size, _POWERS[step])
    return f"{'-' if number < 0 else ''}{_digits(scaled, decimals, signs, 0)}{NBSP}{signs.powers[step]}"


def exact(number: int, language: str) -> str:
    """Every digit, grouped: 1,234,567."""
    return f"{number:,}".replace(",", _signs(language).group)


def tenths(number: int, language: str) -> str:
    """`number` tenths: 75.3, or 124 from a hundred up."""
    if abs(number) >= 1_000:
        return exact((number + 5) // 10, language)
    return ("-" if number < 0 else "") + _digits(abs(number), 1, _signs(language))


def money(nano: int, currency: str, language: str) -> str:
    """An amount of `nano` billionths: cents from 1 up, four significant digits below, never 0 for something."""
    size, decimals = abs(nano), _CENTS
    if not size:
        return _with_currency("0", nano, currency, language)
    if size < 10**_NANO_DIGITS:
        decimals = min(_NANO_DIGITS - len(str(size)) + _SIGNIFICANT, _NANO_DIGITS)
    rounded = _divided(size, 10 ** (_NANO_DIGITS - decimals))
    text = _digits(rounded, decimals, _signs(language), _CENTS)
    return _with_currency(text, nano, currency, language)


def money_exact(nano: int, currency: str, language: str) -> str:
    """Every digit of an amount of `nano` billionths, without trailing zeros: $0.10316125."""
    return _with_currency(_digits(abs(nano), _NANO_DIGITS, _signs(language), 0), nano, currency, language)


def file_size(size: int, language: str) -> str:
    """912 B, 12.3 kB or 4.56 MB, in decimal units."""
    signs = _signs(language)
    if size < 1000:
        return f"{size}{NBSP}B"
    for power, unit in ((10**3, "kB"), (10**6, "MB"), (10**9, "GB")):
        scaled, decimals = _three_digits(size, power)
        if scaled < 10 ** (3 + decimals) or unit == "GB":
            return f"{_digits(scaled, decimals, signs, 0)}{NBSP}{unit}"
    raise AssertionError("the largest unit takes any size")


def duration(milliseconds: int, language: str) -> str:
    """820 ms, 2.3 s, 1 min 12 s or 2 h 5 min."""
    signs = _signs(language)
    if milliseconds < 1000:
        return _measured(signs, millisecond=milliseconds)
    tenths = _divided(milliseconds, 100)
    if tenths < 600:
        return f"{_digits(tenths, 1, signs)}{NBSP}{signs.units['second']}"
    seconds = _divided(milliseconds, 1000)
    if seconds < 3600:
        return _measured(signs, minute=seconds // 60, second=seconds % 60)
    minutes = _divided(seconds, 60)
    return _measured(signs, hour=minutes // 60, minute=minutes % 60)


def percent(share: Decimal | float, language: str) -> str:
    """A share of 1: whole percents from 1% up, a tenth below; <0.1% for what is almost nothing."""
    value = Decimal(share)
    if 0 < value < Decimal("0.001"):
        return "<" + _as_percent(1, language)
    if Decimal("0.995") <= value < 1:
        return _as_percent(min(_tenths_of_percent(value), 999), language, whole_from=1000)
    return _as_percent(_tenths_of_percent(value), language)


def change(current: int | Decimal, previous: int | Decimal, language: str) -> str | None:
    """How much `current` is above or below `previous`, signed: +12%. None when there is nothing to compare.

    Its first sign tells the direction: "+", "-" (a hyphen), or a digit for none.
    """
    if previous <= 0:
        return None
    tenths = _tenths_of_percent((Decimal(current) - Decimal(previous)) / Decimal(previous))
    return ("+" if tenths > 0 else "") + _as_percent(tenths, language)


@lru_cache(maxsize=4096)
def day(value: date, language: str) -> str:
    """Nov 21, 2026."""
    return format_date(value, "medium", locale=_signs(language).locale)


@lru_cache(maxsize=1024)
def day_range(first: date, last: date, language: str) -> str:
    """The days from `first` to `last`, both included, with what they share said once: Nov 1 – 21, 2026."""
    if first == last:
        return day(first, language)
    return format_interval(first, last, "yMMMd", locale=_signs(language).locale)


@lru_cache(maxsize=4096)
def moment(at: datetime, zone: tzinfo | str, language: str) -> str:
    """A UTC time (naive counts as UTC) on the clock of `zone`: Nov 21, 2026, 9:03 AM."""
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    local = aware.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    clock = format_time(local.time(), "short", locale=_signs(language).locale)
    return f"{day(local.date(), language)}, {clock}"


def _divided(number: int, by: int) -> int:
    """`number / by` rounded half-even, for `number` from 0 up."""
    quotient, rest = divmod(number, by)
    return quotient + int(2 * rest > by or (2 * rest == by and quotient % 2 == 1))


def _three_digits(size: int, power: int) -> tuple[int, int]:
    """`size / power` as (digits, decimals), with so many decimals that three digits are told."""
    decimals = max(0, 3 - len(str(max(size // power, 1))))
    return _divided(size * 10**decimals, power), decimals


def _digits(scaled: int, decimals: int, signs: _Signs, fewest: int = _NANO_DIGITS) -> str:
    """`scaled / 10**decimals`, without the trailing zeros beyond `fewest` decimals."""
    while decimals > fewest and scaled % 10 == 0:
        scaled, decimals = scaled // 10, decimals - 1
    whole, fraction = divmod(scaled, 10**decimals)
    text = f"{whole:,}".replace(",", signs.group)
    return f"{text}{signs.decimal}{fraction:0{decimals}d}" if decimals else text


def _measured(signs: _Signs, **parts: int) -> str:
    return " ".join(f"{_digits(number, 0, signs)}{NBSP}{signs.units[unit]}" for unit, number in parts.items())


def _tenths_of_percent(share: Decimal) -> int:
    return int((share * 1000).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def _as_percent(tenths: int, language: str, whole_from: int = 10) -> str:
    signs, size = _signs(language), abs(tenths)
    text = _digits(size, 1, signs) if 0 < size < whole_from else _digits(_divided(size, 10), 0, signs)
    return ("-" if tenths < 0 else "") + text.join(signs.percent)


def _with_currency(text: str, nano: int, currency: str, language: str) -> str:
    return ("-" if nano < 0 else "") + text.join(_currency(currency, language))


@lru_cache
def _currency(currency: str, language: str) -> tuple[str, str]:
    """What stands before and after an amount."""
    shown = format_currency(1, currency, locale=_signs(language).locale)
    before, _, rest = shown.partition("1")
    return before + (NBSP if before[-1:].isalpha() else ""), rest.lstrip("0.,")


@lru_cache
def _signs(language: str) -> _Signs:
    locale = Locale.parse(pick_language(language))
    english = locale.language == "en"
    before, _, after = format_percent(1, locale=locale).partition("100")
    return _Signs(
        locale=locale,
        decimal=format_decimal(Decimal("0.5"), locale=locale)[1],
        group=format_decimal(10_000, locale=locale)[2:-3],
        powers=_ENGLISH_POWERS
        if english
        else tuple(format_compact_decimal(5 * power, locale=locale)[1:].strip() for power in _POWERS),
        units=_ENGLISH if english else {unit: _unit(unit, locale) for unit in _ENGLISH},
        percent=(before, after),
    )


def _unit(unit: str, locale: Locale) -> str:
    return format_unit(5, f"duration-{unit}", length="short", locale=locale).lstrip("5").strip()
