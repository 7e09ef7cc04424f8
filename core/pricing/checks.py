"""What people enter about money, checked in one place."""

import re
from datetime import date

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import storable

NOTE_LENGTH = 200
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


def check_currency(code: str, field: str = "currency") -> str:
    """`code` itself; AppError(VALIDATION) unless it is three capital letters."""
    if not _CURRENCY.fullmatch(code):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("A currency is three capital letters. Enter one such as USD, EUR or RUB."),
            field=field,
        )
    return code


def check_day(day: date) -> date:
    """`day` itself; AppError(VALIDATION) when nothing can be valid from then."""
    if not _FIRST_YEAR <= day.year < _LAST_YEAR:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("“Valid from” has to be a day from 2000 to 2099. Choose the day it came into force."),
            field="valid_from",
        )
    return day


def check_note(note: str) -> str:
    """`note` as it can be stored; AppError(VALIDATION) when it is too long."""
    note = storable(note).strip()
    if len(note) > NOTE_LENGTH:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("A note can have up to {most} characters. Shorten it."),
            most=NOTE_LENGTH,
            field="note",
        )
    return note
