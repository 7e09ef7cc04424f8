"""The ledger's tables: every call once, its roll-ups, the budgets on them and the record of re-costings."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, BigId, NanoUnits

# `usage_daily.user_id` of the rows that add up all users; real ids start at 1.
ALL_USERS = 0
# `usage_daily.source` of the rows that add up all sources but sample data.
ALL_SOURCES = ""


class UsageEvent(Base):
    """One call; rows are added, never changed by use. No foreign key ties one to a thread, message or
    user: deleting those changes no total."""

    __tablename__ = "usage_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(BigId)
    occurred_at: Mapped[datetime]
    day: Mapped[date] = mapped_column(Date)
    provider: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    error_kind: Mapped[str | None] = mapped_column(String(32))
    input_tokens: Mapped[int] = mapped_column(BigId)
    cached_input_tokens: Mapped[int] = mapped_column(BigId)
    cache_write_tokens: Mapped[int] = mapped_column(BigId)
    input_audio_tokens: Mapped[int] = mapped_column(BigId)
    output_tokens: Mapped[int] = mapped_column(BigId)
    reasoning_tokens: Mapped[int] = mapped_column(BigId)
    output_audio_tokens: Mapped[int] = mapped_column(BigId)
    tokens_estimated: Mapped[bool]
    # NULL means unpriced, which is not 0.
    cost_nano: Mapped[int | None] = mapped_column(NanoUnits)
    currency: Mapped[str] = mapped_column(String(3))
    price_source: Mapped[str] = mapped_column(String(200))
    latency_ms: Mapped[int | None]
    first_token_ms: Mapped[int | None]
    thread_id: Mapped[int | None] = mapped_column(BigId)
    message_id: Mapped[int | None] = mapped_column(BigId)
    # How often the provider was asked until it answered; 0 for an answer from the cache.
    attempts: Mapped[int] = mapped_column(server_default="1")
    from_cache: Mapped[bool] = mapped_column(server_default=false())
    # What an answer from the cache would have cost, in nano-units of `currency`; NULL when nobody knows.
    saved_nano: Mapped[int | None] = mapped_column(NanoUnits)
    # What was wrong with the figures the server reported, and those figures; the columns above hold an estimate.
    flag: Mapped[str | None] = mapped_column(String(200))
    reported: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # "provider/model" that was asked first when another one answered.
    fallback_from: Mapped[str | None] = mapped_column(String(300))
    # Which key was used, as a fingerprint.
    key_ref: Mapped[str | None] = mapped_column(String(16))
    # A load that can be taken back as a whole: sample data, an import.
    batch: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_usage_events_user_day", "user_id", "day"),
        Index("ix_usage_events_batch", "batch"),
    )


class UsageDaily(Base):
    """Sums by user, source, report day, provider, model and currency; the same for all users and all sources.

    Written in the transaction that writes the event. The key's order is the order in which reports
    read; SQLite stores the rows in that order (WITHOUT ROWID), so a year is one sequential read.
    """

    __tablename__ = "usage_daily"

    user_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    requests: Mapped[int] = mapped_column(BigId)
    errors: Mapped[int] = mapped_column(BigId)
    unpriced: Mapped[int] = mapped_column(BigId)
    estimated: Mapped[int] = mapped_column(BigId)
    input_tokens: Mapped[int] = mapped_column(BigId)
    cached_input_tokens: Mapped[int] = mapped_column(BigId)
    cache_write_tokens: Mapped[int] = mapped_column(BigId)
    input_audio_tokens: Mapped[int] = mapped_column(BigId)
    output_tokens: Mapped[int] = mapped_column(BigId)
    reasoning_tokens: Mapped[int] = mapped_column(BigId)
    output_audio_tokens: Mapped[int] = mapped_column(BigId)
    cost_nano: Mapped[int] = mapped_column(NanoUnits)
    from_cache: Mapped[int] = mapped_column(BigId, server_default="0")
    saved_nano: Mapped[int] = mapped_column(NanoUnits, server_default="0")
    flagged: Mapped[int] = mapped_column(BigId, server_default="0")

    __table_args__ = ({"sqlite_with_rowid": False},)


class LedgerState(Base):
    """What the roll-ups were built with; one row."""

    __tablename__ = "ledger_state"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    timezone: Mapped[str] = mapped_column(String(64))
    rebuilt_at: Mapped[datetime | None]


class Budget(Base):
    """A limit on what calls may cost. `scope`: workspace, user (`user_id` set) or provider (`provider` set).

    `window`: the calendar month, or the last `window_days` days. A call before `reset_at` does not count.
    """

    __tablename__ = "budgets"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scope: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[int | None] = mapped_column(BigId)
    provider: Mapped[str | None] = mapped_column(String(64))
    amount_nano: Mapped[int] = mapped_column(NanoUnits)
    currency: Mapped[str] = mapped_column(String(3))
    window: Mapped[str] = mapped_column(String(16))
    window_days: Mapped[int | None]
    warn_percent: Mapped[int]
    blocks: Mapped[bool]
    reset_at: Mapped[datetime | None]
    created_by: Mapped[int] = mapped_column(BigId)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Recost(Base):
    """One re-costing: which calls were priced anew, by whom and why. `before` and `after`: nano-units by currency."""

    __tablename__ = "recosts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(BigId)
    start_day: Mapped[date] = mapped_column(Date)
    end_day: Mapped[date] = mapped_column(Date)
    provider: Mapped[str | None] = mapped_column(String(64))
    model: Mapped[str | None] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(200))
    calls: Mapped[int] = mapped_column(BigId)
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    after: Mapped[dict[str, Any]] = mapped_column(JSON)


class RecostChange(Base):
    """What a re-costing changed in one event."""

    __tablename__ = "recost_changes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recost_id: Mapped[int] = mapped_column(ForeignKey("recosts.id", ondelete="CASCADE"), index=True)
    event_id: Mapped[int] = mapped_column(BigId)
    old_nano: Mapped[int | None] = mapped_column(NanoUnits)
    old_currency: Mapped[str] = mapped_column(String(3))
    old_source: Mapped[str] = mapped_column(String(200))
    new_nano: Mapped[int | None] = mapped_column(NanoUnits)
    new_currency: Mapped[str] = mapped_column(String(3))
    new_source: Mapped[str] = mapped_column(String(200))
