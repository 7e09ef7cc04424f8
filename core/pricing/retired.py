"""What prices and exchange rates have in common: rows that are added and retired, never overwritten."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import func, select

from core.errors import AppError, ErrorKind
from core.pricing.tables import ExchangeRate, PriceOverride
from core.store.unit_of_work import UnitOfWork

_Table = TypeVar("_Table", PriceOverride, ExchangeRate)


def set_retired(
    unit: UnitOfWork, table: type[_Table], row_id: int, moment: datetime | None, gone: str
) -> None:
    """Take a row out of use, or (None) put it back; AppError(NOT_FOUND) that says `gone` for an unknown one."""
    with unit.write() as session:
        row = session.get(table, row_id)
        if row is None:
            raise AppError(ErrorKind.NOT_FOUND, gone)
        row.retired_at = moment


def version(unit: UnitOfWork, table: type[_Table]) -> tuple[object, ...]:
    """Changes with any change of the table."""
    # Rows are never deleted, and a retirement never repeats its moment: these four are enough.
    columns = (table.id, table.retired_at)
    statement = select(*(func.count(column) for column in columns), *(func.max(column) for column in columns))
    with unit.read() as session:
        return tuple(session.execute(statement).one())
