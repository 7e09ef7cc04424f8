"""Conversations as they are stored."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Double, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, validates

from core.store.base import Base, BigId, NanoUnits
from core.store.text import searchable


class Thread(Base):
    """A conversation of one user. `deleted_at` hides it at once; it goes for good a little later (undo).

    What it says of itself (`system_prompt`, `max_tokens`, `temperature`) stands over the user's preferences.
    """

    __tablename__ = "threads"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    provider: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(200))
    system_prompt: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_message_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    category_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id", ondelete="SET NULL"), index=True
    )
    is_pinned: Mapped[bool] = mapped_column(default=False)
    is_archived: Mapped[bool] = mapped_column(default=False)
    max_tokens: Mapped[int | None]
    temperature: Mapped[float | None] = mapped_column(Double)
    title_folded: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_threads_user_last", "user_id", "deleted_at", "last_message_at"),)

    @validates("title")
    def _fold(self, _key: str, title: str) -> str:
        self.title_folded = searchable(title)
        return title


class Message(Base):
    """One turn. An answer carries how its call went; `owner` and `heartbeat_at` say who is writing it."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(16))
    content: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    provider: Mapped[str | None] = mapped_column(String(64))
    model: Mapped[str | None] = mapped_column(String(200))
    request_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    owner: Mapped[str | None] = mapped_column(String(200))
    heartbeat_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    cost_nano: Mapped[int | None] = mapped_column(NanoUnits)
    currency: Mapped[str | None] = mapped_column(String(3))
    price_source: Mapped[str | None] = mapped_column(String(200))
    finish_reason: Mapped[str | None] = mapped_column(String(32))
    latency_ms: Mapped[int | None]
    first_token_ms: Mapped[int | None]
    error_kind: Mapped[str | None] = mapped_column(String(32))
    error_message: Mapped[str | None] = mapped_column(Text)
    error_params: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    tool_calls: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    attempts: Mapped[int | None]
    from_cache: Mapped[bool | None]
    fallback_from: Mapped[str | None] = mapped_column(String(300))
    flag: Mapped[str | None] = mapped_column(String(200))

    # An answer's own tokens, a question's estimate, or what a program said of a message it added.
    tokens: Mapped[int | None]
    tokens_estimated: Mapped[bool | None]
    with_context: Mapped[bool | None]
    meta: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # Set by a process that is not its writer, which looks for it whenever it saves the text.
    stop_requested_at: Mapped[datetime | None]
    # For the ledger, should the process that writes the answer die.
    source: Mapped[str | None] = mapped_column(String(16))
    tags: Mapped[list[list[str]] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (
        # With the tokens in it, a user's messages are counted and their tokens summed without reading a message.
        Index("ix_messages_thread", "thread_id", "id", "tokens"),
        Index("ix_messages_status", "status", "owner"),
    )


class MessageText(Base):
    """A message as it is searched: folded, in an order that keeps a thread's together, without what else it holds."""

    __tablename__ = "message_texts"

    thread_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    message_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    folded: Mapped[str] = mapped_column(Text)

    __table_args__ = ({"sqlite_with_rowid": False},)


class MessageAttachment(Base):
    """A file of a message, in the order it was added; its bytes lie in the data folder under their hash."""

    __tablename__ = "message_attachments"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    mime_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigId)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
