"""Names, titles and descriptions that people type: cleaned, or refused in one sentence that says what to do."""

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import storable

MOST_DESCRIPTION_CHARS = 2_000
NAME_TOO_LONG = N_("The name has {length} characters; at most {limit} fit. Shorten it.")
TITLE_TOO_LONG = N_("The title has {length} characters; at most {limit} fit. Shorten it.")


def checked_line(text: str, most: int, *, empty: str, too_long: str) -> str:
    """`text` on one line, with 1 to `most` characters; else AppError(VALIDATION) with one of the two messages.

    `too_long` may name {length} and {limit}.
    """
    text = " ".join(storable(text).split())
    if not text:
        raise AppError(ErrorKind.VALIDATION, empty)
    if len(text) > most:
        raise AppError(ErrorKind.VALIDATION, too_long, length=len(text), limit=most)
    return text


def checked_description(text: str | None) -> str | None:
    """Without white space around it, None for none; AppError(VALIDATION) for over 2,000 characters."""
    text = storable(text or "").strip()
    if len(text) > MOST_DESCRIPTION_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The description has {length} characters; at most {limit} fit. Shorten it."),
            length=len(text),
            limit=MOST_DESCRIPTION_CHARS,
        )
    return text or None
