"""Accounts: in local mode, the one account of whoever sits at this machine."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core.accounts.tables import User
from core.accounts.types import Account
from core.store.unit_of_work import UnitOfWork

LOCAL_USERNAME = "local"


class AccountService:
    """Finds accounts; the only maker of the local one."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit

    def local_account(self) -> Account:
        """The local account, made on first use."""
        found = self._find(LOCAL_USERNAME)
        if found is not None:
            return found
        try:
            with self._unit.write() as session:
                session.add(
                    User(
                        username=LOCAL_USERNAME,
                        email=None,
                        is_admin=True,
                        is_active=True,
                        created_at=datetime.now(UTC),
                    )
                )
        except IntegrityError:
            # Another process started at the same moment and made it first: that one stands.
            pass
        made = self._find(LOCAL_USERNAME)
        assert made is not None
        return made

    def _find(self, username: str) -> Account | None:
        with self._unit.read() as session:
            user = session.scalars(select(User).where(User.username == username)).one_or_none()
            return Account(user.id, user.username, user.is_admin) if user else None
