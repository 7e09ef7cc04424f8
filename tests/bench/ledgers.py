"""Ledgers of any size, filled in seconds and the same every time."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.config import Settings
from core.pricing.types import CallCost, Money
from core.providers.types import TokenUsage
from core.store.engine import open_engine
from core.store.migrate import upgrade
from core.store.unit_of_work import UnitOfWork
from core.usage.ledger import FOLD_EVERY, Ledger
from core.usage.types import Call, CallStatus, Source, UsageReport

DAYS = 365
# Provider, model, nano-dollars for an input and for an output token; no price: a server of one's own.
_MODELS = (
    ("gemini", "gemini-3.8-flash", 300, 2_500),
    ("gemini", "gemini-3.5-flash", 150, 1_250),
    ("gemini", "gemini-3.1-pro-preview", 2_000, 12_000),
    ("openai", "gpt-5.4", 1_250, 10_000),
    ("openai", "gpt-5.4-mini", 250, 2_000),
    ("openai", "gpt-5.4-nano", 50, 400),
    ("anthropic", "claude-opus-4-6", 5_000, 25_000),
    ("anthropic", "claude-sonnet-4-6", 3_000, 15_000),
    ("anthropic", "claude-haiku-4-5", 1_000, 5_000),
    ("local", "llama-3.3-70b", None, None),
    ("local", "qwen3-32b", None, None),
    ("local", "mistral-small", None, None),
)
A_PROVIDER, A_MODEL = _MODELS[0][:2]
# Calls come in the order of time, evenly through the year. `dice` is a number below 2^32 that looks random (a product
# of two views of n), so that models, users and sources mix as they do in life: a small ledger leaves holes.
# SQLite leaves the order of a CROSS JOIN alone: rows stream out one by one, and ten million need no memory.
_FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :events),
hashed AS (SELECT n, (n + 1) * 2654435761 % 4294967296 AS h FROM numbers),
thrown AS (SELECT n, h * ((h >> 13) | 1) % 4294967291 AS dice FROM hashed),
models(number, provider, model, input_price, output_price) AS (VALUES {models}),
calls AS (
    SELECT n, 1 + dice / 24 % :users AS user_id, provider, model, input_price, output_price,
        CASE WHEN dice / 12 % 2 THEN 'api' ELSE 'chat' END AS source,
        CASE WHEN dice / 240 % 50 THEN 'completed' ELSE 'failed' END AS status,
        dice / 240 % 50 > 45 AS estimated,
        50 + dice / 480 % 4000 AS input_tokens, 20 + dice / 960 % 1500 AS output_tokens,
        strftime('%Y-%m-%d %H:%M:%S.000000', :first, (n * 86400 * :days / :events) || ' seconds') AS occurred_at
    FROM thrown CROSS JOIN models ON number = dice % 12
)
INSERT INTO usage_events (
    request_id, user_id, occurred_at, day, provider, model, source, status, error_kind, input_tokens,
    cached_input_tokens, cache_write_tokens, input_audio_tokens, output_tokens, reasoning_tokens,
    output_audio_tokens, tokens_estimated, cost_nano, currency, price_source, latency_ms, first_token_ms
)
SELECT substr(:first, 1, 10) || printf('-%012d', n), user_id, occurred_at, date(occurred_at), provider, model, source,
    status, CASE status WHEN 'failed' THEN 'api_error' END, input_tokens, input_tokens / 4, 0, 0, output_tokens,
    output_tokens / 3, 0, estimated, input_tokens * input_price + output_tokens * output_price, 'USD',
    CASE WHEN input_price IS NULL THEN 'unpriced' ELSE 'bench' END, 400 + input_tokens, 100 + output_tokens / 8
FROM calls
"""
_RAW_TOTALS = """
SELECT count(*), sum(status = 'failed'), sum(cost_nano IS NULL), sum(tokens_estimated), sum(input_tokens),
    sum(cached_input_tokens), sum(output_tokens), sum(reasoning_tokens), sum(cost_nano)
FROM usage_events WHERE day BETWEEN :start AND :end
"""


def new_unit(data: Path) -> UnitOfWork:
    """A migrated SQLite database in the folder `data`, where a server given that folder finds it."""
    engine = open_engine(Settings(data_dir=data).sqlalchemy_url)
    upgrade(engine)
    return UnitOfWork(engine)


def fill(session: Session, ledger: Ledger, events: int, last_day: date, users: int) -> None:
    """Add calls as `add_calls` does; days and roll-ups come from the ledger's own rebuild."""
    add_calls(session, events, last_day, users)
    ledger.rebuild(session)


def add_calls(session: Session, events: int, last_day: date, users: int) -> None:
    """Add `events` calls of 12 models, 4 providers and 2 sources through the year that ends with `last_day`.

    Users are 1 to `users`. No roll-up knows the calls yet.
    """
    rows = ", ".join(
        f"({number}, '{provider}', '{model}', {_sql(input_price)}, {_sql(output_price)})"
        for number, (provider, model, input_price, output_price) in enumerate(_MODELS)
    )
    first = datetime.combine(last_day - timedelta(DAYS - 1), datetime.min.time(), UTC)
    session.execute(
        text(_FILL.format(models=rows)),
        {"events": events, "users": users, "days": DAYS, "first": f"{first:%Y-%m-%d %H:%M:%S}"},
    )


def add_waiting(session: Session, ledger: Ledger, last_day: date, users: int) -> None:
    """Record calls on the last day that no finer roll-up holds yet: as many as there are on average while people
    chat."""
    first = datetime.combine(last_day, datetime.min.time(), UTC)
    ledger.record_many(
        session,
        [
            Call(
                request_id=f"waiting-{number}",
                user_id=1 + number % users,
                occurred_at=first + timedelta(minutes=10 * number),
                provider=A_PROVIDER,
                model=A_MODEL,
                source=Source.CHAT,
                status=CallStatus.COMPLETED,
                usage=TokenUsage(input_tokens=100 + number, output_tokens=10 + number),
                cost=CallCost(Money(1_000 * number, "USD"), "bench"),
                latency_ms=500 + number,
                first_token_ms=100 + number,
            )
            for number in range(FOLD_EVERY // 2)
        ],
    )


def check(session: Session, report: UsageReport) -> None:
    """Hold a report on all users against a raw sum over the events; ValueError where they differ."""
    days = {"start": report.start.isoformat(), "end": report.end.isoformat()}
    raw = tuple(session.execute(text(_RAW_TOTALS), days).one())
    total = report.total
    reported = (
        total.requests,
        total.errors,
        total.unpriced,
        total.estimated,
        total.input_tokens,
        total.cached_input_tokens,
        total.output_tokens,
        total.reasoning_tokens,
        total.costs.get("USD"),
    )
    if reported != raw:
        raise ValueError(f"the report says {reported}, the events add up to {raw}")


def _sql(price: int | None) -> str:
    return "NULL" if price is None else str(price)
