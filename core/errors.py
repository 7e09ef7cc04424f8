"""AppError: everything that can go wrong, said once, in words a person can act on."""

from enum import StrEnum

from core.i18n import DEFAULT_LANGUAGE, translate


class ErrorKind(StrEnum):
    """What went wrong, as it is stored in the ledger and on a message."""

    VALIDATION = "validation"
    NOT_FOUND = "not_found"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NO_KEY = "api_key_not_found"
    WRONG_KEY = "wrong_key"
    UNKNOWN_MODEL = "unknown_model"
    RATE_LIMIT = "rate_limit"
    BILLING = "billing"
    BUDGET = "budget"
    CIRCUIT_OPEN = "circuit_open"
    WRONG_SCOPE = "wrong_scope"
    CERTIFICATE = "certificate"
    INVALID_CONTEXT = "invalid_context"
    SAFETY = "safety"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CUT_STREAM = "cut_stream"
    BAD_ANSWER = "bad_answer"
    PROVIDER = "api_error"
    STORAGE_FULL = "storage_full"
    STORAGE_BUSY = "storage_busy"
    STORAGE = "storage"
    INTERRUPTED = "interrupted"
    INTERNAL = "internal"


# kind -> (error_type of the documented REST error object, HTTP status); the types are those of
# the AIHub REST document, statuses 400/401/403/404/429/500.
_DOCUMENTED: dict[ErrorKind, tuple[str, int]] = {
    ErrorKind.VALIDATION: ("validation", 400),
    ErrorKind.NOT_FOUND: ("not_found", 404),
    ErrorKind.UNAUTHORIZED: ("unauthorized", 401),
    ErrorKind.FORBIDDEN: ("forbidden", 403),
    ErrorKind.NO_KEY: ("api_key_not_found", 400),
    ErrorKind.WRONG_KEY: ("api_error", 400),
    ErrorKind.UNKNOWN_MODEL: ("validation", 400),
    ErrorKind.RATE_LIMIT: ("rate_limit", 429),
    ErrorKind.BILLING: ("billing", 400),
    ErrorKind.BUDGET: ("billing", 400),
    ErrorKind.WRONG_SCOPE: ("api_error", 400),
    ErrorKind.INVALID_CONTEXT: ("invalid_context", 400),
}


class AppError(Exception):
    """A failure with its kind and an English message template, translated where it is shown.

    `message` holds `{name}` fields filled from `params`. Neither may carry a secret: adapters
    scrub what a provider says before it comes here.
    """

    def __init__(self, kind: ErrorKind, message: str, /, **params: str | int) -> None:
        super().__init__(kind, message, params)
        self.kind = kind
        self.message = message
        self.params = params

    @property
    def error_type(self) -> str:
        """`error_type` of the documented REST error object."""
        return _DOCUMENTED.get(self.kind, ("api_error", 500))[0]

    @property
    def status(self) -> int:
        """HTTP status a REST surface answers with."""
        return _DOCUMENTED.get(self.kind, ("api_error", 500))[1]

    def text(self, language: str = DEFAULT_LANGUAGE) -> str:
        """The sentence to show, in `language`."""
        return translate(language, self.message, **self.params)

    def __str__(self) -> str:
        return self.text()
