"""Days and models out of line: what stands far above its own past, and is large enough to matter."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby

from core.usage.anomaly_types import Anomaly, AnomalyReport, Severity
from core.usage.anomaly_words import (
    Contribution,
    Spike,
    cost_words,
    error_words,
    length_words,
    new_model_words,
    price_words,
    request_words,
)
from core.usage.baseline import HISTORY_DAYS, LEAST_DAYS, Usual, usual
from core.usage.price_shift import price_shift
from core.usage.types import DayTotals, Totals

MOST_FINDINGS = 10
_DEVIATIONS = 5.0
# Shares of few calls jump; that chance alone does not explain it is asked apart.
_ERROR_DEVIATIONS = 2.5
_TIMES = 2.0
_LEAST_REQUESTS = 20
_LEAST_ERRORS = 5
_ERROR_SHARE = 0.1
# A new model, or a new price, is worth a line when it makes this share of the range's cost.
_SHARE = 0.1
_GRAVITY = {Severity.SERIOUS: 0, Severity.WARNING: 1, Severity.NOTICE: 2}

Subject = tuple[str, str] | None
"""Provider and model; None for all of them."""


@dataclass(slots=True)
class Days:
    """The days of one subject. Costs are nano-units."""

    totals: dict[date, Totals] = field(default_factory=dict[date, Totals])
    cost: dict[date, float] = field(default_factory=dict[date, float])
    requests: dict[date, float] = field(default_factory=dict[date, float])
    length: dict[date, float] = field(default_factory=dict[date, float])
    errors: dict[date, float] = field(default_factory=dict[date, float])


def find_anomalies(
    daily: Iterable[DayTotals], start: date, end: date, currency: str, least_cost: int
) -> AnomalyReport:
    """The findings of `start` to `end`. `daily` reaches back 56 days before `start`.

    Only costs in `currency` count. `least_cost`: nano-units by which a cost has to stand above what is usual,
    so that noise on tiny sums is no news.
    """
    subjects = _by_subject(daily, currency)
    everything = subjects.get(None, Days())
    range_cost = sum(cost for day, cost in everything.cost.items() if start <= day <= end)
    search = _Search(subjects, start, end, currency, least_cost, range_cost)
    found = sorted(search.all(), key=lambda each: (_GRAVITY[each.severity], -each.score, each.where.start))
    too_short = usual(everything.requests, end) is None
    return AnomalyReport(start, end, currency, too_short, tuple(found[:MOST_FINDINGS]))


@dataclass(frozen=True, slots=True)
class _Search:
    subjects: Mapping[Subject, Days]
    start: date
    end: date
    currency: str
    least_cost: int
    range_cost: float

    def all(self) -> list[Anomaly]:
        everything = self.subjects.get(None)
        if everything is None:
            return []
        days = self._cost_spikes(None, everything)
        named = {(each.where.start, each.where.provider, each.where.model) for each in days}
        found = [*days, *self._request_spikes(everything), *self._length_spikes(everything)]
        bursts = self._error_bursts(None, everything)
        found += bursts
        blamed = {(each.where.start, each.where.provider, each.where.model) for each in bursts}
        for subject, of_model in self.subjects.items():
            if subject is None:
                continue
            # A day's finding that names the model has said it already.
            spikes = self._cost_spikes(subject, of_model)
            found += [each for each in spikes if (each.where.start, *subject) not in named]
            errors = self._error_bursts(subject, of_model)
            found += [each for each in errors if (each.where.start, *subject) not in blamed]
            found += self._new_model(subject, of_model, everything)
            found += self._new_price(subject, of_model)
        return found

    def _cost_spikes(self, subject: Subject, days: Days) -> list[Anomaly]:
        spikes = self._spikes(days.cost, self.least_cost)
        return [
            cost_words(spike, self._most(spike, lambda of: of.cost), subject, self.currency, self.range_cost)
            for spike in spikes
        ]

    def _request_spikes(self, days: Days) -> list[Anomaly]:
        spikes = self._spikes(days.requests, _LEAST_REQUESTS)
        return [request_words(spike, self._most(spike, lambda of: of.requests)) for spike in spikes]

    def _length_spikes(self, days: Days) -> list[Anomaly]:
        # Few calls may well be long ones.
        many = {day for day, count in days.requests.items() if count >= _LEAST_REQUESTS}
        spikes = [spike for spike in self._spikes(days.length, 100) if spike.day in many]
        return [length_words(spike) for spike in spikes]

    def _error_bursts(self, subject: Subject, days: Days) -> list[Anomaly]:
        found: list[Anomaly] = []
        for spike in self._spikes(days.errors, _ERROR_SHARE, _ERROR_DEVIATIONS):
            totals = days.totals[spike.day]
            before = [of for day, of in days.totals.items() if 0 < (spike.day - day).days <= HISTORY_DAYS]
            requests = sum(of.requests for of in before)
            share = sum(of.errors for of in before) / requests if requests else 0.0
            # By chance alone: how many of so many calls would have failed, and give or take.
            expected = totals.requests * share
            chance = (expected * (1.0 - share) + 1.0) ** 0.5
            if totals.errors >= _LEAST_ERRORS and totals.errors - expected > _DEVIATIONS * chance:
                most = self._most(spike, lambda of: {day: each.errors for day, each in of.totals.items()})
                found.append(error_words(spike, totals, share, subject, most))
        return found

    def _new_model(self, subject: tuple[str, str], days: Days, everything: Days) -> list[Anomaly]:
        first = min(days.totals)
        earlier = sum(day < first for day in everything.totals)
        cost = sum(value for day, value in days.cost.items() if day <= self.end)
        since = sum(value for day, value in everything.cost.items() if first <= day <= self.end)
        if not self.start <= first <= self.end or earlier < LEAST_DAYS:
            return []
        if cost < self.least_cost or cost < _SHARE * since:
            return []
        return [new_model_words(subject, first, self.end, cost, since, self.currency)]

    def _new_price(self, subject: tuple[str, str], days: Days) -> list[Anomaly]:
        shift = price_shift(days.totals, days.cost, self.start, self.end)
        if shift is None or abs(shift.difference) < self.least_cost:
            return []
        return [price_words(subject, shift, self.end, self.currency, self.range_cost)]

    def _spikes(
        self, values: Mapping[date, float], least: float, deviations: float = _DEVIATIONS
    ) -> list[Spike]:
        """The days far above what is usual; of days in a row, the highest."""
        found: list[Spike] = []
        for number in range((self.end - self.start).days + 1):
            day = self.start + timedelta(number)
            known = usual(values, day) if values.get(day, 0) > 0 else None
            spike = _spike(values, day, known, least)
            if spike is not None and spike.score > deviations:
                found.append(spike)
        rows = groupby(enumerate(found), key=lambda each: each[1].day - timedelta(each[0]))
        return [max((spike for _, spike in row), key=lambda spike: spike.score) for _, row in rows]

    def _most(self, spike: Spike, of: Callable[[Days], Mapping[date, float]]) -> Contribution | None:
        """The model that made most of the difference, against its own mean of the days before."""
        more: list[Contribution] = []
        for subject, days in self.subjects.items():
            if subject is not None:
                values = of(days)
                before = [spike.day - timedelta(number) for number in range(1, HISTORY_DAYS + 1)]
                active = [day for day in before if day in self.subjects[None].totals]
                mean = sum(values.get(day, 0.0) for day in active) / max(len(active), 1)
                more.append(Contribution(*subject, values.get(spike.day, 0.0) - mean))
        total = sum(each.more for each in more if each.more > 0)
        if total <= 0:
            return None
        most = max(more, key=lambda each: each.more)
        return Contribution(most.provider, most.model, most.more / total)


def _spike(values: Mapping[date, float], day: date, known: Usual | None, least: float) -> Spike | None:
    if known is None:
        return None
    value = values[day]
    score = known.deviation(value)
    if value < _TIMES * known.value or value - known.value < least:
        return None
    return Spike(day, value, known.value, known.by_weekday, score)


def _by_subject(daily: Iterable[DayTotals], currency: str) -> dict[Subject, Days]:
    found: dict[Subject, Days] = {}
    by_day: dict[date, list[Totals]] = {}
    for each in daily:
        _add(found.setdefault((each.provider, each.model), Days()), each.day, [each.totals], currency)
        by_day.setdefault(each.day, []).append(each.totals)
    for day, totals in by_day.items():
        _add(found.setdefault(None, Days()), day, totals, currency)
    return found


def _add(days: Days, day: date, parts: Sequence[Totals], currency: str) -> None:
    requests, errors = sum(part.requests for part in parts), sum(part.errors for part in parts)
    tokens = sum(part.tokens for part in parts)
    days.totals[day] = Totals(
        requests=requests,
        errors=errors,
        input_tokens=sum(part.input_tokens for part in parts),
        cached_input_tokens=sum(part.cached_input_tokens for part in parts),
        output_tokens=sum(part.output_tokens for part in parts),
    )
    days.cost[day] = sum(part.costs.get(currency, 0) for part in parts)
    days.requests[day] = requests
    days.length[day] = tokens / requests if requests else 0.0
    # Half an error more, so that a past without errors has a logarithm too.
    days.errors[day] = (errors + 0.5) / (requests + 1)
