"""Prices and exchange rates that people entered. Rows are added and retired, never overwritten."""

from datetime import date, datetime

from sqlalchemy import Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, BigId, NanoUnits


class PriceOverride(Base):
    """A price of the workspace's own, in nano-units of `currency` per million tokens; NULL: not charged apart.

    Of those not retired, the one with the latest `valid_from` at or before a call's time applies.
    """

    __tablename__ = "price_overrides"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(200))
    currency: Mapped[str] = mapped_column(String(3))
    input_nano: Mapped[int] = mapped_column(NanoUnits)
    cached_input_nano: Mapped[int | None] = mapped_column(NanoUnits)
    cache_write_nano: Mapped[int | None] = mapped_column(NanoUnits)
    output_nano: Mapped[int] = mapped_column(NanoUnits)
    input_audio_nano: Mapped[int | None] = mapped_column(NanoUnits)
    output_audio_nano: Mapped[int | None] = mapped_column(NanoUnits)
    valid_from: Mapped[datetime]
    note: Mapped[str] = mapped_column(String(200))
    created_by: Mapped[int] = mapped_column(BigId)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_price_overrides_model", "provider", "model"),)


class ExchangeRate(Base):
    """One unit of `base` was worth `rate` units of `quote` from `valid_from` on; `rate` is a decimal as text."""

    __tablename__ = "exchange_rates"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    base: Mapped[str] = mapped_column(String(3))
    quote: Mapped[str] = mapped_column(String(3))
    rate: Mapped[str] = mapped_column(String(40))
    valid_from: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(String(200))
    created_by: Mapped[int] = mapped_column(BigId)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
