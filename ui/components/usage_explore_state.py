"""What the viewer asks of the Usage page: kept for the tab, and told by the address, so that a view can be shared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

import streamlit as st

from core.usage.explore.types import Compare, Dimension, Interval, Where
from core.usage.types import CallStatus
from ui.session import Slot, recall, remember, take

DEFAULT_RANGE = "30d"
CUSTOM = "custom"
RANGES = ("today", "yesterday", "7d", "30d", "90d", "month", "last_month", "year", CUSTOM)
FIRST_DAY = date(2000, 1, 1)
EVERYONE = "all"
_MOST_VALUES, _MOST_CHARS = 50, 400
_STATUSES = {status.value for status in CallStatus}


class Kind(StrEnum):
    """What a chart measures."""

    TOKENS = "tokens"
    COST = "cost"
    REQUESTS = "requests"
    ERRORS = "errors"
    SAVED = "saved"
    INPUT = "input"
    CACHED = "cached"
    OUTPUT = "output"
    REASONING = "reasoning"
    SPEED = "speed"
    LATENCY_P50 = "latency-p50"
    LATENCY = "latency"
    LATENCY_P99 = "latency-p99"
    FIRST_P50 = "first-p50"
    FIRST = "first"
    FIRST_P99 = "first-p99"


@dataclass(frozen=True, slots=True)
class Asked:
    """A view of the page. `start` and `end` are set when `preset` is "custom"; `interval` None: by the length of
    the range; `everyone`: not only the viewer's calls, which is an admin's to ask. `currency`: the one to convert
    into, `drawn`: the one that charts are in; "": nobody said."""

    section: str = ""
    sample: bool = False
    preset: str = DEFAULT_RANGE
    start: date | None = None
    end: date | None = None
    compare: Compare = Compare.PREVIOUS
    where: Where = ()
    everyone: bool = False
    interval: Interval | None = None
    by: Dimension = Dimension.MODEL
    measure: Kind = Kind.TOKENS
    currency: str = ""
    drawn: str = ""

    def values(self, dimension: Dimension) -> tuple[str, ...]:
        """What is asked for of a dimension; none: any."""
        return dict(self.where).get(dimension, ())

    def only(self, dimension: Dimension, values: Sequence[str]) -> "Asked":
        """The same view of calls with one of `values`; none: any."""
        kept = {each: wanted for each, wanted in self.where if each is not dimension}
        if values:
            kept[dimension] = tuple(values)
        return replace(self, where=tuple((each, kept[each]) for each in Dimension if each in kept))

    def without_filters(self) -> "Asked":
        """The same view of all the viewer's calls in its range."""
        return replace(self, where=(), everyone=False)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A view, and the address it was last written to."""

    asked: Asked
    address: dict[str, list[str]]


def present(arrived: bool, sections: Sequence[str]) -> Asked:
    """The view to draw now. The address counts when it says something new (a link, the browser's Back); else what
    the tab remembers, which is also what one finds again on coming back (`arrived`) from another page.
    `sections`: the parts that there are.
    """
    kept = recall(Slot.USAGE_ASKED)
    address = {name: st.query_params.get_all(name) for name in _NAMES if name in st.query_params}
    # A click may be on its way before the browser has taken over the address of the one before.
    changed = take(Slot.USAGE_CHANGED)
    asked = asked_of(address)
    if isinstance(kept, _Kept) and (changed or address == kept.address or (arrived and not address)):
        asked = kept.asked
    return _keep(asked if asked.section in sections else replace(asked, section=""))


def change(**fields: Any) -> None:
    """Ask for something else: for callbacks. `fields` as in Asked."""
    _show(replace(_now(), **fields))


def narrow(dimension: Dimension, values: Sequence[str]) -> None:
    """Leave out the calls that have none of `values`: for callbacks."""
    _show(_now().only(dimension, values))


def reset() -> None:
    """Take every filter back: for callbacks."""
    _show(_now().without_filters())


def drill(
    section: str,
    start: date | None = None,
    end: date | None = None,
    where: Where = (),
    everyone: bool = False,
) -> None:
    """Open a part of the page on fewer calls, with a way back: for callbacks. No days: those shown."""
    asked = _now()
    remember(Slot.USAGE_BACK, asked)
    for dimension, values in where:
        asked = asked.only(dimension, values)
    if start is not None and end is not None:
        asked = replace(asked, preset=CUSTOM, start=start, end=end)
    _show(replace(asked, section=section, everyone=asked.everyone or everyone))


def go_back() -> None:
    """Show what was shown before `drill`: for callbacks."""
    before = take(Slot.USAGE_BACK)
    if isinstance(before, Asked):
        _show(before)


def settle(asked: Asked) -> None:
    """Keep a view that was found to ask for what is not there, without it."""
    _keep(asked)


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
    }
    single = {name: [value] for name, value in said.items() if value is not None}
    return {**single, **{dimension.value: list(values) for dimension, values in asked.where}}


_NAMES = (
    *("section", "data", "range", "from", "to", "users", "compare", "interval", "by", "measure"),
    *("currency", "drawn"),
    *(dimension.value for dimension in Dimension),
)


def _now() -> Asked:
    kept = recall(Slot.USAGE_ASKED)
    return kept.asked if isinstance(kept, _Kept) else Asked()


def _show(asked: Asked) -> None:
    remember(Slot.USAGE_CHANGED, True)
    _keep(asked)


def _keep(asked: Asked) -> Asked:
    address = address_of(asked)
    remember(Slot.USAGE_ASKED, _Kept(asked, address))
    params = {name: st.query_params.get_all(name) for name in st.query_params}
    wanted = {name: values for name, values in params.items() if name not in _NAMES} | address
    if wanted != params:
        # All at once: each write is an entry of the browser's history.
        st.query_params.from_dict(wanted)
    return asked


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


def _member(kind: Any, name: str | None, default: Any) -> Any:
    return kind(name) if name in {each.value for each in kind} else default
