"""What the engine keeps: answers that can be given again, and the rate limits that were set."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, BigId, NanoUnits


class CachedResponse(Base):
    """A complete answer under the hash of its normalised request and its user."""

    __tablename__ = "cached_responses"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId)
    provider: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    tool_calls: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    finish_reason: Mapped[str | None] = mapped_column(String(32))
    usage: Mapped[dict[str, Any]] = mapped_column(JSON)
    # What the answer cost when it was made, which is what giving it again saves.
    cost_nano: Mapped[int | None] = mapped_column(NanoUnits)
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (Index("ix_cached_responses_expires_at", "expires_at"),)


class RateLimit(Base):
    """The limits set for a provider; they are counted for each of its keys. NULL is no limit."""

    __tablename__ = "rate_limits"

    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    requests_per_minute: Mapped[int | None]
    tokens_per_minute: Mapped[int | None]
    concurrent_streams: Mapped[int | None]
    updated_at: Mapped[datetime]
