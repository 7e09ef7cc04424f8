"""Times as programs and people write them, a column at a time, as microseconds since 1970 in UTC."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from core.usage.imports.arrow import Array, np, pa, pc
from core.usage.imports.types import DateOrder

SECOND = 10**6
DAY = 86_400 * SECOND
_QUARTER = 15 * 60 * SECOND  # no zone changes its clocks at any other moment since 1972
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a time on a clock of a zone that is said apart

_ISO = r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?"
_ISO_UTC = rf"^{_ISO}(?:Z|\+00:?00)$"
_DIGITS = r"^\d{9,16}(?:\.0*)?$"
_CLOCK = (
    r"(?:[ ,T]+(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
)
SHORT_DATE = r"^(?P<a>\d{1,2})(?P<sign>[./-])(?P<b>\d{1,2})[./-](?P<y>\d{4}|\d{2})(?:\D.*)?$"
"""A date that does not begin with its year; whether `a` or `b` is the day is what has to be found out."""

_SHORT = re.compile(rf"(?P<a>\d{{1,2}})(?P<sign>[./-])(?P<b>\d{{1,2}})[./-](?P<y>\d{{4}}|\d{{2}}){_CLOCK}")
_LONG = re.compile(rf"(?P<y>\d{{4}})[./-](?P<b>\d{{1,2}})[./-](?P<a>\d{{1,2}}){_CLOCK}")
_EPOCHS = re.compile(r"\d{9,16}(?:\.\d+)?")


def moments(column: Array, zone: ZoneInfo, order: DateOrder | None) -> tuple[Array, Array, Array]:
    """A cleaned column's moments (0 where there is none), which cells are no time, which are days without a clock.

    `zone` is for cells that name none; days begin there. `order` is for dates that do not begin with their year.
    """
    text = column
    short = pc().fill_null(pc().less_equal(pc().utf8_length(text), 10), fill_value=False)
    quick = _iso(text, zone)
    if quick is None:
        quick = _digits(text)
        short = None
    if quick is not None:
        values, missing = quick
        days = _numpy(short) if short is not None else np().zeros(len(text), bool)
        return values, missing, days & ~missing
    return _one_by_one(text, zone, order)


def local_days(values: Array, zone: ZoneInfo) -> Array:
    """The calendar day, in days since 1970, of each moment on the clocks of `zone`."""
    return (values + _offsets(values, zone, utc=True)) // DAY


def to_utc(local: Array, zone: ZoneInfo) -> Array:
    """Moments from what the clocks of `zone` said; of an hour that comes twice, the first."""
    return local - _offsets(local, zone, utc=False)


def _offsets(values: Array, zone: ZoneInfo, utc: bool) -> Array:
    quarters, inverse = np().unique(values // _QUARTER, return_inverse=True)
    found: list[int] = []
    for quarter in quarters.tolist():
        span = timedelta(microseconds=quarter * _QUARTER)
        moment = (_EPOCH + span).astimezone(zone) if utc else (_NAIVE_EPOCH + span).replace(tzinfo=zone)
        offset = moment.utcoffset() or timedelta()
        found.append(int(offset.total_seconds()) * SECOND)
    return np().array(found, dtype=np().int64)[inverse]


def _iso(text: Array, zone: ZoneInfo) -> tuple[Array, Array] | None:
    """All cells ISO 8601, either in UTC or without a zone; None when some are not."""
    missing = _numpy(pc().is_null(text))
    zoned = pc().match_substring_regex(text, _ISO_UTC)
    if pc().all(zoned).as_py():
        text, zone = pc().replace_substring_regex(text, r"(?:Z|\+00:?00)$", ""), ZoneInfo("UTC")
    try:
        stamps = pc().cast(text, pa().timestamp("us"))
    except pa().ArrowInvalid:
        return None
    local = _numpy(pc().fill_null(pc().cast(stamps, pa().int64()), 0))
    return to_utc(local, zone) * ~missing, missing


def _digits(text: Array) -> tuple[Array, Array] | None:
    """All cells seconds, milliseconds or microseconds since 1970; None when some are not."""
    if not pc().all(pc().match_substring_regex(text, _DIGITS)).as_py():
        return None
    whole = pc().replace_substring_regex(text, r"\.0*$", "")
    values = _numpy(pc().fill_null(pc().cast(whole, pa().int64()), 0))
    scale = np().where(values < 10**11, SECOND, np().where(values < 10**14, 1000, 1))
    return values * scale, _numpy(pc().is_null(text))


def _one_by_one(text: Array, zone: ZoneInfo, order: DateOrder | None) -> tuple[Array, Array, Array]:
    values = np().zeros(len(text), np().int64)
    bad, days = np().ones(len(text), bool), np().zeros(len(text), bool)
    for place, cell in enumerate(text.to_pylist()):
        found = None if cell is None else moment_of(cell, zone, order)
        if found is not None:
            values[place], days[place] = found
            bad[place] = False
    return values, bad, days


def moment_of(text: str, zone: ZoneInfo, order: DateOrder | None) -> tuple[int, bool] | None:
    """One moment and whether it is a day without a clock; None for text that is no time."""
    if _EPOCHS.fullmatch(text):
        whole, _, rest = text.partition(".")
        number = int(whole)
        if number < 10**11:
            return number * SECOND + int(rest[:6].ljust(6, "0") or 0), False
        return number * (1000 if number < 10**14 else 1), False
    text = text.removesuffix(" UTC").removesuffix(" GMT") + "Z" if text.endswith((" UTC", " GMT")) else text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        found = _written(text, order)
        if found is None:
            return None
        moment, is_day = found
    else:
        is_day = len(text) <= 10 and ":" not in text
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    try:
        return (moment - _EPOCH) // timedelta(microseconds=1), is_day
    except OverflowError:
        return None


def _written(text: str, order: DateOrder | None) -> tuple[datetime, bool] | None:
    found = _LONG.fullmatch(text) or _SHORT.fullmatch(text)
    if found is None:
        return None
    parts = found.groupdict()
    first, second, year = int(parts["a"]), int(parts["b"]), int(parts["y"])
    # Dots stand between day, month and year in that order wherever they are used.
    month_first = order is DateOrder.MONTH_FIRST and parts.get("sign")
    day, month = (second, first) if month_first else (first, second)
    hour = int(parts["h"] or 0)
    if half := (parts["half"] or "").lower():
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    fraction = int((parts["f"] or "0")[:6].ljust(6, "0"))
    try:
        moment = datetime(  # noqa: DTZ001 - whoever asked knows the zone
            year + 2000 if year < 100 else year,
            month,
            day,
            hour,
            int(parts["m"] or 0),
            int(parts["s"] or 0),
            fraction,
        )
    except ValueError:
        return None
    return moment, parts["h"] is None


def _numpy(column: Array) -> Array:
    return column.to_numpy(zero_copy_only=False)
