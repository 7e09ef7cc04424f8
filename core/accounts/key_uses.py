"""When keys were last used: noted in memory on the way to a call, written down later."""

import threading
from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from core.accounts.tables import ProviderKey

EVERY = timedelta(minutes=1)  # a key in constant use costs one small write a minute, not one a call


class KeyUses:
    """The last use of each key, by its id. From any thread."""

    def __init__(self) -> None:
        self._noted: dict[int, datetime] = {}
        self._written: dict[int, datetime] = {}
        self._lock = threading.Lock()

    def note(self, key_id: int, moment: datetime) -> None:
        """A call is about to be made with a key."""
        self._noted[key_id] = moment

    def last(self, key_id: int) -> datetime | None:
        """The last use in this process, None for none."""
        return self._noted.get(key_id)

    def forget(self, key_id: int) -> None:
        """The key is another one now."""
        with self._lock:
            self._noted.pop(key_id, None)
            self._written.pop(key_id, None)

    def is_due(self, now: datetime) -> bool:
        """Whether there is anything to write."""
        return bool(self._due(now))

    def write(self, session: Session, now: datetime) -> None:
        """Write what is due, each key at most once a minute."""
        for key_id, moment in self._due(now).items():
            session.execute(
                update(ProviderKey)
                .where(
                    ProviderKey.id == key_id,
                    or_(ProviderKey.last_used_at.is_(None), ProviderKey.last_used_at < moment),
                )
                .values(last_used_at=moment)
            )
            self._written[key_id] = moment

    def _due(self, now: datetime) -> dict[int, datetime]:
        with self._lock:
            return {
                key_id: moment
                for key_id, moment in list(self._noted.items())
                if key_id not in self._written
                or (moment > self._written[key_id] and now - self._written[key_id] >= EVERY)
            }
