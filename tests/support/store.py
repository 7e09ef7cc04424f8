"""A migrated database for a test, and calls to put into it."""

import uuid
from datetime import UTC, datetime

from core.pricing.types import CallCost, Money
from core.providers.types import TokenUsage
from core.store.engine import open_engine
from core.store.migrate import upgrade
from core.store.unit_of_work import UnitOfWork
from core.usage.types import Call, CallStatus, Source

LEDGER_TABLES = (
    "usage_events",
    "usage_event_tags",
    "usage_pending",
    "usage_daily",
    "usage_months",
    "usage_shapes",
    "usage_facets",
    "ledger_state",
)
"""What to empty for a ledger without calls."""
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def migrated(url: str, busy_timeout_ms: int = 5_000) -> UnitOfWork:
    """A unit of work on a database with the newest schema."""
    engine = open_engine(url, busy_timeout_ms)
    upgrade(engine)
    return UnitOfWork(engine)


def call(**changes: object) -> Call:
    """A finished call of 10 input and 5 output tokens that cost 1,500 nano-dollars, but for `changes`."""
    values: dict[str, object] = {
        "request_id": str(uuid.uuid4()),
        "user_id": 1,
        "occurred_at": NOON,
        "provider": "gemini",
        "model": "gemini-3.8-flash",
        "source": Source.CHAT,
        "status": CallStatus.COMPLETED,
        "usage": TokenUsage(input_tokens=10, output_tokens=5),
        "cost": CallCost(Money(1_500, "USD"), "test"),
    }
    return Call(**{**values, **changes})  # pyright: ignore[reportArgumentType]
