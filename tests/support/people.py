"""Other users of a hub."""

from datetime import UTC, datetime

from core.accounts.tables import User
from core.services import Services


def stranger(services: Services, username: str = "anna") -> int:
    """The id of another user."""
    with services.unit.write() as session:
        user = User(
            username=username, email=None, is_admin=False, is_active=True, created_at=datetime.now(UTC)
        )
        session.add(user)
        session.flush()
        return user.id
