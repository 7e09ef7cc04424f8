"""What the schemas of all surfaces share."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, PlainSerializer

from core.store.paging import MOST_ROWS


def _naive_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Moment = Annotated[datetime, PlainSerializer(_naive_utc, return_type=str)]
"""AIHub's: UTC with microseconds and no zone."""

ZuluMoment = Annotated[datetime, PlainSerializer(_zulu, return_type=str)]
"""The Gemini app's: UTC to the second, ending in Z."""

Skip = Annotated[int, Query(ge=0, le=2**31 - 1, description="How many to leave out from the start.")]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="How many to return at most.")]


Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""The number of a thing in the path."""


class Body(BaseModel):
    """What a caller sends. Unknown fields are ignored, as the documents' own clients send some."""

    model_config = ConfigDict(str_strip_whitespace=False, allow_inf_nan=False)


class Answer(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(from_attributes=True)


class ErrorAnswer(BaseModel):
    """The documented error object of AIHub."""

    error: bool = True
    error_message: str
    error_type: str


ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": text}
    for status, text in {
        400: "The request cannot be taken as it is.",
        401: "Nobody is signed in.",
        403: "Not allowed.",
        404: "Not found, or not the caller's.",
        413: "Too large.",
        429: "Too many requests.",
        500: "An error of AIHub or of the provider.",
    }.items()
}
"""For the `responses` of every router of AIHub."""
