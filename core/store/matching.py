"""Searching in folded text (see `core.store.text.searchable`)."""

from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import searchable

MOST_SEARCH_CHARS = 200


def needle_of(search: str | None) -> str | None:
    """What to look for, folded; None when there is nothing. AppError(VALIDATION) for over 200 characters."""
    if search is not None and len(search) > MOST_SEARCH_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The search has {length} characters; at most {limit} fit. Search for fewer words."),
            length=len(search),
            limit=MOST_SEARCH_CHARS,
        )
    return searchable(search or "") or None


def holds(session: Session, column: Any, needle: str) -> ColumnElement[bool]:
    """Whether a column of folded text holds `needle`; % and _ are characters like any other."""
    # Faster than LIKE on SQLite, and the arguments stand in the same order.
    find = func.instr if session.get_bind().dialect.name == "sqlite" else func.strpos
    return find(column, needle) > 0
