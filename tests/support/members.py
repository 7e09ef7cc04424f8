"""The services about people on a test database: real argon2id with small parameters, and a clock that stands still."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.accounts.members import Members, open_members
from core.accounts.passwords import Passwords
from core.accounts.types import Profile, SignedIn, Visitor
from core.accounts.vault import Vault
from core.config import Settings
from core.errors import AppError, ErrorKind
from core.store.unit_of_work import UnitOfWork

PASSWORD = "correct horse battery"
OTHER_PASSWORD = "staple and another"
ANNA, BORIS = "Anna@Example.com", "boris@example.com"
HERE = Visitor("192.0.2.7", "Firefox/140")


def fast_passwords(time_cost: int = 1) -> Passwords:
    """The same hashing with the smallest parameters there are."""
    return Passwords(time_cost=time_cost, memory_kib=8, lanes=1)


@dataclass
class Clock:
    """A time that stands still until a test moves it. It starts now: a JWT's end is held against the real one."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **units: float) -> None:
        self.now += timedelta(**units)


@dataclass
class People:
    """The services and what they stand on."""

    unit: UnitOfWork
    folder: Path
    clock: Clock = field(default_factory=Clock)
    signup: str = "open"

    def __post_init__(self) -> None:
        self.members = self.another_process()

    def another_process(self, **options: Any) -> Members:
        """The services as another process has them, on the same database and data folder."""
        vault = Vault(Settings(data_dir=self.folder))
        values: dict[str, Any] = {"signup": self.signup, "passwords": fast_passwords(), "now": self.clock}
        return open_members(self.unit, vault, **{**values, **options})

    def anna(self) -> Profile:
        """A first account, an administrator."""
        return self.members.accounts.sign_up(ANNA, "Anna", PASSWORD)

    def boris(self) -> Profile:
        """A second account."""
        return self.members.accounts.sign_up(BORIS, "boris", PASSWORD)

    def sign_in(self, email: str = ANNA, password: str = PASSWORD, visitor: Visitor = HERE) -> SignedIn:
        return self.members.sign_in.sign_in(email, password, visitor)


def kind_of(call: Any, *args: Any, **options: Any) -> ErrorKind | None:
    """What kind of AppError a call ends in; None when it goes well."""
    try:
        call(*args, **options)
    except AppError as error:
        return error.kind
    return None
