"""What went wrong, in the shape, the statuses and the codes that clients of OpenAI know."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.field_errors import field_texts
from core.errors import AppError, ErrorKind

_STATUSES = {
    ErrorKind.UNKNOWN_MODEL: 404,
    ErrorKind.BILLING: 429,
    ErrorKind.BUDGET: 429,
    ErrorKind.SAFETY: 400,
    ErrorKind.CIRCUIT_OPEN: 503,
    ErrorKind.INTERRUPTED: 503,
    ErrorKind.STORAGE_BUSY: 503,
    ErrorKind.UNREACHABLE: 502,
    ErrorKind.CERTIFICATE: 502,
    ErrorKind.CUT_STREAM: 502,
    ErrorKind.BAD_ANSWER: 502,
    ErrorKind.PROVIDER: 502,
    ErrorKind.TIMEOUT: 504,
}
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}
_CODES = {
    ErrorKind.VALIDATION: "invalid_value",
    ErrorKind.UNAUTHORIZED: "invalid_api_key",
    ErrorKind.FORBIDDEN: "insufficient_permissions",
    ErrorKind.UNKNOWN_MODEL: "model_not_found",
    ErrorKind.RATE_LIMIT: "rate_limit_exceeded",
    ErrorKind.BILLING: "insufficient_quota",
    ErrorKind.BUDGET: "insufficient_quota",
    ErrorKind.INVALID_CONTEXT: "context_length_exceeded",
    ErrorKind.SAFETY: "content_filter",
}
# Of what pydantic calls a mistake, the two that clients tell apart.
_MISSING = {"missing", "union_tag_not_found"}
_OF_TYPE = ("_type", "_parsing", "_from_float")

_BODY = "body"  # in the place of a field, when the body itself is wrong


def status_of(error: AppError) -> int:
    """The HTTP status. What a client should ask again, as the SDK does by itself, is 429 or from 500 on."""
    said = error.params.get("status")
    if error.kind is ErrorKind.PROVIDER and isinstance(said, int) and 400 <= said < 500:
        return 400  # the provider does not take this request, however often it comes
    return _STATUSES.get(error.kind, error.status)


def error_body(error: AppError, text: str, status: int) -> dict[str, Any]:
    """OpenAI's error object around `text`. The parameter `param` of the error names the field."""
    quota = error.kind in (ErrorKind.BILLING, ErrorKind.BUDGET)
    return _body(
        text,
        "insufficient_quota" if quota else _TYPES.get(status, "api_error"),
        _CODES.get(error.kind, error.error_type),
        error.params.get("param"),
    )


def fields_body(details: Sequence[Mapping[str, Any]], language: str) -> dict[str, Any]:
    """OpenAI's error object for fields that are wrong (`details` as pydantic gives them): the first is `param`."""
    named = [{**detail, "loc": (param_of(detail),)} for detail in details]
    texts = field_texts(named, language)
    message = " ".join(f"{param}: {' '.join(each)}" for param, each in texts.items())
    param, mistake = named[0]["loc"][0], str(details[0]["type"])
    return _body(message, _TYPES[400], _code_of(mistake), None if param == _BODY else param)


def param_of(detail: Mapping[str, Any]) -> str:
    """The field of a mistake: `("messages", 0, "user", "content")` as `messages[0].content`; "body" for none."""
    mistake = str(detail["type"])
    if mistake == "json_invalid":
        return _BODY
    steps = [*_steps(detail["loc"])]
    if mistake.startswith("union_tag_"):
        steps.append("." + str(detail["ctx"]["discriminator"]).strip("'"))
    return "".join(steps).removeprefix(".") or _BODY


def _steps(location: Sequence[str | int]) -> Iterator[str]:
    path = location[1:] if location[:1] == ("body",) else location
    for at, step in enumerate(path):
        if isinstance(step, int):
            yield f"[{step}]"
        elif not _is_tag(path, at):
            yield f".{step}"


def _is_tag(path: Sequence[str | int], at: int) -> bool:
    """Whether a step says which kind of message, part or format was read, and is no field of the request."""
    if at >= 2 and isinstance(path[at - 1], int):
        return path[at - 2] in ("messages", "content")
    return at == 1 and path[0] == "response_format"


def _code_of(mistake: str) -> str:
    if mistake in _MISSING:
        return "missing_required_parameter"
    return "invalid_type" if mistake.endswith(_OF_TYPE) else "invalid_value"


def _body(message: str, kind: str, code: str | None, param: object) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
