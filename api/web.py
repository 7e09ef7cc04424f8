"""The few pages that are no Streamlit pages: their templates, and the files they load, all from this host."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.types import Scope

from api.errors import language_of
from core.config import PROJECT_DIR
from core.errors import AppError
from core.i18n import pick_language, translate

HERE = Path(__file__).parent
_KINDS = {".css": "text/css", ".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
_FOLDERS = (HERE / "assets", PROJECT_DIR / "static", PROJECT_DIR / "static" / "fonts")
# Listed once: what is asked for by name is looked up here, so that no name can leave the folders.
_FILES = {file.name: file for folder in _FOLDERS for file in folder.iterdir() if file.suffix in _KINDS}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

router = APIRouter(include_in_schema=False)


@router.get("/api/assets/{name}")
def asset(name: str) -> FileResponse:
    """A stylesheet, script, font or picture of these pages."""
    file = _FILES.get(name)
    if file is None:
        raise HTTPException(404)
    return FileResponse(
        file, media_type=_KINDS[file.suffix], headers={"Cache-Control": "public, max-age=3600"}
    )


def reader_language(request: Request, configured: str | None = None) -> str:
    """The language of a page: `?lang`, else the `configured` one, else the first of the browser's that we speak."""
    wanted = request.query_params.get("lang") or configured
    return pick_language(wanted) if wanted else language_of(request.scope)


def sentence(
    scope: Scope, message: str | AppError, status: int, configured: str | None = None
) -> PlainTextResponse:
    """All that somebody gets who is let near no page: one sentence, in the language that a page would have."""
    language = reader_language(Request(scope), configured)
    text = message.text(language) if isinstance(message, AppError) else translate(language, message)
    return PlainTextResponse(text, status, headers={"Cache-Control": "no-store"})


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page of a template, which nobody may frame and no cache may keep."""
    text = _environment().get_template(template).render(values)
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(text, status, headers=headers)


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
