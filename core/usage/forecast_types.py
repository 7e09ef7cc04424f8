"""What a forecast says. Everything but `actual` and `history` is an estimate."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

COVERAGE_PERCENT = 80
"""Of a hundred intervals, how many are to hold what comes."""

DAYS_NEEDED = 14
"""Days with calls below which nothing is forecast."""


class Metric(StrEnum):
    COST = "cost"
    TOKENS = "tokens"
    REQUESTS = "requests"


class ForecastState(StrEnum):
    OK = "ok"
    TOO_SHORT = "too_short"


@dataclass(frozen=True, slots=True)
class Estimate:
    """Half of the simulated futures end below `expected`, eight in ten between `low` and `high`.

    In the unit of what is forecast: nano-units of a currency, tokens, or requests.
    """

    low: int
    expected: int
    high: int

    def plus(self, amount: int) -> "Estimate":
        """The estimate and an amount that is certain."""
        return Estimate(self.low + amount, self.expected + amount, self.high + amount)


@dataclass(frozen=True, slots=True)
class DayEstimate:
    """What is still to come from now until the end of `day`."""

    day: date
    to_come: Estimate


@dataclass(frozen=True, slots=True)
class Standing:
    """What the sum comes to by the end of a day: as it was (`actual`, today: so far), or as it may be."""

    day: date
    actual: int | None
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The sum from `start` to `end`, both included, as it may stand at the end of `end`.

    `actual` is exact: what stands already, today's calls included. `total` is None when the history is too
    short (`state`): it has `days_with_calls`, and 14 are needed. `path` has a line for today and each day that
    is left. `history`: each day as it was, oldest first, today so far last. `run_rate` is what stands, extended
    evenly over all days; None in the first hours.
    """

    metric: Metric
    currency: str | None
    start: date
    today: date
    end: date
    state: ForecastState
    days_with_calls: int
    actual: int
    total: Estimate | None
    path: tuple[DayEstimate, ...]
    history: tuple[tuple[date, int], ...]
    run_rate: int | None = None

    @property
    def days_missing(self) -> int:
        """How many more days with calls a forecast needs."""
        return max(0, DAYS_NEEDED - self.days_with_calls)

    def standings(self) -> tuple[Standing, ...]:
        """The sum day by day from `start` to `end`: what was, then what may be. Today has both."""
        total, found = 0, list[Standing]()
        for day, value in self.history:
            if day >= self.start:
                total += value
                found.append(Standing(day, total, None))
        if not self.path:
            return tuple(found)
        to_come = [Standing(each.day, None, each.to_come.plus(self.actual)) for each in self.path]
        return (*found[:-1], Standing(self.today, self.actual, to_come[0].estimate), *to_come[1:])


@dataclass(frozen=True, slots=True)
class MonthForecast:
    """The month that `today` is in. `unconverted`: currencies with no rate, whose amounts are not in `cost`;
    `unpriced`: calls of this month with no known price, which no forecast of the cost counts."""

    cost: Forecast
    tokens: Forecast
    requests: Forecast
    unconverted: frozenset[str]
    unpriced: int


@dataclass(frozen=True, slots=True)
class BacktestCase:
    """A month that is over, forecast from what was known at the start of day `origin`."""

    origin: date
    actual: int
    forecast: Estimate
    run_rate: int

    @property
    def covered(self) -> bool:
        """Whether the month ended within the interval."""
        return self.forecast.low <= self.actual <= self.forecast.high


@dataclass(frozen=True, slots=True)
class Backtest:
    """How forecasts would have done. Errors are shares of what the month came to, medians of all cases;
    `run_rate_error` is that of the month so far, extended evenly."""

    cases: tuple[BacktestCase, ...]
    coverage: float
    error: float
    run_rate_error: float

    @property
    def covered(self) -> int:
        """How many of the cases ended within their interval."""
        return sum(case.covered for case in self.cases)
