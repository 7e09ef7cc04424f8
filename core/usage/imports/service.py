"""The verbs of imports: look into a file, import what it holds, list what was imported, take it out again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.service import PriceBook
from core.store.text import storable
from core.store.unit_of_work import UnitOfWork
from core.usage.days import assign_days_of
from core.usage.imports.columns import ColumnMap
from core.usage.imports.loading import count_known, load, settle
from core.usage.imports.reading import ReadingRoom
from core.usage.imports.staging import Progress
from core.usage.imports.types import DETECTED, Format, ImportInfo, ImportOptions, Preview
from core.usage.imports.undoing import Undoing, left_of, unfinished
from core.usage.ledger import Ledger
from core.usage.tables import UsageImport

NAME_LENGTH = 200


def _silent(_done: int, _total: int, _rows: int) -> None:
    return


class ImportService:
    """Imports belong to the user who made them; another user's looks like one that does not exist."""

    def __init__(
        self,
        unit: UnitOfWork,
        ledger: Ledger,
        prices: PriceBook,
        prepare: Callable[[datetime, datetime], None] = lambda _first, _last: None,
    ) -> None:
        """`prepare` makes room for calls between two aware moments, before they are written."""
        self._unit = unit
        self._ledger = ledger
        self._room = ReadingRoom(prices, lambda: ledger.zone)
        self._prepare = prepare
        self.undoing = Undoing(unit, ledger)

    def read(
        self,
        user_id: int,
        path: Path,
        staged: Path,
        *,
        file_name: str = "",
        options: ImportOptions = DETECTED,
        progress: Progress = _silent,
        columns: ColumnMap | None = None,
    ) -> Preview:
        """What the file at `path` holds; its calls are staged in the new file `staged`, the ledger stays as it is.

        AppError(VALIDATION) names the row and column of what cannot be read; UnclearFile asks for an option.
        """
        name = storable(file_name or path.name)[:NAME_LENGTH]
        preview = self._room.read(user_id, path, name, staged, options, progress, columns)
        if not preview.calls:
            return preview
        with self._unit.read() as session:
            known = count_known(session, staged) if _imported_before(session, user_id) else 0
        return replace(preview, known=known)

    def write(
        self,
        user_id: int,
        preview: Preview,
        staged: Path,
        progress: Callable[[int], None] = lambda _rows: None,
    ) -> ImportInfo:
        """Add the staged calls that the ledger does not have: all of them or, whatever happens, none.

        One transaction; on SQLite other writers wait for it. AppError(VALIDATION) when nothing is new. `progress` is
        told how many rows more were written, and raises to stop.
        """
        batch = f"import:{uuid4().hex}"
        if preview.first_day and preview.last_day:
            self._prepare(_noon(preview.first_day), _noon(preview.last_day))
        with self._unit.write() as session:
            self._ledger.lock(session)
            if any(row.user_id == user_id for row in unfinished(session)):
                # What the file has in common with it would be taken for known, and then go.
                raise AppError(
                    ErrorKind.VALIDATION,
                    N_("An earlier import is being undone. Wait until that is done, then import this file."),
                )
            calls = load(session, staged, user_id, batch, progress)
            if (zone := self._ledger.zone_in(session)).key != preview.zone:
                # It was changed after the file was read.
                assign_days_of(session, zone, batch)
            if not calls:
                raise AppError(
                    ErrorKind.VALIDATION,
                    N_("Everything in this file was imported before. Nothing was added."),
                )
            sums = self._ledger.count_batch(session, batch)
            made = _record(user_id, batch, preview, calls, sums)
            session.add(made)
            session.flush()
            settle(session)
            return _info(made)

    def imports(self, user_id: int) -> tuple[ImportInfo, ...]:
        """The user's imports, the latest first; undone ones too."""
        with self._unit.snapshot() as session:
            found = select(UsageImport).where(UsageImport.user_id == user_id).order_by(UsageImport.id.desc())
            return tuple(_info(row, left_of(session, row)) for row in session.scalars(found))

    def undo(self, user_id: int, import_id: int) -> int:
        """Take one import out of the ledger exactly, and wait for that; see `Undoing.undo`."""
        return self.undoing.undo(user_id, import_id)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _imported_before(session: Session, user_id: int) -> bool:
    found = select(UsageImport.id).where(UsageImport.user_id == user_id, UsageImport.undone_at.is_(None))
    return session.execute(found.limit(1)).first() is not None


def _record(
    user_id: int, batch: str, preview: Preview, calls: int, sums: list[dict[str, Any]]
) -> UsageImport:
    costs: dict[str, int] = {}
    for row in sums:
        if row["cost_nano"]:
            costs[row["currency"]] = costs.get(row["currency"], 0) + row["cost_nano"]
    days: list[date] = [row["day"] for row in sums]
    return UsageImport(
        user_id=user_id,
        batch=batch,
        created_at=datetime.now(UTC),
        file_name=preview.file_name,
        format=preview.format.value,
        calls=calls,
        requests=sum(row["requests"] for row in sums),
        skipped=sum(skip.rows for skip in preview.skips),
        known=max(0, preview.calls - calls),
        first_day=min(days),
        last_day=max(days),
        costs=costs,
        unpriced=sum(row["unpriced"] for row in sums),
    )


def _info(row: UsageImport, left: int = 0) -> ImportInfo:
    return ImportInfo(
        id=row.id,
        created_at=row.created_at,
        file_name=row.file_name,
        format=Format(row.format),
        calls=row.calls,
        requests=row.requests,
        skipped=row.skipped,
        known=row.known,
        first_day=row.first_day,
        last_day=row.last_day,
        costs=row.costs,
        unpriced=row.unpriced,
        undone_at=row.undone_at,
        left=left,
    )
