"""The REST application: every surface, beside the pages."""

from fastapi import FastAPI

from api.aihub import auth, tokens, users
from api.body_limit import BodyLimit
from api.errors import add_error_handlers
from api.surfaces import WithoutSlash, WithRequestId
from core.services import current

VERSION = "0.1.0"
ROUTERS = (auth.router, users.router, tokens.router)


def create_api() -> FastAPI:
    """The application with its routes and the documented error shapes; paths are whole."""
    # FastAPI's own documentation pages load their scripts from another host; ours never do.
    api = FastAPI(
        title="AIHub",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
    )
    api.add_api_route("/api/health", health, methods=["GET"], tags=["service"])
    for router in ROUTERS:
        api.include_router(router)
    add_error_handlers(api)
    for middleware in (BodyLimit, WithoutSlash, WithRequestId):
        api.add_middleware(middleware)
    return api


def health() -> dict[str, str]:
    """`{"status": "ok", "version": …, "database": "sqlite" | "postgresql"}` once everything is up."""
    return {"status": "ok", "version": VERSION, "database": current().unit.dialect}
