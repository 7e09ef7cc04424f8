"""Guessing passwords made slow: growing delays, then a lock, for each account and each address.

Kept in the database, so that neither a restart nor another process gives a guesser a new start.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.accounts.tables import SignInAttempts
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.unit_of_work import UnitOfWork

FORGOTTEN_AFTER = timedelta(days=1)  # since the last failure


@dataclass(frozen=True, slots=True)
class Rule:
    """The first `free` failures cost no wait; the next ones 1, 2, 4 … seconds; from `lock_at` on `lock` each."""

    free: int
    lock_at: int
    is_shared: bool  # by several people
    lock: timedelta = timedelta(minutes=15)

    def wait(self, failures: int) -> timedelta:
        """How long nobody may try after so many failures in a row."""
        if failures <= self.free:
            return timedelta(0)
        if failures >= self.lock_at:
            return self.lock
        return min(self.lock, timedelta(seconds=2 ** min(failures - self.free - 1, 30)))


ACCOUNT = Rule(free=5, lock_at=12, is_shared=False)
ADDRESS = Rule(free=30, lock_at=60, is_shared=True)


@dataclass(frozen=True, slots=True)
class Counter:
    """One thing whose failures are counted, under one rule."""

    key: str
    rule: Rule


def of_account(name: str) -> Counter:
    """Failures for an account, whether it exists or not."""
    return Counter(_hash(f"account {name}"), ACCOUNT)


def of_confirmation(user_id: int) -> Counter:
    """Failures of somebody signed in who is asked for the password again: they lock nobody out of signing in."""
    return Counter(_hash(f"confirmation {user_id}"), ACCOUNT)


def of_address(address: str) -> Counter:
    """Failures from an address; of IPv6 from its /64, which one customer has to himself."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return Counter(_hash(f"address {address}"), ADDRESS)
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or ip_network((found, 64), strict=False)
    return Counter(_hash(f"address {found}"), ADDRESS)


class Throttle:
    """Counts an attempt before it is made: many at once are refused as many one after the other are."""

    def __init__(self, unit: UnitOfWork, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._unit = unit
        self._now = now

    def attempt(self, counters: Sequence[Counter]) -> None:
        """Before a password is verified: count it as failed. AppError(RATE_LIMIT), with the seconds to wait and
        nothing counted, while one of the counters is blocked."""
        now = self._now()
        with self._unit.write() as session:
            session.execute(delete(SignInAttempts).where(SignInAttempts.last_at < now - FORGOTTEN_AFTER))
            # In one order everywhere, so that two processes cannot wait for each other.
            rows = [(self._locked(session, counter, now), counter) for counter in _ordered(counters)]
            blocked = [row.blocked_until for row, _ in rows if row.blocked_until and row.blocked_until > now]
            if not blocked:
                for row, counter in rows:
                    row.failures, row.last_at = row.failures + 1, now
                    row.blocked_until = now + counter.rule.wait(row.failures)
        if blocked:
            raise _too_many(max(blocked) - now)

    def succeeded(self, session: Session, counters: Sequence[Counter]) -> None:
        """The password was right. An account's count starts anew; an address only gets its one attempt back, or
        whoever has one account could go on guessing at others."""
        for counter in _ordered(counters):
            row = session.get(SignInAttempts, counter.key, with_for_update=True)
            if row is None:
                continue
            row.failures = max(0, row.failures - 1) if counter.rule.is_shared else 0
            # The block that this attempt itself had set.
            row.blocked_until = None

    def _locked(self, session: Session, counter: Counter, now: datetime) -> SignInAttempts:
        """The counter's row, made when there is none, and held to the end of the transaction."""
        insert = sqlite.insert if self._unit.dialect == "sqlite" else postgresql.insert
        made = insert(SignInAttempts).values(key=counter.key, failures=0, last_at=now)
        # Writing the key it has already takes the row's lock, also from a transaction that is just removing it.
        same = made.on_conflict_do_update(index_elements=["key"], set_={"key": counter.key})
        session.execute(same)
        return session.scalars(select(SignInAttempts).where(SignInAttempts.key == counter.key)).one()


def _ordered(counters: Sequence[Counter]) -> list[Counter]:
    return sorted(counters, key=lambda counter: counter.key)


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _too_many(wait: timedelta) -> AppError:
    seconds = max(1, math.ceil(wait.total_seconds()))
    return AppError(
        ErrorKind.RATE_LIMIT,
        N_("Too many failed attempts. Wait {seconds} s, then try again."),
        seconds=seconds,
    )
