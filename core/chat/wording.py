"""What a message and a title have to be."""

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import storable

# About 125,000 tokens of English: more than most models read, and still quick to draw.
MAX_MESSAGE_CHARS = 500_000
MAX_TITLE_CHARS = 80


def checked_message(text: str, *, may_be_empty: bool = False) -> str:
    """`text` without white space around it; AppError(validation) when it is empty or too long."""
    text = storable(text).strip()
    if not text and not may_be_empty:
        raise AppError(ErrorKind.VALIDATION, N_("The message is empty. Type something first."))
    if len(text) > MAX_MESSAGE_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "The message has {length} characters; at most {limit} fit. Send it in parts, or only what matters."
            ),
            length=len(text),
            limit=MAX_MESSAGE_CHARS,
        )
    return text


def checked_title(title: str) -> str:
    """`title` on one line; AppError(validation) when it is empty or too long."""
    title = " ".join(storable(title).split())
    if not title:
        raise AppError(ErrorKind.VALIDATION, N_("A thread needs a name. Type one."))
    if len(title) > MAX_TITLE_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The name has {length} characters; at most {limit} fit. Shorten it."),
            length=len(title),
            limit=MAX_TITLE_CHARS,
        )
    return title


def title_from(text: str) -> str:
    """A title for a thread that begins with `text`: its first words, 60 characters at most."""
    words = " ".join(text[:400].split())
    if len(words) <= 60:
        return words
    return words[:60].rsplit(" ", 1)[0].rstrip(" ,.;:—-") + "…"
