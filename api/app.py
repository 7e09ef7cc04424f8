"""The REST application: mounted under /api beside the pages."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core.errors import AppError, ErrorKind
from core.i18n import N_, pick_language
from core.services import current

VERSION = "0.1.0"


def create_api() -> FastAPI:
    """The application with its routes and the documented error object."""
    # FastAPI's own documentation pages load their scripts from another host; ours never do.
    api = FastAPI(title="AIHub", version=VERSION, docs_url=None, redoc_url=None)
    api.add_api_route("/health", health, methods=["GET"])
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(AppError, _app_error)
    return api


def health() -> dict[str, str]:
    """`{"status": "ok", "version": …, "database": "sqlite" | "postgresql"}` once everything is up."""
    return {"status": "ok", "version": VERSION, "database": current().unit.dialect}


def _app_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    language = pick_language(*request.headers.get("accept-language", "").replace(";", ",").split(","))
    body = {"error": True, "error_message": error.text(language), "error_type": error.error_type}
    return JSONResponse(body, status_code=error.status)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _app_error(request, AppError(ErrorKind.NOT_FOUND, N_("There is nothing at this address.")))
    body = {"error": True, "error_message": str(error.detail), "error_type": "validation"}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)
