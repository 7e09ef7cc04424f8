"""What may be kept in the library: cleaned, or refused in one sentence that says what to do."""

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.checked_text import TITLE_TOO_LONG, checked_line
from core.store.text import storable

MOST_TITLE_CHARS = 200
MOST_CONTENT_CHARS = 100_000


def checked_title(text: str) -> str:
    """On one line, with at least one character and at most 200; else AppError(VALIDATION)."""
    empty = N_("A prompt needs a title. Type one.")
    return checked_line(text, MOST_TITLE_CHARS, empty=empty, too_long=TITLE_TOO_LONG)


def checked_content(text: str) -> str:
    """As it was typed, without white space at its end; AppError(VALIDATION) when it is empty or too long."""
    text = storable(text).rstrip()
    if not text.strip():
        raise AppError(ErrorKind.VALIDATION, N_("The prompt says nothing. Type what to ask."))
    if len(text) > MOST_CONTENT_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The prompt has {length} characters; at most {limit} fit. Shorten it."),
            length=len(text),
            limit=MOST_CONTENT_CHARS,
        )
    return text
