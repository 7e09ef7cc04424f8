"""Who uses the hub."""

from datetime import datetime

from sqlalchemy import String
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
