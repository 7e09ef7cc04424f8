"""Rows of sums as columns of numbers: what roll-ups are read into, converted in, and added up from."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.usage.event_batch import as_date
from core.usage.exchange import Exchange
from core.usage.explore.types import Period
from core.usage.sparse import Ints, sums_by

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
FIGURES = (*COUNTS, "cost_nano", "saved_nano")
"""The columns of `Columns.figures`."""
REQUESTS, UNPRICED = FIGURES.index("requests"), FIGURES.index("unpriced")
COST, SAVED = FIGURES.index("cost_nano"), FIGURES.index("saved_nano")
Row = Sequence[Any]
"""Day (a date, or as SQLite spells one), value of the group, currency, then FIGURES; then, unless they are added up,
provider and model."""
_DAY, _GROUP, _CURRENCY, _FIGURES = 0, 1, 2, 3
_BEHIND = _FIGURES + len(FIGURES)
# Twice that is the most that 64 bits hold.
_SAFE = 2**62
_Name = TypeVar("_Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Columns:
    """Sums by day (its ordinal), group, currency and what tells rows apart beyond that: provider and model, or
    nothing. These three are positions in the lists of their names, each of which some row has. `figures` has a row
    of FIGURES for each."""

    days: Ints
    values: Sequence[str]
    of: Ints
    currencies: Sequence[str]
    in_currency: Ints
    models: Sequence[tuple[str, ...]]
    of_model: Ints
    figures: NDArray[Any]

    def has_others(self, currency: str) -> bool:
        """Whether something has to be converted to be an amount of `currency`."""
        return bool(self._foreign(currency).any())

    def converted(self, exchange: Exchange) -> "Columns":
        """The same with each amount at the rate of its day: once, so that all sums of them agree."""
        foreign = self._foreign(exchange.currency)
        if not foreign.any():
            return self
        # A model's amount of a day is one, whoever's calls it is made of.
        others = self._only(foreign).merged()
        currencies: list[str] = []
        amounts: list[tuple[int, int]] = []
        rows: Any = zip(
            others.days.tolist(),
            others.in_currency.tolist(),
            others.figures[:, [COST, SAVED]].tolist(),
            strict=True,
        )
        for day, at, (nano, spared) in rows:
            cost, saved = (
                exchange.convert(each, others.currencies[int(at)], date.fromordinal(day))
                for each in (nano, spared)
            )
            currencies.append(cost.currency)
            amounts.append((cost.nano, saved.nano))
        names, codes = coded(currencies)
        new = _numbers(amounts).reshape(len(amounts), 2)
        figures = others.figures.astype(np.result_type(others.figures, new))
        figures[:, [COST, SAVED]] = new
        changed = replace(others, currencies=names, in_currency=codes, figures=figures)
        return together([self._only(~foreign), changed])

    def merged(self) -> "Columns":
        """Rows that are told apart by nothing added up; those that come to no call are left out."""
        code = self.days
        for names, codes in (
            (self.values, self.of),
            (self.currencies, self.in_currency),
            (self.models, self.of_model),
        ):
            code = code * max(len(names), 1) + codes
        order = np.argsort(code, kind="stable")
        ordered = code[order]
        first = order[np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])] if len(code) else order
        _, sums = sums_by(code, self.addable())
        found = replace(self._only(first), figures=sums)
        return found._only(sums[:, REQUESTS] != 0)

    def less(self, others: "Columns") -> "Columns":
        """What is left when `others`, which are part of these, are taken away."""
        return together([self, replace(others, figures=-others.figures)]).merged()

    def named(self, group: str) -> "Columns":
        """All of them in one group."""
        values = [group] if len(self.days) else []
        return replace(self, values=values, of=np.zeros(len(self.days), np.int64))

    def positions(self, periods: Sequence[Period]) -> Ints:
        """Which of `periods`, in order and without a gap, each row is in."""
        starts = np.array([period.start.toordinal() for period in periods], np.int64)
        return np.searchsorted(starts, self.days, "right") - 1

    def addable(self) -> NDArray[Any]:
        """`figures` so that any of their sums is right: beyond 64 bits Python's own whole numbers add up, slowly."""
        figures = self.figures
        if figures.dtype == object or not len(figures):
            return figures
        # As floats these sums are close enough to tell whether the whole numbers' fit.
        fits = np.abs(figures.astype(np.float64)).sum(axis=0).max() < _SAFE
        return figures if fits else figures.astype(object)

    def _foreign(self, currency: str) -> NDArray[Any]:
        others = np.array([name != currency for name in self.currencies], bool)
        if not others.any():
            return np.zeros(len(self.days), bool)
        figures = self.figures
        priced = (figures[:, REQUESTS] > figures[:, UNPRICED]) | (figures[:, SAVED] != 0)
        return others[self.in_currency] & priced.astype(bool)

    def _only(self, rows: NDArray[Any]) -> "Columns":
        values, of = _used(self.values, self.of[rows])
        currencies, in_currency = _used(self.currencies, self.in_currency[rows])
        models, of_model = _used(self.models, self.of_model[rows])
        days, figures = self.days[rows], self.figures[rows]
        return Columns(days, values, of, currencies, in_currency, models, of_model, figures)


