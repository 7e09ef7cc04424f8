"""The reference at /api/docs, drawn from the OpenAPI document."""

from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.identity import Hub
from api.reference_entries import chapters
from api.reference_words import words
from api.service import VERSION
from api.web import page, reader_language
from core.i18n import LANGUAGES, translate

router = APIRouter(include_in_schema=False)


@router.get("/api/docs")
def reference(request: Request, hub: Hub) -> HTMLResponse:
    """The page; it loads nothing from another host, and can be used without a script."""
    language = reader_language(request, hub.settings.language)
    base = f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}"
    return page(
        "reference.html",
        words=words(language),
        language=language,
        languages=LANGUAGES,
        version=VERSION,
        base=base,
        chapters=chapters(request.app.openapi(), base, partial(translate, language)),
    )
