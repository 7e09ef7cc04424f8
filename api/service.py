"""/api/health: whether the hub is up, alive and ready. Nothing here asks who is asking, and nothing is slow."""

from typing import Annotated, Literal

import anyio
from anyio import to_thread
from fastapi import APIRouter, Response
from pydantic import Field

from api.schemas import Answer
from core.errors import AppError
from core.services import current

VERSION = "0.1.0"
READY_WITHIN = 2.0
"""Seconds the database has for its answer."""

Lack = Literal["database", "database_timeout", "closing"]

router = APIRouter(prefix="/api/health", tags=["service"])
# A database that hangs costs this many threads, however often a load balancer asks.
_looks = anyio.CapacityLimiter(2)


class Health(Answer):
    status: Annotated[Literal["ok"], Field(examples=["ok"])] = "ok"
    version: Annotated[str, Field(examples=[VERSION])] = VERSION
    database: Annotated[str, Field(examples=["sqlite"], description="sqlite or postgresql")]


class Alive(Answer):
    status: Literal["ok"] = "ok"


class NotReady(Answer):
    """What it lacks: the database answers with an error or not in time, or the process is about to end."""

    status: Annotated[Literal["unavailable"], Field(examples=["unavailable"])] = "unavailable"
    reason: Annotated[Lack, Field(examples=["database_timeout"])]


@router.get("")
def health(response: Response) -> Health:
    """Say that everything has started, with the version and the kind of database."""
    response.headers["Cache-Control"] = "no-store"
    return Health(database=current().unit.dialect)


@router.get("/live")
async def is_alive(response: Response) -> Alive:
    """Say that the process answers. Nothing else is looked at, so restart it only when this fails."""
    response.headers["Cache-Control"] = "no-store"
    return Alive()


@router.get("/ready", responses={503: {"model": NotReady, "description": "Send no requests just now."}})
async def is_ready(response: Response) -> Alive | NotReady:
    """Say whether requests can be served now. The database must answer within two seconds."""
    response.headers["Cache-Control"] = "no-store"
    reason = await _lacks()
    if reason is None:
        return Alive()
    response.status_code = 503
    return NotReady(reason=reason)


async def _lacks() -> Lack | None:
    with anyio.move_on_after(READY_WITHIN) as waited:
        return await to_thread.run_sync(_look, abandon_on_cancel=True, limiter=_looks)
    assert waited.cancelled_caught
    return "database_timeout"


def _look() -> Lack | None:
    services = current()
    if services.generation.is_closing:
        return "closing"
    try:
        services.unit.ping()
    except AppError:
        return "database"
    return None
