"""Who asks: administrators, and other users of a hub."""

from datetime import UTC, datetime

from core.accounts.tables import User
from core.accounts.types import Account
from core.services import Services


def admin(user_id: int = 1) -> Account:
    """An administrator, as services are asked in their name."""
    return Account(user_id, f"user {user_id}", is_admin=True)


def member(user_id: int = 2) -> Account:
    """Somebody who is none."""
    return Account(user_id, f"user {user_id}", is_admin=False)


ADMIN = admin()


def stranger(services: Services, username: str = "anna") -> int:
    """The id of another user."""
    with services.unit.write() as session:
        user = User(
            username=username, email=None, is_admin=False, is_active=True, created_at=datetime.now(UTC)
        )
        session.add(user)
        session.flush()
        return user.id
