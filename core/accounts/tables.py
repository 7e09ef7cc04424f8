"""Who uses the hub, and the keys and endpoints they brought."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from core.store.base import Base, BigId
from core.store.text import folded


class User(Base):
    """An account. `is_local`: the one that this machine uses without sign-in; at most one is.

    A deleted one stays as an empty row under its number: the ledger's figures keep that number, and SQLite
    would otherwise hand it to the next account.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    username: Mapped[str] = mapped_column(String(150), unique=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    # The same two as they are compared: without letter case. Set with them, see below.
    username_key: Mapped[str | None] = mapped_column(String(512))
    email_key: Mapped[str | None] = mapped_column(String(512))
    # An encoded argon2id hash; an account without one cannot sign in.
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_admin: Mapped[bool]
    is_active: Mapped[bool]
    is_local: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_users_username_key", "username_key", unique=True),
        Index("uq_users_email_key", "email_key", unique=True),
        Index(
            "uq_users_is_local",
            "is_local",
            unique=True,
            sqlite_where=text("is_local"),
            postgresql_where=text("is_local"),
        ),
    )

    @validates("username")
    def _compare_username(self, _name: str, username: str) -> str:
        self.username_key = folded(username)
        return username

    @validates("email")
    def _compare_email(self, _name: str, email: str | None) -> str | None:
        self.email_key = folded(email) if email else None
        return email


class UserSession(Base):
    """A sign-in. The secret that proves it is kept as its hash; `id` is its name in lists and in JWTs."""

    __tablename__ = "user_sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_agent: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(45))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ApiToken(Base):
    """A personal API token, kept as its hash; `hint` is all that is ever shown of it again."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    hint: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class SignInAttempts(Base):
    """How often a password was tried in vain, for an account or from an address. `key` is a hash: what people
    type as an e-mail address may be a password."""

    __tablename__ = "sign_in_attempts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    blocked_until: Mapped[datetime | None]


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
