"""Findings in words: each a template to translate, with its figures beside it."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from core.i18n import N_
from core.pricing.types import Money
from core.usage.anomaly_types import Anomaly, AnomalyKind, DrillDown, Param, Reason, Severity
from core.usage.price_shift import PriceShift
from core.usage.types import Totals

_SERIOUS_SHARE, _WARNING_SHARE = 0.25, 0.1


@dataclass(frozen=True, slots=True)
class Spike:
    """A day far above what is usual. `score`: robust standard deviations."""

    day: date
    value: float
    usual: float
    by_weekday: bool
    score: float

    @property
    def times(self) -> Decimal:
        return _rounded(self.value / self.usual, "0.1")


@dataclass(frozen=True, slots=True)
class Contribution:
    """`more`: by how much a model was above its own mean, or its share of all that was more."""

    provider: str
    model: str
    more: float


def cost_words(
    spike: Spike, most: Contribution | None, subject: tuple[str, str] | None, currency: str, range_cost: float
) -> Anomaly:
    """A day on which everything, or one model, cost far more than usual."""
    params: dict[str, Param] = {
        "day": spike.day,
        "times": spike.times,
        "amount": Money(round(spike.usual), currency),
    }
    severity = _by_share((spike.value - spike.usual) / range_cost)
    if subject is not None:
        message = N_("{model} cost {times} times its usual {amount} a day on {day}.")
        if spike.by_weekday:
            message = N_("{model} cost {times} times the usual {amount} of that weekday on {day}.")
        reason = Reason(message, {**params, "model": subject[1]})
        return Anomaly(AnomalyKind.MODEL_COST, severity, reason, _day(spike.day, subject), spike.score)
    message = N_("Cost on {day} was {times} times the usual {amount} a day.")
    if spike.by_weekday:
        message = N_("Cost on {day} was {times} times the usual {amount} of that weekday.")
    if most is not None:
        params |= {"model": most.model, "share": _rounded(most.more, "0.01")}
        message = N_(
            "Cost on {day} was {times} times the usual {amount} a day; {model} made {share} of the difference."
        )
        if spike.by_weekday:
            message = N_(
                "Cost on {day} was {times} times the usual {amount} of that weekday; "
                "{model} made {share} of the difference."
            )
    return Anomaly(AnomalyKind.DAY_COST, severity, Reason(message, params), _of(spike, most), spike.score)


def request_words(spike: Spike, most: Contribution | None) -> Anomaly:
    """A day with far more calls than usual."""
    params: dict[str, Param] = {"day": spike.day, "count": round(spike.value), "usual": round(spike.usual)}
    message = N_("{day} had {count} requests; {usual} are usual.")
    if most is not None:
        params |= {"model": most.model, "share": _rounded(most.more, "0.01")}
        message = N_("{day} had {count} requests; {usual} are usual. {model} made {share} of the difference.")
    severity = Severity.WARNING if spike.times >= 4 else Severity.NOTICE
    return Anomaly(AnomalyKind.DAY_REQUESTS, severity, Reason(message, params), _of(spike, most), spike.score)


def length_words(spike: Spike) -> Anomaly:
    """A day with far longer calls than usual."""
    params: dict[str, Param] = {"day": spike.day, "count": round(spike.value), "usual": round(spike.usual)}
    reason = Reason(N_("Requests on {day} had {count} tokens on average; {usual} are usual."), params)
    severity = Severity.WARNING if spike.times >= 4 else Severity.NOTICE
    return Anomaly(AnomalyKind.DAY_LENGTH, severity, reason, _day(spike.day), spike.score)


def error_words(
    spike: Spike,
    totals: Totals,
    usual_share: float,
    subject: tuple[str, str] | None,
    most: Contribution | None,
) -> Anomaly:
    """A day on which far more calls failed than usual."""
    params: dict[str, Param] = {
        "day": spike.day,
        "errors": totals.errors,
        "count": totals.requests,
        "usual_share": _rounded(usual_share, "0.001"),
    }
    share = totals.errors / totals.requests
    severity = Severity.SERIOUS if share >= 0.5 else Severity.WARNING
    if subject is not None:
        message = N_("{errors} of {count} requests to {model} failed on {day}; {usual_share} is usual.")
        reason = Reason(message, {**params, "model": subject[1]})
        return Anomaly(AnomalyKind.MODEL_ERRORS, severity, reason, _day(spike.day, subject), spike.score)
    reason = Reason(N_("{errors} of {count} requests failed on {day}; {usual_share} is usual."), params)
    return Anomaly(AnomalyKind.DAY_ERRORS, severity, reason, _of(spike, most), spike.score)


def new_model_words(
    subject: tuple[str, str], first: date, end: date, cost: float, since: float, currency: str
) -> Anomaly:
    """A model that was never used before and makes a good part of the cost since."""
    share = cost / since
    params: dict[str, Param] = {
        "model": subject[1],
        "day": first,
        "amount": Money(round(cost), currency),
        "share": _rounded(share, "0.01"),
    }
    message = N_("{model} is new since {day} and cost {amount}: {share} of everything since then.")
    severity = Severity.WARNING if share >= 0.5 else Severity.NOTICE
    where = DrillDown(first, end, *subject)
    return Anomaly(AnomalyKind.NEW_MODEL, severity, Reason(message, params), where, share)


def price_words(
    subject: tuple[str, str], shift: PriceShift, end: date, currency: str, range_cost: float
) -> Anomaly:
    """A model whose tokens cost something else for good."""
    params: dict[str, Param] = {
        "model": subject[1],
        "day": shift.day,
        "amount": Money(round(shift.after), currency),
        "before": Money(round(shift.before), currency),
    }
    message = N_("Since {day} a million tokens of {model} cost {amount}; before that, {before}.")
    severity = _by_share(shift.difference / range_cost) if shift.difference > 0 else Severity.NOTICE
    where = DrillDown(shift.day, end, *subject)
    score = max(shift.after / shift.before, shift.before / shift.after)
    return Anomaly(AnomalyKind.PRICE_CHANGE, severity, Reason(message, params), where, score)


def _by_share(share: float) -> Severity:
    """How grave it is that so much of the range's cost is out of line."""
    if share >= _SERIOUS_SHARE:
        return Severity.SERIOUS
    return Severity.WARNING if share >= _WARNING_SHARE else Severity.NOTICE


def _of(spike: Spike, most: Contribution | None) -> DrillDown:
    """The day, and the model when one made most of it."""
    if most is not None and most.more >= 0.5:
        return _day(spike.day, (most.provider, most.model))
    return _day(spike.day)


def _day(day: date, subject: tuple[str, str] | None = None) -> DrillDown:
    return DrillDown(day, day, *(subject or (None, None)))


def _rounded(value: float, step: str) -> Decimal:
    return Decimal(value).quantize(Decimal(step), ROUND_HALF_EVEN)
