"""Numbers, money, time and dates as both languages write them. `~` stands for a non-breaking space."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui import format as fmt

UNIT = 10**9


def plain(text: str | None) -> str | None:
    return text.replace("\u00a0", "~").replace("\u202f", "~") if text else text


@pytest.mark.parametrize(
    ("number", "english", "russian"),
    [
        (0, "0", "0"),
        (1_234, "1,234", "1~234"),
        (-1_234, "-1,234", "-1~234"),
        (9_999, "9,999", "9~999"),
        (12_345, "12.3~k", "12,3~тыс."),
        (-12_345, "-12.3~k", "-12,3~тыс."),
        (40_000, "40~k", "40~тыс."),
        (123_456, "123~k", "123~тыс."),
        (999_950, "1~M", "1~млн"),
        (4_560_000, "4.56~M", "4,56~млн"),
        (1_234_567_890, "1.23~B", "1,23~млрд"),
        (10**16, "10,000~T", "10~000~трлн"),
    ],
)
def test_count(number: int, english: str, russian: str) -> None:
    assert (plain(fmt.count(number, "en")), plain(fmt.count(number, "ru"))) == (english, russian)


def test_exact() -> None:
    assert fmt.exact(1_234_567, "en") == "1,234,567"
    assert plain(fmt.exact(-1_234_567, "ru")) == "-1~234~567"


@pytest.mark.parametrize(
    ("nano", "english", "russian"),
    [
        (0, "$0", "0~$"),
        (1, "$0.000000001", "0,000000001~$"),
        (1_234_000, "$0.001234", "0,001234~$"),
        (1_234_567, "$0.001235", "0,001235~$"),
        (-1_234_000, "-$0.001234", "-0,001234~$"),
        (1_200_000, "$0.0012", "0,0012~$"),
        (103_161_250, "$0.1032", "0,1032~$"),
        (500_000_000, "$0.50", "0,50~$"),
        (999_990_000, "$1.00", "1,00~$"),
        (UNIT, "$1.00", "1,00~$"),
        (2_345_000_000, "$2.34", "2,34~$"),
        (12_345_678_900_000, "$12,345.68", "12~345,68~$"),
    ],
)
def test_money(nano: int, english: str, russian: str) -> None:
    assert (plain(fmt.money(nano, "USD", "en")), plain(fmt.money(nano, "USD", "ru"))) == (english, russian)


def test_other_currencies() -> None:
    assert plain(fmt.money(5 * UNIT, "RUB", "ru")) == "5,00~₽"
    assert plain(fmt.money(5 * UNIT, "RUB", "en")) == "RUB~5.00"
    assert plain(fmt.money(5 * UNIT, "JPY", "en")) == "¥5.00"


def test_money_to_the_last_nano() -> None:
    assert fmt.money_exact(103_161_250, "USD", "en") == "$0.10316125"
    assert fmt.money_exact(-1_234 * UNIT - 5, "USD", "en") == "-$1,234.000000005"
    assert fmt.money_exact(12 * UNIT, "USD", "en") == "$12"
    assert plain(fmt.money_exact(0, "USD", "ru")) == "0~$"


@given(st.integers(-(10**30), 10**30))
def test_something_never_looks_like_nothing_and_no_digit_is_lost(nano: int) -> None:
    shown = fmt.money_exact(nano, "USD", "en").replace("$", "").replace(",", "")
    assert int(Decimal(shown).scaleb(9).to_integral_exact()) == nano or abs(nano) > 10**27
    assert (fmt.money(nano, "USD", "en").strip("-$0.,") == "") is (nano == 0)


@pytest.mark.parametrize(
    ("milliseconds", "english", "russian"),
    [
        (0, "0~ms", "0~мс"),
        (820, "820~ms", "820~мс"),
        (2_345, "2.3~s", "2,3~с"),
        (59_960, "1~min 0~s", "1~мин 0~с"),
        (72_000, "1~min 12~s", "1~мин 12~с"),
        (3_599_600, "1~h 0~min", "1~ч 0~мин"),
        (7_500_000, "2~h 5~min", "2~ч 5~мин"),
    ],
)
def test_duration(milliseconds: int, english: str, russian: str) -> None:
    assert plain(fmt.duration(milliseconds, "en")) == english
    assert plain(fmt.duration(milliseconds, "ru")) == russian


@pytest.mark.parametrize(
    ("share", "english"),
    [
        ("0", "0%"),
        ("0.0004", "<0.1%"),
        ("0.004", "0.4%"),
        ("0.12", "12%"),
        ("0.996", "99.6%"),
        ("0.99999", "99.9%"),
        ("1", "100%"),
    ],
)
def test_percent(share: str, english: str) -> None:
    assert fmt.percent(Decimal(share), "en") == english
    assert plain(fmt.percent(Decimal(share), "ru")) == english.replace(".", ",").replace("%", "~%")


def test_change() -> None:
    assert fmt.change(112, 100, "en") == "+12%"
    assert fmt.change(88, 100, "en") == "-12%"
    assert plain(fmt.change(1_003, 1_000, "ru")) == "+0,3~%"
    assert fmt.change(100, 100, "en") == "0%"
    assert fmt.change(Decimal("1.5"), Decimal(1), "en") == "+50%"
    assert fmt.change(5, 0, "en") is None


def test_days() -> None:
    first, last = date(2026, 11, 1), date(2026, 11, 21)
    assert fmt.day(last, "en") == "Nov 21, 2026"
    assert plain(fmt.day(last, "ru")) == "21 нояб. 2026~г."
    assert fmt.day_range(last, last, "en") == "Nov 21, 2026"
    assert "Nov 1" in fmt.day_range(first, last, "en")
    assert fmt.day_range(first, last, "en").count("Nov") == 1
    assert plain(fmt.day_range(first, last, "ru")) == "1–21 нояб. 2026~г."


def test_moment_is_on_the_readers_clock() -> None:
    at = datetime(2026, 11, 21, 22, 3, tzinfo=UTC)
    assert plain(fmt.moment(at, "Europe/Moscow", "ru")) == "22 нояб. 2026~г., 01:03"
    assert plain(fmt.moment(at, ZoneInfo("UTC"), "en")) == "Nov 21, 2026, 10:03~PM"
    assert fmt.moment(at.replace(tzinfo=None), "UTC", "en") == fmt.moment(at, timezone(timedelta(0)), "en")


def test_an_unknown_language_reads_english() -> None:
    assert fmt.money(UNIT, "USD", "xx") == "$1.00"
    assert plain(fmt.count(12_345, "de-DE")) == "12.3~k"


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (12_345, "12.3 kB"),
        (999_950, "1 MB"),
        (4_560_000, "4.56 MB"),
    ],
)
def test_the_size_of_a_file(size: int, shown: str) -> None:
    assert fmt.file_size(size, "en").replace(fmt.NBSP, " ") == shown