def columns_of(rows: Sequence[Row]) -> Columns:
    """Rows of a statement as columns."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [() for _ in range(_BEHIND)]
    ordinals = {day: as_date(day).toordinal() for day in set(columns[_DAY])}
    values, of = coded(columns[_GROUP])
    currencies, in_currency = coded(columns[_CURRENCY])
    models, of_model = coded(list(zip(*columns[_BEHIND:], strict=True)) or [()] * len(rows))
    figures = _numbers(columns[_FIGURES:_BEHIND]).reshape(len(FIGURES), len(rows)).T
    days = np.fromiter(map(ordinals.__getitem__, columns[_DAY]), np.int64, len(rows))
    return Columns(days, values, of, currencies, in_currency, models, of_model, figures)


def together(parts: Sequence[Columns]) -> Columns:
    """All rows of all parts."""
    values, of = _joined([(part.values, part.of) for part in parts])
    currencies, in_currency = _joined([(part.currencies, part.in_currency) for part in parts])
    models, of_model = _joined([(part.models, part.of_model) for part in parts])
    days = np.concatenate([part.days for part in parts])
    figures = np.concatenate([part.figures for part in parts])
    return Columns(days, values, of, currencies, in_currency, models, of_model, figures)


def coded(names: Iterable[_Name]) -> tuple[list[_Name], Ints]:
    """The names there are, and the position of each among them."""
    codes: dict[_Name, int] = {}
    positions = [codes.setdefault(name, len(codes)) for name in names]
    return list(codes), np.array(positions, np.int64)


def added_up(numbers: NDArray[Any], codes: NDArray[Any], length: int) -> NDArray[Any]:
    """The rows of `numbers` added up by code, exactly: no float is involved."""
    sums = np.zeros((length, numbers.shape[1]), numbers.dtype)
    found, added = sums_by(codes, numbers)
    sums[found] = added
    return sums


def _joined(parts: Iterable[tuple[Sequence[_Name], Ints]]) -> tuple[list[_Name], Ints]:
    """Names and positions of several parts as those of one."""
    codes: dict[_Name, int] = {}
    positions: list[Ints] = []
    for names, at in parts:
        moved = np.array([codes.setdefault(name, len(codes)) for name in names], np.int64)
        positions.append(moved[at] if len(at) else at)
    return list(codes), np.concatenate(positions)


def _used(names: Sequence[_Name], at: Ints) -> tuple[list[_Name], Ints]:
    """The names that some row has, and positions among these."""
    used, positions = np.unique(at, return_inverse=True)
    return [names[each] for each in used.tolist()], positions.astype(np.int64)


def _numbers(numbers: Sequence[Sequence[int]]) -> NDArray[Any]:
    """As 64-bit numbers, if they are that small."""
    try:
        return np.array(numbers, np.int64)
    except OverflowError:
        return np.array(numbers, object)
