"""What is out of line, and how it is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from core.pricing.types import Money


class AnomalyKind(StrEnum):
    DAY_COST = "day_cost"
    DAY_REQUESTS = "day_requests"
    DAY_LENGTH = "day_length"
    DAY_ERRORS = "day_errors"
    MODEL_COST = "model_cost"
    MODEL_ERRORS = "model_errors"
    NEW_MODEL = "new_model"
    PRICE_CHANGE = "price_change"


class Severity(StrEnum):
    NOTICE = "notice"
    WARNING = "warning"
    SERIOUS = "serious"


Param = str | int | date | Decimal | Money
"""Money, days, shares and multiples stay what they are, for whoever shows them to write as their reader does."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence to translate, with its `{fields}`. `share` and `usual_share` are Decimals from 0 to 1, `times`
    is a multiple with one digit after the point."""

    message: str
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class DrillDown:
    """What to look at: the days, and the provider and model that stand out (None: all of them)."""

    start: date
    end: date
    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something out of line. `score` orders findings of one severity: robust standard deviations."""

    kind: AnomalyKind
    severity: Severity
    reason: Reason
    where: DrillDown
    score: float


@dataclass(frozen=True, slots=True)
class AnomalyReport:
    """The findings of `start` to `end`, the gravest first, at most ten. `too_short`: the eight weeks before hold
    fewer than 14 days with calls for even the last day of the range, so that nobody can say what is usual."""

    start: date
    end: date
    currency: str
    too_short: bool
    findings: tuple[Anomaly, ...]
    unconverted: frozenset[str] = field(default_factory=frozenset[str])
