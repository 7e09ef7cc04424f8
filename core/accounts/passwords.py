"""Passwords as argon2id. Hashing takes tens of milliseconds and 64 MiB: call it off the event loop."""

from functools import cached_property
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from core.accounts.user_checks import same_everywhere

if TYPE_CHECKING:
    from argon2 import PasswordHasher

# RFC 9106's second choice, for machines that do other things too.
TIME_COST, MEMORY_KIB, LANES = 3, 65_536, 4
AT_ONCE = 4  # so that a flood of sign-ins takes 256 MiB, not all there is


class Passwords:
    """Hashes and verifies; from any thread. What is weaker than the parameters now is to be hashed anew."""

    def __init__(
        self,
        time_cost: int = TIME_COST,
        memory_kib: int = MEMORY_KIB,
        lanes: int = LANES,
        at_once: int = AT_ONCE,
    ) -> None:
        self._parameters = time_cost, memory_kib, lanes
        self._places = BoundedSemaphore(at_once)

    def hash(self, password: str) -> str:
        """The encoded hash of a password that `clean_password` gave."""
        with self._places:
            return self._hasher.hash(password)

    def verify(self, encoded: str | None, password: str) -> bool:
        """Whether `password`, as it was typed, is the one behind a hash. None, for no such account, takes as long
        as a wrong one: the time tells nobody who has an account here."""
        from argon2.exceptions import InvalidHashError, VerificationError

        password = same_everywhere(password)
        if encoded is None:
            self.hash(password)
            return False
        try:
            with self._places:
                return self._hasher.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False

    def rehash(self, encoded: str, password: str) -> str | None:
        """A new hash of a password that was just verified, when the old one was made with other parameters than
        those of now; else None."""
        if not self._hasher.check_needs_rehash(encoded):
            return None
        return self.hash(same_everywhere(password))

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        # Loading the library takes 15 ms: not at every start.
        from argon2 import PasswordHasher

        return PasswordHasher(*self._parameters)
