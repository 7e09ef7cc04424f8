"""A view of the Usage page as an address, so that it can be shared."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from core.usage.explore.part_types import Part, Spread
from core.usage.explore.types import Compare, Dimension, Interval
from core.usage.types import CallStatus
from ui.components.usage_asked import CUSTOM, DEFAULT_RANGE, RANGES, Asked, Kind

FIRST_DAY = date(2000, 1, 1)
EVERYONE = "all"
_MOST_VALUES, _MOST_CHARS = 50, 400
_PART = re.compile(r"(?P<of>[a-z-]+)\.(?P<low>[0-9]{1,12})(-(?P<high>[0-9]{1,12}))?")
_HOURS = 7 * 24
_STATUSES = {status.value for status in CallStatus}
NAMES = (
    *("section", "data", "range", "from", "to", "users", "compare", "interval", "by", "measure"),
    *("currency", "drawn", "part"),
    *(dimension.value for dimension in Dimension),
)


def asked_of(address: Mapping[str, Sequence[str]]) -> Asked:
    """The view an address tells; whatever it says that makes no sense is left out."""
    one = {name: values[-1] for name, values in address.items() if values}
    start, end = _day(one.get("from")), _day(one.get("to"))
    preset = one.get("range", DEFAULT_RANGE)
    where = {
        dimension: wanted
        for dimension in Dimension
        if (wanted := _wanted(dimension, address.get(dimension.value, ())))
    }
    everyone = one.get("users") == EVERYONE
    if not everyone:
        where.pop(Dimension.USER, None)
    interval = one.get("interval")
    return Asked(
        section=one.get("section", "")[:40],
        sample=one.get("data") == "sample",
        preset=preset if preset in RANGES else DEFAULT_RANGE,
        start=start if preset == CUSTOM else None,
        end=end if preset == CUSTOM else None,
        compare=_member(Compare, one.get("compare"), Compare.PREVIOUS),
        where=tuple(where.items()),
        everyone=everyone,
        interval=Interval(interval) if interval in set(Interval) else None,
        by=_member(Dimension, one.get("by"), Dimension.MODEL),
        measure=_member(Kind, one.get("measure"), Kind.TOKENS),
        currency=_currency(one.get("currency", "")),
        drawn=_currency(one.get("drawn", "")),
        part=_part(one.get("part", "")),
    )


def address_of(asked: Asked) -> dict[str, list[str]]:
    """What to write into the address for a view: nothing that is so anyway."""
    plain = Asked()
    said: dict[str, str | None] = {
        "section": asked.section or None,
        "data": "sample" if asked.sample else None,
        "range": None if asked.preset == DEFAULT_RANGE else asked.preset,
        "from": asked.start.isoformat() if asked.start else None,
        "to": asked.end.isoformat() if asked.end else None,
        "users": EVERYONE if asked.everyone else None,
        "compare": None if asked.compare is plain.compare else asked.compare.value,
        "interval": asked.interval.value if asked.interval else None,
        "by": None if asked.by is plain.by else asked.by.value,
        "measure": None if asked.measure is plain.measure else asked.measure.value,
        "currency": asked.currency or None,
        "drawn": asked.drawn or None,
        "part": _told(asked.part) if asked.part else None,
    }
    single = {name: [value] for name, value in said.items() if value is not None}
    return {**single, **{dimension.value: list(values) for dimension, values in asked.where}}


def _wanted(dimension: Dimension, values: Sequence[str]) -> tuple[str, ...]:
    found = [value for value in dict.fromkeys(values) if len(value) <= _MOST_CHARS]
    if dimension in (Dimension.USER, Dimension.THREAD):
        found = [value for value in found if value.isascii() and value.isdigit() and len(value) < 19]
    elif dimension is Dimension.STATUS:
        found = [value for value in found if value in _STATUSES]
    return tuple(found[:_MOST_VALUES])


def _day(text: str | None) -> date | None:
    try:
        return max(FIRST_DAY, date.fromisoformat(text or ""))
    except ValueError:
        return None


def _currency(name: str) -> str:
    return name if len(name) == 3 and name.isascii() and name.isupper() else ""


def _told(part: Part) -> str:
    last = part.high - 1
    return f"{part.of}.{part.low}" if last == part.low else f"{part.of}.{part.low}-{last}"


def _part(text: str) -> Part | None:
    """Both ends are named, as a reader expects."""
    told = _PART.fullmatch(text)
    if told is None or told["of"] not in set(Spread):
        return None
    part = Part(Spread(told["of"]), int(told["low"]), int(told["high"] or told["low"]) + 1)
    return part if part.low < part.high and (part.of is not Spread.HOUR or part.high <= _HOURS) else None


def _member(kind: Any, name: str | None, default: Any) -> Any:
    return kind(name) if name in {each.value for each in kind} else default
