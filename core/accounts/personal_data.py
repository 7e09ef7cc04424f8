"""One's own data: taken away as JSON, one document or a zip of lines, and deleted.

Each room of AIHub says itself what it keeps of a person (`PersonalRoom`), and `core.services` tells all of them
to this service. What hangs on the account's row by a foreign key goes with that row.

The ledger keeps its figures, under the number of the account, which from then on is nobody's: the row that holds
it says nothing but that there was one. So the sums of the workspace stay what they were.
"""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, BinaryIO, Protocol

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.accounts.service import AccountService
from core.accounts.tables import ApiToken, ProviderKey, SignInAttempts, User, UserSession
from core.accounts.throttle import of_account, of_confirmation
from core.accounts.user_rows import alone, profile_of, refuse_without_admin, user_of
from core.store.text import folded
from core.store.unit_of_work import UnitOfWork

Record = Mapping[str, Any]
BATCH = 500  # rows in memory at once


class PersonalRoom(Protocol):
    """A room that keeps something of a person."""

    def export(self, session: Session, user_id: int) -> Iterator[tuple[str, Iterable[Record]]]:
        """(file name without ending, its records) for each kind of thing that the room keeps of a user. No
        secrets: what is sealed or hashed stays out."""
        ...

    def stop(self, user_id: int) -> None:
        """End what the room is doing for a user who is about to be deleted."""
        ...

    def erase(self, session: Session, user_id: int) -> Callable[[], None]:
        """Delete what does not hang on the account's row, in the caller's transaction. What it gives back is
        called after the commit, for what is not in the database."""
        ...


class PersonalData:
    """Exports and deletes one's own account."""

    def __init__(self, unit: UnitOfWork, accounts: AccountService, rooms: Sequence[PersonalRoom]) -> None:
        self._unit = unit
        self._accounts = accounts
        # The account last: its row takes along what the others may still want to look at.
        self._rooms = (*rooms, _AccountRoom())

    def export(self, user_id: int, target: BinaryIO) -> None:
        """Write a zip of one `.jsonl` a kind of thing, one JSON object a line, to `target`. Times are in UTC, money
        in whole nano-units of its currency. Memory stays flat, whatever there is. AppError(NOT_FOUND)."""
        with (
            self._unit.read() as session,
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
        ):
            user_of(session, user_id)
            for room in self._rooms:
                for name, records in room.export(session, user_id):
                    with archive.open(f"{name}.jsonl", "w", force_zip64=True) as file:
                        lines = map(_line, records)
                        while some := b"".join(islice(lines, BATCH)):
                            file.write(some)

    def export_json(self, user_id: int, target: BinaryIO) -> None:
        """Write the same as `export` as one JSON object to `target`: a list of records a kind of thing."""
        with self._unit.read() as session:
            user_of(session, user_id)
            between = b"{\n"
            for room in self._rooms:
                for name, records in room.export(session, user_id):
                    target.write(between + json.dumps(name).encode() + b": [")
                    lines = (_line(record).rstrip() for record in records)
                    target.write(b"\n" + next(lines, b""))
                    while some := b"".join(b",\n" + line for line in islice(lines, BATCH)):
                        target.write(some)
                    target.write(b"]")
                    between = b",\n"
            target.write(b"\n}\n")

    def delete(self, user_id: int, password: str = "") -> None:
        """Delete an account and everything of it but its figures in the ledger; for good, at once, all or nothing.

        `password`: asked for once more, unless the account has none. AppError(FORBIDDEN) when it is wrong,
        AppError(VALIDATION) for the only administrator while others are here.
        """
        with self._unit.read() as session:
            refuse_without_admin(session, user_of(session, user_id))
        self._accounts.confirm(user_id, password)
        for room in self._rooms:
            room.stop(user_id)
        with self._unit.write() as session:
            alone(session, self._unit.dialect)
            refuse_without_admin(session, user_of(session, user_id))
            then = [room.erase(session, user_id) for room in self._rooms]
        for after in then:
            after()


class _AccountRoom:
    """The account itself: its profile, sessions, tokens and keys."""

    def export(self, session: Session, user_id: int) -> Iterator[tuple[str, Iterable[Record]]]:
        profile = profile_of(user_of(session, user_id))
        shown = ("id", "email", "username", "is_active", "is_admin", "created_at")
        yield "profile", [{name: getattr(profile, name) for name in shown}]
        of_session = ("user_agent", "address", "created_at", "last_seen_at", "expires_at")
        yield (
            "sessions",
            rows(session, UserSession, UserSession.user_id == user_id, of_session, ("created_at",)),
        )
        of_token = ("id", "name", "scopes", "created_at", "expires_at", "last_used_at")
        yield "api_tokens", rows(session, ApiToken, ApiToken.user_id == user_id, of_token)
        of_key = ("id", "provider", "label", "masked", "host", "base_url", "is_active", "created_at")
        mine = (ProviderKey.user_id == user_id) & ProviderKey.deleted_at.is_(None)
        yield "provider_keys", rows(session, ProviderKey, mine, of_key)

    def stop(self, user_id: int) -> None:
        """Nothing of it runs."""

    def erase(self, session: Session, user_id: int) -> Callable[[], None]:
        user = user_of(session, user_id)
        counters = of_account(folded(user.email or "")), of_confirmation(user_id)
        failed = SignInAttempts.key.in_([counter.key for counter in counters])
        session.execute(delete(SignInAttempts).where(failed))
        # The row goes, and with it whatever refers to it. Then its number is taken again, for good.
        session.execute(delete(User).where(User.id == user_id))
        session.expunge(user)
        now = datetime.now(UTC)
        # No account can be called so: there is no # in a username.
        empty = User(id=user_id, username=f"#{user_id}", email=None, is_admin=False, is_active=False)
        empty.created_at = empty.deleted_at = now
        session.add(empty)
        session.flush()
        return _nothing


def rows(
    session: Session, table: Any, mine: Any, names: Sequence[str], order: Sequence[str] = ("id",)
) -> Iterator[Record]:
    """The named columns of a user's rows in an order, a batch at a time."""
    columns = [getattr(table, name) for name in names]
    wanted = select(*columns).where(mine).order_by(*(getattr(table, name) for name in order))
    for row in session.execute(wanted, execution_options={"yield_per": BATCH}):
        yield dict(zip(names, row, strict=True))


def _line(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False, default=_plain).encode() + b"\n"


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in an export")


def _nothing() -> None:
    """Nothing is left to do."""
