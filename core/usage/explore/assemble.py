"""Rows of sums as the answers of `UsageReader`, whichever tables the rows come from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, cast, overload

import numpy as np
from numpy.typing import NDArray

from core.usage.exchange import Exchange
from core.usage.explore.ranges import KEPT
from core.usage.explore.types import Measures, Period

# The order of the fields of `Measures`.
COUNTS = (
    "requests",
    "errors",
    "unpriced",
    "estimated",
    "from_cache",
    "flagged",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "input_audio_tokens",
    "output_tokens",
    "reasoning_tokens",
    "output_audio_tokens",
    "timed_output_tokens",
    "timed_ms",
)
Row = Sequence[Any]
"""Day (a date, or as SQLite spells one), value of the group, currency, then COUNTS, cost and saved nano-units;
what follows tells rows apart that would otherwise be alike."""
DAY, GROUP, CURRENCY, REQUESTS, UNPRICED = 0, 1, 2, 3, 5
COST, SAVED = 3 + len(COUNTS), 4 + len(COUNTS)
# Twice that is the most that 64 bits hold.
_SAFE = 2**62

_Codes = NDArray[np.intp]


def has_others(rows: Sequence[Row], currency: str) -> bool:
    """Whether something has to be converted to be an amount of `currency`."""
    return any(row[CURRENCY] != currency and (row[REQUESTS] > row[UNPRICED] or row[SAVED]) for row in rows)


def converted(rows: Sequence[Row], exchange: Exchange) -> Sequence[Row]:
    """The rows with each amount at the rate of its day: once, so that all sums of them agree."""
    if not has_others(rows, exchange.currency):
        return rows
    found: list[Row] = []
    for row in rows:
        currency = row[CURRENCY]
        if currency == exchange.currency or not (row[REQUESTS] > row[UNPRICED] or row[SAVED]):
            found.append(row)
            continue
        cost = exchange.convert(row[COST], currency, row[DAY])
        saved = exchange.convert(row[SAVED], currency, row[DAY])
        found.append(
            (*row[:CURRENCY], cost.currency, *row[REQUESTS:COST], cost.nano, saved.nano, *row[SAVED + 1 :])
        )
    return found


def merged(rows: Iterable[Row]) -> list[Row]:
    """Rows with all they are told apart by (day, group, currency and what follows the figures) added up; those
    that come to no call are left out."""
    found: dict[Row, list[int]] = {}
    for row in rows:
        key = (*row[:REQUESTS], *row[SAVED + 1 :])
        known = found.get(key)
        if known is None:
            found[key] = list(row[REQUESTS : SAVED + 1])
        else:
            for at, figure in enumerate(row[REQUESTS : SAVED + 1]):
                known[at] += figure
    return [(*key[:REQUESTS], *figures, *key[REQUESTS:]) for key, figures in found.items() if figures[0]]


def regrouped(rows: Iterable[Row], group: str | None, sign: int = 1) -> list[Row]:
    """The rows in another group, if that is told; with -1 they take away what they gave."""
    return [
        (
            row[DAY],
            row[GROUP] if group is None else group,
            row[CURRENCY],
            *(sign * figure for figure in row[REQUESTS : SAVED + 1]),
            *row[SAVED + 1 :],
        )
        for row in rows
    ]


class Sums:
    """Rows ready to be added up in any direction: all, by period, by group, by both."""

    def __init__(self, rows: Sequence[Row], periods: Sequence[Period]) -> None:
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [() for _ in range(SAVED + 1)]
        self.periods = len(periods)
        at = positions(periods)
        self._at = np.fromiter(map(at.__getitem__, columns[DAY]), np.intp, len(rows))
        self.values, self._of = _coded(columns[GROUP])
        self._currencies, self._in = _coded(columns[CURRENCY])
        self._by_group: tuple[_Codes, _Codes] | None = None
        self._numbers = _numbers(columns[REQUESTS : SAVED + 1], len(rows))

    def total(self) -> Measures:
        return self._added(np.zeros(len(self._at), np.intp), 1)[0]

    def by_period(self) -> tuple[Measures, ...]:
        return tuple(self._added(self._at, self.periods))

    def by_group(self) -> list[Measures]:
        """In the order of `values`."""
        return self._added(self._of, len(self.values))

    def by_both(self) -> list[Sequence[Measures]]:
        """For each of `values` its periods."""
        return [Points(self, group) for group in range(len(self.values))]

    def periods_of(self, group: int) -> list[Measures]:
        """The periods of one of `values`, by its position."""
        if self._by_group is None:
            order = np.argsort(self._of, kind="stable")
            self._by_group = order, np.searchsorted(self._of[order], np.arange(len(self.values) + 1))
        order, starts = self._by_group
        mine = order[starts[group] : starts[group + 1]]
        return self._added(self._at[mine], self.periods, mine)

    def _added(self, codes: _Codes, length: int, mine: _Codes | None = None) -> list[Measures]:
        """The rows, or those at `mine`, added up by their `codes`."""
        rows, currencies = self._numbers, self._in
        if mine is not None:
            rows, currencies = rows[mine], currencies[mine]
        numbers = _added_up(rows, codes, length)
        # Given, so that thousands of points need not make their own.
        costs: list[dict[str, int]] = [{} for _ in range(length)]
        saved: list[dict[str, int]] = [{} for _ in range(length)]
        for position, currency in enumerate(self._currencies):
            part = numbers
            if len(self._currencies) > 1:
                of_currency = currencies == position
                part = _added_up(rows[of_currency], codes[of_currency], length)
            _name(costs, currency, part[:, COST - REQUESTS], part[:, 0] > part[:, UNPRICED - REQUESTS])
            _name(saved, currency, part[:, SAVED - REQUESTS], part[:, SAVED - REQUESTS] != 0)
        counts: list[Any] = numbers[:, : len(COUNTS)].tolist()
        return [Measures(*row, cost, spared) for row, cost, spared in zip(counts, costs, saved, strict=True)]  # pyright: ignore[reportCallIssue]


class Points(Sequence[Measures]):
    """The periods of one group, added up when somebody looks at them."""

    def __init__(self, sums: Sums, group: int) -> None:
        self._sums = sums
        self._group = group
        self._made: list[Measures] | None = None

    @overload
    def __getitem__(self, index: int) -> Measures: ...

    @overload
    def __getitem__(self, index: slice) -> list[Measures]: ...

    def __getitem__(self, index: int | slice) -> Measures | list[Measures]:
        if self._made is None:
            self._made = self._sums.periods_of(self._group)
        return self._made[index]

    def __len__(self) -> int:
        return self._sums.periods

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(cast("Sequence[Measures]", other))

    __hash__ = None  # type: ignore[assignment]


def _numbers(columns: Sequence[Sequence[int]], length: int) -> NDArray[Any]:
    """A row of figures for each row. Beyond 64 bits Python's own whole numbers add up, slowly and right."""
    shape = (length, SAVED + 1 - REQUESTS)
    try:
        found = np.array(columns, np.int64)
    except OverflowError:
        return np.array(columns, object).T.reshape(shape)
    # As floats these sums are close enough to tell whether the whole numbers' fit.
    fits = not length or np.abs(found.astype(np.float64)).sum(axis=1).max() < _SAFE
    return (found if fits else found.astype(object)).T.reshape(shape)


