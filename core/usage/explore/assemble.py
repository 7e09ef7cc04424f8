"""Sums as the answers of `UsageReader`, whichever tables they come from."""

from collections.abc import Sequence
from typing import Any, cast, overload

import numpy as np
from numpy.typing import NDArray

from core.usage.explore.columns import COST, COUNTS, REQUESTS, SAVED, UNPRICED, Columns, added_up
from core.usage.explore.types import Measures, Period
from core.usage.sparse import Ints


class Sums:
    """Rows ready to be added up in any direction: all, by period, by group, by both."""

    def __init__(self, rows: Columns, periods: Sequence[Period]) -> None:
        self.periods = len(periods)
        self.values, self._of = rows.values, rows.of
        self._currencies, self._in = rows.currencies, rows.in_currency
        self._at = rows.positions(periods)
        self._by_group: tuple[Ints, Ints] | None = None
        self._numbers = rows.addable()

    def total(self) -> Measures:
        return self._added(np.zeros(len(self._at), np.intp), 1)[0]

    def main_currency(self) -> str:
        """The one that most calls are priced in; amounts of two cannot be compared."""
        priced = self._numbers[:, REQUESTS] - self._numbers[:, UNPRICED]
        calls = [int(priced[self._in == position].sum()) for position in range(len(self._currencies))]
        return min(
            zip(calls, self._currencies, strict=True), key=lambda each: (-each[0], each[1]), default=(0, "")
        )[1]

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

    def _added(self, codes: Ints, length: int, mine: Ints | None = None) -> list[Measures]:
        """The rows, or those at `mine`, added up by their `codes`."""
        rows, currencies = self._numbers, self._in
        if mine is not None:
            rows, currencies = rows[mine], currencies[mine]
        numbers = added_up(rows, codes, length)
        # Given, so that thousands of points need not make their own.
        costs: list[dict[str, int]] = [{} for _ in range(length)]
        saved: list[dict[str, int]] = [{} for _ in range(length)]
        for position, currency in enumerate(self._currencies):
            part = numbers
            if len(self._currencies) > 1:
                of_currency = currencies == position
                part = added_up(rows[of_currency], codes[of_currency], length)
            _name(costs, currency, part[:, COST], part[:, 0] > part[:, UNPRICED])
            _name(saved, currency, part[:, SAVED], part[:, SAVED] != 0)
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


def _name(amounts: list[dict[str, int]], currency: str, nano: NDArray[Any], named: NDArray[Any]) -> None:
    where = np.flatnonzero(named)
    for at, amount in zip(where.tolist(), nano[where].tolist(), strict=True):
        amounts[at][currency] = amount


def ranked(values: Sequence[str], totals: Sequence[Measures], currency: str) -> list[int]:
    """The positions of groups, those that cost most of `currency` first, then the busiest."""

    def rank(at: int) -> tuple[int, int, int, str]:
        total = totals[at]
        return -total.costs.get(currency, 0), -total.requests, -total.tokens, values[at]

    return sorted(range(len(values)), key=rank)
