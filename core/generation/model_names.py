"""The name of a model as it may be asked for, and stored with each call."""

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import storable

MOST_NAME_CHARS = 200  # as many as the ledger keeps


def clean_model(name: str) -> str:
    """The name, trimmed; AppError(VALIDATION) for one that is empty or too long to be kept."""
    name = storable(name).strip()
    if not name:
        raise AppError(ErrorKind.VALIDATION, N_("The model has no name. Pick one, or type its name."))
    if len(name) > MOST_NAME_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The name of the model has {length} characters; at most {limit} fit. Shorten it."),
            length=len(name),
            limit=MOST_NAME_CHARS,
        )
    return name
