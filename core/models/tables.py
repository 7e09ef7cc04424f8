"""How each user wants each model to be asked."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, BigId


class Preference(Base):
    """A user's settings for one model of one provider; NULL leaves the provider's default.

    `options` holds what only some providers know, for Gemini in the documented request's own form.
    `fallbacks`: [{"provider", "model"}, …], tried in order when this one does not answer.
    """

    __tablename__ = "model_preferences"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(200))
    max_tokens: Mapped[int | None]
    temperature: Mapped[float | None]
    system_prompt: Mapped[str | None] = mapped_column(Text)
    is_default: Mapped[bool]
    use_cache: Mapped[bool]
    options: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    fallbacks: Mapped[list[dict[str, str]] | None] = mapped_column(JSON)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("user_id", "provider", "model", name="uq_model_preferences_model"),)
