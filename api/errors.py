"""Errors as each surface documents them, in the caller's language."""

import logging
from collections.abc import Sequence
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Scope

from api.field_errors import field_texts, missing_fields
from api.openai_front import refusals
from api.surfaces import REQUEST_ID, Surface, surface_of
from core.errors import AppError, ErrorKind
from core.i18n import DEFAULT_LANGUAGE, N_, pick_language

_logger = logging.getLogger(__name__)

_OF_STATUS = {
    401: ErrorKind.UNAUTHORIZED,
    403: ErrorKind.FORBIDDEN,
    404: ErrorKind.NOT_FOUND,
    429: ErrorKind.RATE_LIMIT,
}
_OF_SESSIONS = (Surface.GEMINI_APP, Surface.GEMINI_ACTION)


def add_error_handlers(api: FastAPI) -> None:
    """Turn everything that can go wrong into the documented shapes."""
    api.add_exception_handler(AppError, _app_error)
    api.add_exception_handler(RequestValidationError, _validation_error)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(Exception, _unexpected)


def language_of(scope: Scope) -> str:
    """The language to answer in: the first of Accept-Language that AIHub speaks."""
    wanted = Headers(scope=scope).get("accept-language", "")
    return pick_language(*(part.partition(";")[0].strip() for part in wanted.split(",")))


def refusal(scope: Scope, error: AppError, status: int | None = None) -> JSONResponse:
    """`error` as the surface of the request says it; `status` when it is not the error's own."""
    surface = surface_of(scope["path"])
    if status is None:
        status = refusals.status_of(error) if surface is Surface.OPENAI else error.status
    text = error.text(language_of(scope))
    return JSONResponse(_body(surface, error, text, status), status, headers=_headers(surface, error, status))


def _body(surface: Surface, error: AppError, text: str, status: int) -> dict[str, Any]:
    if surface is Surface.OPENAI:
        return refusals.error_body(error, text, status)
    if surface is Surface.GEMINI_ACTION and status != 401:
        return {"success": False, "error": text}
    if surface in _OF_SESSIONS:
        return {"detail": text}
    return error_object(error, text=text)


def error_object(
    error: AppError, language: str = DEFAULT_LANGUAGE, text: str | None = None
) -> dict[str, Any]:
    """The documented error object of AIHub, for what is no HTTP answer; `text` when it is translated already."""
    text = error.text(language) if text is None else text
    return {"error": True, "error_message": text, "error_type": error.error_type}


def _headers(surface: Surface, error: AppError, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Session" if surface in _OF_SESSIONS else "Bearer"
    seconds = error.params.get("seconds")
    if status in (429, 503) and seconds is not None:
        headers["Retry-After"] = str(seconds)
    return headers


def _app_error(request: Request, error: Exception) -> JSONResponse:
    return refusal(request.scope, cast("AppError", error))


def _validation_error(request: Request, error: Exception) -> JSONResponse:
    details = cast("Sequence[dict[str, Any]]", cast("RequestValidationError", error).errors())
    surface, language = surface_of(request.scope["path"]), language_of(request.scope)
    if surface is Surface.OPENAI:
        return JSONResponse(refusals.fields_body(details, language), 400)
    texts = field_texts(details, language)
    if surface is Surface.GEMINI_APP:
        return JSONResponse(texts, 400)
    named = " ".join(f"{field}: {' '.join(each)}" for field, each in texts.items())
    error = AppError(ErrorKind.VALIDATION, "{reason}", reason=named)
    if surface is Surface.GEMINI_ACTION:
        error = _wrong_parameters(missing_fields(details), named)
    return refusal(request.scope, error, 400)


def _wrong_parameters(missing: Sequence[str], named: str) -> AppError:
    if missing:
        message = N_("Invalid request parameters: missing {fields}")
        return AppError(ErrorKind.VALIDATION, message, fields=", ".join(missing))
    return AppError(ErrorKind.VALIDATION, N_("Invalid request parameters: {reason}"), reason=named)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    status = cast("HTTPException", error).status_code
    kind = _OF_STATUS.get(status, ErrorKind.VALIDATION if status < 500 else ErrorKind.INTERNAL)
    message = {
        404: N_("There is nothing at this address."),
        405: N_("This address does not take this method."),
    }.get(status, N_("The request cannot be understood. Check it against the documentation."))
    answer = refusal(request.scope, AppError(kind, message), status)
    answer.headers.update(cast("HTTPException", error).headers or {})
    return answer


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # The server logs the traceback too, but not the id that the caller learns.
    request_id = str(request.scope.get("state", {}).get("request_id", ""))
    _logger.error("%s %r (%s) failed", request.method, request.scope["path"], request_id, exc_info=error)
    message = N_("AIHub met an error of its own. The log says more under {id}.")
    answer = refusal(request.scope, AppError(ErrorKind.INTERNAL, message, id=request_id))
    # This one is answered in front of every middleware of ours.
    answer.headers[REQUEST_ID] = request_id
    return answer
