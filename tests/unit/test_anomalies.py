"""What is out of line is found and named; noise is not."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest

from core.i18n import translate
from core.pricing.types import Money
from core.usage.anomalies import MOST_FINDINGS, find_anomalies
from core.usage.anomaly_types import Anomaly, AnomalyKind, DrillDown, Severity
from core.usage.types import DayTotals, Totals

END = date(2026, 11, 20)
START = END - timedelta(29)
DOLLAR = 10**9
LEAST = DOLLAR // 2
# Model, what a token costs in nano-dollars, calls on a working day.
MODELS = (("gemini", "flash", 2_000, 60), ("openai", "gpt", 9_000, 40))


def rows(seed: int = 1, days: int = 86, noise: float = 0.2, calls: float = 1.0) -> list[DayTotals]:
    """A past with a weekly rhythm, lognormal noise and one call in fifty that fails."""
    rng = Random(seed)
    found: list[DayTotals] = []
    for number in range(days):
        day = END - timedelta(days - 1 - number)
        for provider, model, price, usual in MODELS:
            rate = usual * calls * (0.3 if day.weekday() >= 5 else 1.0)
            requests = max(1, round(rate * rng.lognormvariate(0, noise)))
            found.append(DayTotals(day, provider, model, of(rng, requests, price)))
    return found


def of(rng: Random, requests: int, price: int) -> Totals:
    read = round(requests * 2_000 * rng.lognormvariate(0, 0.1))
    written = round(read * 0.25)
    errors = sum(rng.random() < 0.02 for _ in range(requests))
    cost = {"USD": (read + written) * price}
    return Totals(requests, errors, input_tokens=read, output_tokens=written, costs=cost)


def scaled(row: DayTotals, factor: int) -> DayTotals:
    totals = row.totals
    return replace(
        row,
        totals=replace(
            totals,
            requests=totals.requests * factor,
            input_tokens=totals.input_tokens * factor,
            output_tokens=totals.output_tokens * factor,
            costs={name: nano * factor for name, nano in totals.costs.items()},
        ),
    )


def found(daily: Iterable[DayTotals], least: int = LEAST) -> tuple[Anomaly, ...]:
    return find_anomalies(daily, START, END, "USD", least).findings


def said(anomaly: Anomaly, language: str = "en") -> str:
    return translate(language, anomaly.reason.message, **anomaly.reason.params)


def test_stationary_noise_is_no_news() -> None:
    noisy = [seed for seed in range(200) if found(rows(seed, noise=0.35))]
    assert len(noisy) <= 6, f"{len(noisy)} of 200 series with a false finding"


def test_a_planted_spike_is_found_with_its_model_and_its_share() -> None:
    day = date(2026, 11, 10)
    planted = [scaled(row, 8) if (row.day, row.model) == (day, "gpt") else row for row in rows()]
    findings = found(planted)
    cost = next(each for each in findings if each.kind is AnomalyKind.DAY_COST)
    assert cost.where == DrillDown(day, day, "openai", "gpt")
    assert cost.severity is not Severity.NOTICE
    params = cost.reason.params
    assert params["day"] == day
    assert isinstance(params["times"], Decimal)
    assert 4 <= params["times"] <= 9
    assert isinstance(params["amount"], Money)
    assert isinstance(params["share"], Decimal)
    assert params["share"] > Decimal("0.9")
    assert "gpt made" in said(cost)
    assert "that weekday" in said(cost)
    assert AnomalyKind.MODEL_COST not in {each.kind for each in findings}, "said once is enough"


@pytest.mark.parametrize("seed", range(10))
def test_spikes_are_found_in_any_past(seed: int) -> None:
    day = START + timedelta(2 * seed + 5)
    planted = [scaled(row, 7) if row.day == day else row for row in rows(seed)]
    assert day in {each.where.start for each in found(planted) if each.kind is AnomalyKind.DAY_COST}


def test_a_small_model_s_spike_is_found_on_its_own() -> None:
    day = date(2026, 11, 11)
    planted = [scaled(row, 5) if (row.day, row.model) == (day, "flash") else row for row in rows(noise=0.1)]
    kinds = {(each.kind, each.where.model) for each in found(planted)}
    assert (AnomalyKind.MODEL_COST, "flash") in kinds or (AnomalyKind.DAY_COST, "flash") in kinds


def test_days_in_a_row_are_one_finding() -> None:
    days = {date(2026, 11, 9), date(2026, 11, 10), date(2026, 11, 11)}
    planted = [scaled(row, 8) if row.day in days else row for row in rows()]
    costs = [each for each in found(planted) if each.kind is AnomalyKind.DAY_COST]
    assert len(costs) == 1
    assert costs[0].where.start in days


def test_a_spike_of_cents_is_no_news() -> None:
    day = date(2026, 11, 10)
    tiny = [
        replace(row, totals=replace(row.totals, costs={"USD": row.totals.requests * 100})) for row in rows()
    ]
    planted = [scaled(row, 8) if row.day == day else row for row in tiny]
    assert AnomalyKind.DAY_COST not in {each.kind for each in found(planted)}
    assert AnomalyKind.DAY_REQUESTS in {each.kind for each in found(planted)}


def test_a_new_model_is_named_with_what_it_cost() -> None:
    new = [
        DayTotals(START + timedelta(number), "anthropic", "opus", Totals(30, costs={"USD": 2 * DOLLAR}))
        for number in range(10, 30)
    ]
    finding = next(each for each in found([*rows(), *new]) if each.kind is AnomalyKind.NEW_MODEL)
    assert finding.where == DrillDown(START + timedelta(10), END, "anthropic", "opus")
    assert finding.reason.params["amount"] == Money(40 * DOLLAR, "USD")


def test_a_burst_of_errors_is_found_where_it_happened() -> None:
    day = date(2026, 11, 12)
    planted = [
        replace(row, totals=replace(row.totals, errors=row.totals.requests // 2))
        if (row.day, row.provider) == (day, "gemini")
        else row
        for row in rows()
    ]
    bursts = [each for each in found(planted) if "ERRORS" in each.kind.name]
    assert [each.where for each in bursts] == [DrillDown(day, day, "gemini", "flash")]
    assert "failed on 2026-11-12" in said(bursts[0])


def test_a_new_price_is_told_from_a_new_habit() -> None:
    since = date(2026, 11, 5)

    def after(row: DayTotals) -> bool:
        return row.model == "gpt" and row.day >= since

    dearer = [
        replace(row, totals=replace(row.totals, costs={"USD": row.totals.costs["USD"] * 2}))
        if after(row)
        else row
        for row in rows()
    ]
    changes = [each for each in found(dearer) if each.kind is AnomalyKind.PRICE_CHANGE]
    assert [each.where for each in changes] == [DrillDown(since, END, "openai", "gpt")]
    assert changes[0].reason.params["before"] == Money(9_000 * 10**6, "USD")
    assert changes[0].reason.params["amount"] == Money(18_000 * 10**6, "USD")
    # The same cost, because more of the tokens are written now.
    wordier = [
        replace(row, totals=replace(row.totals, output_tokens=row.totals.input_tokens)) if after(row) else row
        for row in dearer
    ]
    assert AnomalyKind.PRICE_CHANGE not in {each.kind for each in found(wordier)}


def test_a_short_past_says_so_and_finds_nothing() -> None:
    planted = [scaled(row, 9) if row.day == END else row for row in rows(days=12)]
    report = find_anomalies(planted, START, END, "USD", LEAST)
    assert (report.too_short, report.findings) == (True, ())
    nothing = find_anomalies([], START, END, "USD", LEAST)
    assert (nothing.too_short, nothing.findings) == (True, ())


def test_there_are_ten_findings_at_most_and_the_gravest_come_first() -> None:
    days = {START + timedelta(number) for number in range(1, 30, 3)}
    planted = [scaled(row, 6 + row.day.day % 7) if row.day in days else row for row in rows(noise=0.1)]
    findings = found(planted)
    assert len(findings) == MOST_FINDINGS
    order = [Severity.SERIOUS, Severity.WARNING, Severity.NOTICE]
    assert [order.index(each.severity) for each in findings] == sorted(
        order.index(each.severity) for each in findings
    )
    assert all("{" not in said(each, language) for each in findings for language in ("en", "ru"))
