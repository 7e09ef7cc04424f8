"""What makes a whole file unreadable, in words that say where and what to do."""

from core.errors import AppError, ErrorKind
from core.i18n import N_


def fault(message: str, /, **params: str | int) -> AppError:
    """A file that cannot be imported; `message` is one that `N_` marked."""
    return AppError(ErrorKind.VALIDATION, message, **params)


def empty() -> AppError:
    return fault(N_("The file is empty. Choose a file with a row of headers and at least one row below."))


def cut_off(row: int) -> AppError:
    return fault(
        N_("The file ends in the middle of row {row}: it was cut off. Export or copy it again."), row=row
    )


def broken(kind: str) -> AppError:
    return fault(
        N_("This {kind} file is damaged or was cut off, so nothing can be read from it. Export it again."),
        kind=kind,
    )


def undecodable(row: int, encoding: str) -> AppError:
    return fault(
        N_("Row {row} has characters that are not {encoding}. Choose the file's encoding below."),
        row=row,
        encoding=encoding,
    )
