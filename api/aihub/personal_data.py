"""/api/users/me: taking one's own data away, and deleting it."""

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from api.cookies import forget_session
from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Body
from core.accounts.types import Scope

router = APIRouter(
    prefix="/api/users/me", tags=["users"], responses=ERRORS, dependencies=[needs(Scope.ACCOUNT)]
)

_PIECE = 2**16
_KINDS = {"json": "application/json", "zip": "application/zip"}
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A file: one JSON object with a list a kind of thing, or a zip of JSON lines.",
        "content": {
            "application/json": {
                "schema": {"type": "object", "additionalProperties": {"type": "array", "items": {}}}
            },
            "application/zip": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


class Confirmation(Body):
    password: Annotated[str, Field(min_length=1, max_length=1_000, repr=False, examples=["strong_password"])]


@router.get("/export", response_class=StreamingResponse, responses=_FILES)
def export_me(
    hub: Hub,
    caller: Caller,
    kind: Annotated[Literal["json", "zip"], Query(alias="format")] = "json",
) -> StreamingResponse:
    """Everything that AIHub keeps of the caller, without secrets. Money is in whole nano-units."""
    file: BinaryIO = TemporaryFile()  # noqa: SIM115 - closed at the end of the answer
    try:
        write = hub.personal_data.export_json if kind == "json" else hub.personal_data.export
        write(caller.account.id, file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="aihub-data.{kind}"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(_pieces(file), media_type=_KINDS[kind], headers=headers)


@router.delete("", status_code=204)
def delete_me(response: Response, hub: Hub, caller: Caller, body: Confirmation) -> None:
    """Delete the account and everything of it, for good. The ledger keeps its figures under a number of nobody."""
    hub.personal_data.delete(caller.account.id, body.password)
    forget_session(response)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece
