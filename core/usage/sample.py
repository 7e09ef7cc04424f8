"""Invented calls that show what the usage page can do. Always labelled, never added to real ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from core.errors import ErrorKind
from core.pricing.types import CallCost, Money
from core.providers.types import TokenUsage
from core.usage.sample_tags import enriched
from core.usage.types import Call, CallStatus, Source

DAYS = 90
PRICE_SOURCE = "sample data"

# Calls an hour: more each week, few at weekends, and one busy day.
_FIRST_RATE, _LAST_RATE = 0.6, 1.5
_WEEKEND = 0.25
_BUSY_DAYS_AGO, _BUSY = 24, 2.4
_FAILED, _STOPPED = 0.035, 0.03
_FAILURES = (
    ErrorKind.RATE_LIMIT,
    ErrorKind.RATE_LIMIT,
    ErrorKind.TIMEOUT,
    ErrorKind.UNREACHABLE,
    ErrorKind.SAFETY,
)


@dataclass(frozen=True, slots=True)
class _Model:
    """How a model is used. Prices are nano-dollars a token (3000 is $3 per million); None is unpriced."""

    provider: str
    name: str
    weight: int
    input_tokens: int
    output_tokens: int
    tokens_per_second: int
    prices: tuple[int, int, int] | None  # input, cached input, output
    cached: float = 0.0
    reasoning: float = 0.0
    estimated: float = 0.0


_MODELS = (
    _Model("gemini", "gemini-3.8-flash", 30, 1_900, 520, 190, (300, 75, 2_500), cached=0.3),
    _Model(
        "gemini", "gemini-3.8-pro", 12, 5_200, 1_400, 90, (1_250, 310, 10_000), cached=0.35, reasoning=0.5
    ),
    _Model("openai", "gpt-5.6", 14, 3_100, 980, 75, (1_750, 175, 14_000), cached=0.4, reasoning=0.4),
    _Model("openai", "gpt-5.6-mini", 16, 1_500, 430, 140, (250, 25, 2_000), cached=0.3, reasoning=0.2),
    _Model("anthropic", "claude-sonnet-5", 11, 4_600, 1_150, 70, (3_000, 300, 15_000), cached=0.5),
    _Model("anthropic", "claude-haiku-5", 9, 1_700, 480, 150, (1_000, 100, 5_000), cached=0.25),
    _Model("local", "qwen3-30b", 8, 1_200, 610, 38, None, estimated=0.4),
)
_WEIGHTS = [model.weight for model in _MODELS]


def sample_batch(user_id: int) -> str:
    """The batch under which a user's sample data stands in the ledger."""
    return f"sample:{user_id}"


def sample_calls(user_id: int, now: datetime, day_of: Callable[[datetime], date]) -> list[Call]:
    """About 2,000 calls in the 90 report days that end with `now`; the same for the same arguments.

    `now` is aware; `day_of` gives a moment's report day.
    """
    rng = Random(20)  # any fixed number will do
    moments = _moments(rng, now, day_of)
    return list(
        enriched(_call(rng, user_id, number, moment) for number, moment in enumerate(moments, start=1))
    )


def _moments(rng: Random, now: datetime, day_of: Callable[[datetime], date]) -> Iterator[datetime]:
    today = day_of(now)
    for hours_ago in range((DAYS + 1) * 24, 0, -1):
        hour = now - timedelta(hours=hours_ago)
        calls = int(_rate(hour, today, day_of) + rng.random())
        seconds = sorted(rng.randrange(3_600) for _ in range(calls))
        for moment in (hour + timedelta(seconds=second) for second in seconds):
            if (today - day_of(moment)).days < DAYS:
                yield moment


def _rate(hour: datetime, today: date, day_of: Callable[[datetime], date]) -> float:
    day = day_of(hour)
    days_ago = (today - day).days
    rate = _LAST_RATE - (_LAST_RATE - _FIRST_RATE) * days_ago / DAYS
    # The week's rhythm in the middle of it, quieter towards its ends.
    rate *= _WEEKEND if day.weekday() >= 5 else 1.15 - 0.1 * abs(day.weekday() - 2)
    return rate * (_BUSY if days_ago == _BUSY_DAYS_AGO else 1)


def _call(rng: Random, user_id: int, number: int, moment: datetime) -> Call:
    model = rng.choices(_MODELS, _WEIGHTS)[0]
    fate = rng.random()
    failed = fate < _FAILED
    status = (
        CallStatus.FAILED
        if failed
        else CallStatus.STOPPED
        if fate < _FAILED + _STOPPED
        else CallStatus.COMPLETED
    )
    usage = TokenUsage() if failed else _usage(rng, model)
    first_token = rng.randrange(250, 1_400)
    return Call(
        request_id=f"sample-{user_id}-{number}",
        user_id=user_id,
        occurred_at=moment,
        provider=model.provider,
        model=model.name,
        source=Source.SAMPLE,
        status=status,
        usage=usage,
        cost=_cost(model, usage),
        error_kind=rng.choice(_FAILURES) if failed else None,
        latency_ms=first_token + usage.output_tokens * 1_000 // model.tokens_per_second,
        first_token_ms=None if failed else first_token,
        batch=sample_batch(user_id),
    )


def _usage(rng: Random, model: _Model) -> TokenUsage:
    # Log-normal: most calls are short and a few are very long, as in life.
    read = max(1, round(model.input_tokens * rng.lognormvariate(-0.2, 0.65)))
    written = max(1, round(model.output_tokens * rng.lognormvariate(-0.15, 0.55)))
    return TokenUsage(
        input_tokens=read,
        cached_input_tokens=round(read * rng.random()) if rng.random() < model.cached else 0,
        output_tokens=written,
        reasoning_tokens=round(written * rng.uniform(0.2, 0.7)) if rng.random() < model.reasoning else 0,
        estimated=rng.random() < model.estimated,
    )


def _cost(model: _Model, usage: TokenUsage) -> CallCost:
    if model.prices is None:
        return CallCost(None, PRICE_SOURCE)
    fresh, cached, output = model.prices
    nano = (usage.input_tokens - usage.cached_input_tokens) * fresh
    nano += usage.cached_input_tokens * cached + usage.output_tokens * output
    return CallCost(Money(nano, "USD"), PRICE_SOURCE)
