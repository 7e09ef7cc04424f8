"""A part of a list: how many rows to leave out and how many to give."""

from core.errors import AppError, ErrorKind
from core.i18n import N_

MOST_ROWS = 500
ROWS = 100  # as documented, when nobody says
_MOST_SKIPPED = 2**31 - 1


def check_part(skip: int, limit: int) -> None:
    """AppError(VALIDATION) unless `skip` is 0 or more and `limit` is 1 to 500."""
    if not 0 <= skip <= _MOST_SKIPPED:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("“skip” says how many to leave out, from 0 to {limit}. Set it in this range."),
            limit=_MOST_SKIPPED,
        )
    if not 1 <= limit <= MOST_ROWS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("“limit” is from 1 to {limit}. Set it in this range, and ask for the rest in parts."),
            limit=MOST_ROWS,
        )
