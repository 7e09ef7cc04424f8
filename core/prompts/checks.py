"""What may be kept in the library: cleaned, or refused in one sentence that says what to do."""

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import storable

MOST_TITLE_CHARS = 200
MOST_CONTENT_CHARS = 100_000
MOST_DESCRIPTION_CHARS = 2_000


def checked_title(text: str) -> str:
    """On one line, with at least one character and at most 200; else AppError(VALIDATION)."""
    text = " ".join(storable(text).split())
    if not text:
        raise AppError(ErrorKind.VALIDATION, N_("A prompt needs a title. Type one."))
    if len(text) > MOST_TITLE_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The title has {length} characters; at most {limit} fit. Shorten it."),
            length=len(text),
            limit=MOST_TITLE_CHARS,
        )
    return text


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


def checked_description(text: str | None) -> str | None:
    """Without white space around it, None for none; AppError(VALIDATION) when it is too long."""
    text = storable(text or "").strip()
    if len(text) > MOST_DESCRIPTION_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The description has {length} characters; at most {limit} fit. Shorten it."),
            length=len(text),
            limit=MOST_DESCRIPTION_CHARS,
        )
    return text or None