def _name(amounts: list[dict[str, int]], currency: str, nano: NDArray[Any], named: NDArray[Any]) -> None:
    where = np.flatnonzero(named)
    for at, amount in zip(where.tolist(), nano[where].tolist(), strict=True):
        amounts[at][currency] = amount


def _added_up(numbers: NDArray[Any], codes: _Codes, length: int) -> NDArray[Any]:
    """The rows of `numbers` added up by code, exactly: no float is involved."""
    sums = np.zeros((length, numbers.shape[1]), numbers.dtype)
    if len(codes):
        order = np.argsort(codes, kind="stable")
        ordered = codes[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        sums[ordered[starts]] = np.add.reduceat(numbers[order], starts, axis=0)
    return sums


def _coded(values: Sequence[str]) -> tuple[list[str], _Codes]:
    known = list(dict.fromkeys(values))
    codes = {value: code for code, value in enumerate(known)}
    return known, np.fromiter(map(codes.__getitem__, values), np.intp, len(values))


def positions(periods: Sequence[Period]) -> Mapping[object, int]:
    """Which period a day is in, as a date or as SQLite spells one."""
    return _positions(tuple(periods))


@lru_cache(KEPT)
def _positions(periods: tuple[Period, ...]) -> Mapping[object, int]:
    places: dict[object, int] = {}
    for position, period in enumerate(periods):
        day = period.start
        while True:
            places[day] = places[day.isoformat()] = position
            if day == period.end:
                break
            day += timedelta(1)
    return places


def ranked(
    values: Sequence[str], totals: Sequence[Measures], key: Callable[[int], Any] | None = None
) -> list[int]:
    """The positions of groups, the dearest first, then the busiest: by the currency most calls are priced in."""
    calls: dict[str, int] = {}
    for total in totals:
        for currency in total.costs:
            calls[currency] = calls.get(currency, 0) + total.requests - total.unpriced
    main = min(calls, key=lambda currency: (-calls[currency], currency), default="")

    def rank(at: int) -> tuple[int, int, int, str]:
        total = totals[at]
        return -total.costs.get(main, 0), -total.requests, -total.tokens, values[at]

    return sorted(range(len(values)), key=key or rank)
