"""The ledger's tables: every call once, and its roll-ups."""

from datetime import date, datetime

from sqlalchemy import Date, Index, String
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

    __table_args__ = ({"sqlite_with_rowid": False},)


class LedgerState(Base):
    """What the roll-ups were built with; one row."""

    __tablename__ = "ledger_state"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    timezone: Mapped[str] = mapped_column(String(64))
    rebuilt_at: Mapped[datetime | None]
