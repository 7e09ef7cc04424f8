"""/api/statistics: what the caller's calls came to, in days of the report time zone."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from api.aihub.thread_schemas import Amount
from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Answer
from core.accounts.types import Scope
from core.pricing.types import Money
from core.usage.statistics import Figures
from core.usage.summary import PeriodSummary

router = APIRouter(
    prefix="/api/statistics", tags=["statistics"], responses=ERRORS, dependencies=[needs(Scope.READ)]
)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _written_as_day(value: object) -> object:
    # A bare number would be read as seconds since 1970.
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise PydanticCustomError("date_parsing", "no date")
    return value


Day = Annotated[date, BeforeValidator(_written_as_day)]


class Sums(Answer):
    """`cost` is in the workspace's currency. What had no exchange rate is not in it but in `unconverted`, by
    currency; neither are calls without a known price, which `unpriced_requests` counts."""

    requests: Annotated[int, Field(examples=[15])]
    tokens: Annotated[int, Field(examples=[8432])]
    cost: Annotated[Amount, Field(examples=[0.25])]
    unconverted: dict[str, Amount]
    unpriced_requests: int


class DaySums(Sums):
    date: date


class ModelSums(Sums):
    provider: Annotated[str, Field(examples=["openai"])]
    model: Annotated[str, Field(examples=["gpt-4"])]


class ProviderSums(Sums):
    provider: Annotated[str, Field(examples=["openai"])]
    models_count: Annotated[int, Field(examples=[2])]


class Usage(Answer):
    """Both days are included. `daily_usage` has the days with calls; models and providers come dearest first."""

    start_date: Annotated[date, Field(examples=["2024-02-16"])]
    end_date: Annotated[date, Field(examples=["2024-03-16"])]
    currency: Annotated[str, Field(examples=["USD"])]
    total_requests: Annotated[int, Field(examples=[235])]
    total_tokens: Annotated[int, Field(examples=[126758])]
    total_cost: Annotated[Amount, Field(examples=[3.85])]
    unconverted: dict[str, Amount]
    unpriced_requests: int
    daily_usage: list[DaySums]
    model_usage: list[ModelSums]
    provider_summary: list[ProviderSums]


class Period(Sums):
    start_date: Annotated[date, Field(examples=["2024-03-01"])]
    end_date: Annotated[date, Field(examples=["2024-03-16"])]


class Savings(Answer):
    """`vs_subscription`: `subscription_cost` less the cost of this month; below 0 when paying by the call is dearer."""

    vs_subscription: Annotated[Amount, Field(examples=[18.13])]
    subscription_cost: Annotated[Amount, Field(examples=[20.0])]


class Summary(Answer):
    """The last 30 days are today and the 29 before it."""

    currency: Annotated[str, Field(examples=["USD"])]
    current_month: Period
    last_30_days: Period
    all_time: Sums
    savings: Savings


@router.get("/usage")
def read_usage(
    hub: Hub,
    caller: Caller,
    start_date: Annotated[Day | None, Query(examples=["2024-02-16"])] = None,
    end_date: Annotated[Day | None, Query(examples=["2024-03-16"])] = None,
) -> Usage:
    """Calls by day, model and provider; without days the last 30."""
    found = hub.statistics.usage(caller.account.id, start_date, end_date)
    total = _sums(found.total)
    return Usage(
        start_date=found.start,
        end_date=found.end,
        currency=found.currency,
        total_requests=total.pop("requests"),
        total_tokens=total.pop("tokens"),
        total_cost=total.pop("cost"),
        **total,
        daily_usage=[DaySums(date=each.day, **_sums(each.figures)) for each in found.daily],
        model_usage=[
            ModelSums(provider=each.provider, model=each.model, **_sums(each.figures))
            for each in found.by_model
        ],
        provider_summary=[
            ProviderSums(provider=each.provider, models_count=each.models, **_sums(each.figures))
            for each in found.by_provider
        ],
    )


@router.get("/summary")
def read_summary(hub: Hub, caller: Caller) -> Summary:
    """This month, the last 30 days, all time, and what a subscription would have cost."""
    found = hub.insight.summary(caller.account.id)
    savings = found.savings
    return Summary(
        currency=found.currency,
        current_month=_period(found.current_month),
        last_30_days=_period(found.last_30_days),
        all_time=Sums(**_sums(found.all_time)),
        savings=Savings(
            vs_subscription=savings.vs_subscription.decimal,
            subscription_cost=savings.subscription_cost.decimal,
        ),
    )


def _period(period: PeriodSummary) -> Period:
    assert period.start is not None
    assert period.end is not None
    return Period(start_date=period.start, end_date=period.end, **_sums(period))


def _sums(found: Figures | PeriodSummary) -> dict[str, Any]:
    return {
        "requests": found.requests,
        "tokens": found.tokens,
        "cost": found.cost.decimal,
        "unconverted": _amounts(found.unconverted),
        "unpriced_requests": found.unpriced,
    }


def _amounts(nano: Mapping[str, int]) -> dict[str, Any]:
    return {currency: Money(amount, currency).decimal for currency, amount in nano.items()}
