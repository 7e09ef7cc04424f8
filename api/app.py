"""The REST application: every surface, beside the pages."""

from fastapi import FastAPI

from api import service
from api.body_limit import BodyLimit
from api.errors import add_error_handlers
from api.etag import ETags
from api.methods import Methods
from api.openapi import DescribedAPI, operation_id
from api.request_counts import CountsRequests, RequestCounts
from api.routes import ROUTERS
from api.surfaces import WithoutSlash, WithRequestId


def create_api() -> FastAPI:
    """The application with its routes and the documented error shapes; paths are whole."""
    # FastAPI's own documentation pages load their scripts from another host; ours never do.
    api = DescribedAPI(
        title="AIHub",
        version=service.VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    for router in ROUTERS:
        api.include_router(router)
    add_error_handlers(api)
    # The last one is the outermost.
    api.state.counts = RequestCounts()
    api.add_middleware(ETags)
    # An included router shows its routes to nobody but the framework.
    routes = [*api.routes, *(route for router in ROUTERS for route in router.routes)]
    api.add_middleware(Methods, routes=routes)
    api.add_middleware(CountsRequests, counts=api.state.counts)
    for middleware in (BodyLimit, WithoutSlash, WithRequestId):
        api.add_middleware(middleware)
    return api
