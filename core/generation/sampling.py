"""How a model is asked, checked where a person or a program says it."""

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import storable

MOST_TOKENS = 1_000_000
HOTTEST = 2.0
MOST_PROMPT_CHARS = 20_000


def check_max_tokens(value: int | None) -> None:
    """AppError(VALIDATION) unless it is None or 1 to 1,000,000."""
    if value is None or (not isinstance(value, bool) and 1 <= value <= MOST_TOKENS):
        return
    raise AppError(
        ErrorKind.VALIDATION,
        N_("The length of an answer is from 1 to {limit} tokens. Set it in this range, or leave it empty."),
        limit=MOST_TOKENS,
    )


def check_temperature(value: float | None) -> None:
    """AppError(VALIDATION) unless it is None or 0 to 2."""
    # NaN fails every comparison.
    if value is None or (not isinstance(value, bool) and 0 <= value <= HOTTEST):
        return
    raise AppError(
        ErrorKind.VALIDATION,
        N_("The temperature is from 0 to 2. Set it in this range, or leave it empty."),
    )


def checked_system_prompt(text: str | None) -> str | None:
    """`text` without white space around it, None for none; AppError(VALIDATION) for over 20,000 characters."""
    text = storable(text or "").strip()
    if len(text) > MOST_PROMPT_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The system prompt has {length} characters; at most {limit} fit. Shorten it."),
            length=len(text),
            limit=MOST_PROMPT_CHARS,
        )
    return text or None
