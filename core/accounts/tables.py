"""Who uses the hub, and the keys and endpoints they brought."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, BigId


class User(Base):
    """An account. In local mode there is one, made at first start, that needs no sign-in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    username: Mapped[str] = mapped_column(String(150), unique=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    is_admin: Mapped[bool]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]


class ProviderKey(Base):
    """A provider key of one user. `secret` is sealed by the vault; `masked` is all that is ever shown of it."""

    __tablename__ = "provider_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(100))
    secret: Mapped[str] = mapped_column(Text)
    masked: Mapped[str] = mapped_column(String(64))
    # The only host the key is ever sent to.
    host: Mapped[str] = mapped_column(String(255))
    base_url: Mapped[str | None] = mapped_column(String(500))
    options: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    # How the last test went: no kind is well.
    check_error_kind: Mapped[str | None] = mapped_column(String(32))
    check_message: Mapped[str | None] = mapped_column(Text)
    check_params: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # Hidden and unused at once; the row goes for good when it can no longer be undone.
    deleted_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_provider_keys_user", "user_id", "provider"),)


class Endpoint(Base):
    """An OpenAI-compatible server of the workspace, a provider under a name of its own."""

    __tablename__ = "endpoints"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider_id: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(100))
    base_url: Mapped[str] = mapped_column(String(500))
    is_free: Mapped[bool]
    created_by: Mapped[int] = mapped_column(BigId)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
