"""Serving: the API mounted beside the pages, opened and closed with the process, and never too openly."""

import gc
import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from threading import Thread
from typing import Any

from anyio import to_thread
from pydantic import ValidationError
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from api.app import create_api
from api.chat_socket.limits import MAX_FRAME
from api.guard import LocalOnly, OfflinePages, is_loopback
from api.hosts import AllowedHosts, SameOrigin
from api.pages_gate import SignedInOnly
from api.surfaces import Surfaces
from core.config import Settings
from core.errors import AppError
from core.logs import configure_logging
from core.services import current, shutdown

_logger = logging.getLogger(__name__)

TOO_OPEN = (
    "AIHub was not started: {host} can be reached from other machines, and no sign-in is configured "
    "(AIHUB_AUTH=local). Set AIHUB_HOST=127.0.0.1 to use it on this machine, or AIHUB_AUTH=password to have "
    "everybody sign in."
)
NO_SIGN_IN_YET = (
    "AIHub was not started: AIHUB_AUTH={auth} is not available in this version. "
    "Set AIHUB_AUTH=password (everybody signs in) or AIHUB_AUTH=local (this machine only)."
)

api = create_api()


def front_door(app: ASGIApp) -> ASGIApp:
    """Who is let near at all: this machine only, or with a sign-in whoever calls the hub by a name of its own."""
    settings = _settings()
    if settings.auth == "local":
        return LocalOnly(app, settings.language)
    return AllowedHosts(app, {settings.host, *settings.host_names}, settings.language)


def gate(app: ASGIApp, farewell: bytes) -> ASGIApp:
    """What the pages ask of whoever wants to see them: nothing on this machine, else a session."""
    settings = _settings()
    return app if settings.auth == "local" else SignedInOnly(app, farewell, settings.language)


def middleware(farewell: bytes) -> list[Middleware]:
    """What stands in front of the pages, the outermost first. `farewell`: see SignedInOnly."""
    return [
        Middleware(front_door),
        Middleware(OfflinePages),
        Middleware(SameOrigin),
        Middleware(Surfaces, api=api),
        Middleware(gate, farewell=farewell),
    ]


def refuse_to_serve_openly(host: str | None) -> None:
    """End the process with a sentence when `host` (None = every interface) lets others in without sign-in."""
    settings = _settings()
    if settings.auth == "oidc":
        sys.exit(NO_SIGN_IN_YET.format(auth=settings.auth))
    if host is not None and is_loopback(host):
        return
    if settings.auth == "local":
        sys.exit(TOO_OPEN.format(host=host or "every interface"))
    _logger.warning(
        "AIHub can be reached from other machines: put a proxy with https in front of it, or passwords travel as "
        "they are"
    )


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncGenerator[None]:
    """Open the services before the first request, close them after the last."""
    configure_logging(_settings())
    # Streamlit sets up its server's logging after us, and writes a line for every file a page loads.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    services = await to_thread.run_sync(current)
    # Price tables and SDKs take a good part of a second to import: not on somebody's first message.
    Thread(target=services.prices.warm, daemon=True, name="warm-up").start()
    # What is loaded by now stays: a full collection need not walk through it again on somebody's page.
    gc.collect()
    gc.freeze()
    # Hardly anything here is garbage in a circle: to look for it at every 700th object took an eighth of a call.
    gc.set_threshold(20_000, 20, 50)
    async with api.router.lifespan_context(api):
        yield
    await to_thread.run_sync(shutdown)


def serve(app: ASGIApp) -> None:
    """Run the whole hub with uvicorn where the settings say; the body of `python Home.py`."""
    import uvicorn

    settings = _settings()
    refuse_to_serve_openly(settings.host)
    configure_logging(settings)
    _open_or_say_why()
    _logger.info("AIHub on http://%s:%s", settings.host, settings.port)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME,
        # As Streamlit's own server does by default: to compress a rerun takes an eighth of its time.
        ws_per_message_deflate=False,
    )


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        # Values are left out: one of them may be a key.
        reasons = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        sys.exit(f"AIHub was not started: a setting is wrong ({reasons}).")


def _open_or_say_why() -> None:
    try:
        current()
    except AppError as error:
        sys.exit(f"AIHub was not started: {error}")
    except (OSError, ValueError) as error:
        sys.exit(f"AIHub was not started: {error}")
