"""What administrators do with other people's accounts. Whoever is none gets FORBIDDEN, before anything is read."""

from core.accounts.new_accounts import add_account
from core.accounts.passwords import Passwords
from core.accounts.sessions import end_sessions
from core.accounts.types import Profile
from core.accounts.user_checks import clean_password
from core.accounts.user_rows import alone, everybody, profile_of, refuse_without_admin, user_of
from core.rights import Actor, require_admin
from core.store.unit_of_work import UnitOfWork


class Administration:
    """Every verb takes who asks. No verb shows a key, a token, a session or a message of another person."""

    def __init__(self, unit: UnitOfWork, passwords: Passwords) -> None:
        self._unit = unit
        self._passwords = passwords

    def list(self, actor: Actor, skip: int = 0, limit: int | None = None) -> tuple[Profile, ...]:
        """The accounts, the oldest first; without a `limit` every one."""
        require_admin(actor)
        with self._unit.read() as session:
            return tuple(map(profile_of, everybody(session, skip, limit)))

    def add(
        self, actor: Actor, email: str, username: str, password: str, *, is_admin: bool = False
    ) -> Profile:
        """An account for somebody, whatever AIHUB_SIGNUP says. AppError(VALIDATION)."""
        require_admin(actor)
        return add_account(self._unit, self._passwords, email, username, password, is_admin=is_admin)

    def change(
        self,
        actor: Actor,
        user_id: int,
        *,
        is_active: bool | None = None,
        is_admin: bool | None = None,
    ) -> Profile:
        """Change what is not None, all or nothing: see `set_active` and `set_admin`."""
        require_admin(actor)
        with self._unit.write() as session:
            alone(session, self._unit.dialect)
            user = user_of(session, user_id)
            if is_active is False or is_admin is False:
                refuse_without_admin(session, user)
            if is_active is False:
                end_sessions(session, user_id)
            user.is_active = user.is_active if is_active is None else is_active
            user.is_admin = user.is_admin if is_admin is None else is_admin
            return profile_of(user)

    def set_admin(self, actor: Actor, user_id: int, is_admin: bool) -> Profile:
        """Make an administrator, or no longer. There is always one left."""
        return self.change(actor, user_id, is_admin=is_admin)

    def set_active(self, actor: Actor, user_id: int, is_active: bool) -> Profile:
        """Switch an account off, which signs it out everywhere, or on again. What it owns stays."""
        return self.change(actor, user_id, is_active=is_active)

    def set_password(self, actor: Actor, user_id: int, password: str) -> Profile:
        """A new password for somebody who forgot theirs; signs them out everywhere."""
        require_admin(actor)
        with self._unit.read() as session:
            user = user_of(session, user_id)
            password = clean_password(password, user.email, user.username)
        hashed = self._passwords.hash(password)
        with self._unit.write() as session:
            user = user_of(session, user_id)
            user.password_hash = hashed
            end_sessions(session, user_id)
            return profile_of(user)
