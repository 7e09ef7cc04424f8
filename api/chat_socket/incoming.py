"""What a client says over a WebSocket."""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from anyio import to_thread
from pydantic import Field, TypeAdapter, ValidationError

from api.field_errors import field_texts
from api.schemas import Body
from core.chat.attachments import NewAttachment
from core.chat.wording import MAX_MESSAGE_CHARS
from core.errors import AppError, ErrorKind
from core.i18n import N_

MOST_MESSAGES = 100
_BIG = 64 * 1024  # characters; parsing more would make all others wait


class Text(Body):
    type: Literal["text"]
    content: Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE_CHARS)]


class File(Body):
    """An image or sound, and what is said about it. Without `data` (base64) the next frame is its bytes."""

    type: Literal["image", "audio"]
    mime_type: Annotated[str, Field(min_length=1, max_length=100)]
    data: str | None = None
    content: Annotated[str, Field(max_length=MAX_MESSAGE_CHARS)] = ""
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None

    def attachment(self, data: bytes) -> NewAttachment:
        """The file with its bytes; AppError(VALIDATION) when it does not say it is of this kind."""
        if self.mime_type.partition("/")[0].strip().lower() != self.type:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("mime_type: a message of the type “{type}” brings {type}/…, such as {example}."),
                type=self.type,
                example="image/png" if self.type == "image" else "audio/wav",
            )
        return NewAttachment(self.name or self.type, self.mime_type.strip(), data)


class Stop(Body):
    type: Literal["stop"]
    message_id: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None


class History(Body):
    type: Literal["history"]
    before_id: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_MESSAGES)] = 50


class Ping(Body):
    type: Literal["ping"]


class Auth(Body):
    type: Literal["auth"]
    token: Annotated[str, Field(min_length=1, max_length=4_096)]


Incoming = Text | File | Stop | History | Ping | Auth

_ANY: TypeAdapter[Incoming] = TypeAdapter(Annotated[Incoming, Field(discriminator="type")])
_TYPES = "text, image, audio, stop, history, ping"


async def read_message(text: str, language: str) -> Incoming:
    """A message from its frame; AppError(VALIDATION) says what is wrong with it, in `language`."""
    try:
        if len(text) > _BIG:
            return await to_thread.run_sync(_ANY.validate_json, text)
        return _ANY.validate_json(text)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    raise _refusal(details[0], language)


async def read_data(data: str) -> bytes:
    """The bytes behind base64; AppError(VALIDATION)."""
    try:
        if len(data) > _BIG:
            return await to_thread.run_sync(lambda: base64.b64decode(data, validate=True))
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        # `from None`: the error quotes what was sent.
        raise AppError(
            ErrorKind.VALIDATION, N_("data: this is no base64. Send the file's bytes in standard base64.")
        ) from None


def _refusal(detail: Mapping[str, Any], language: str) -> AppError:
    if str(detail["type"]).startswith("union_tag"):
        return AppError(
            ErrorKind.VALIDATION,
            N_("There is no message of this type. A message is an object with one of these: {types}."),
            types=_TYPES,
        )
    # Below the type's name lie its fields.
    inner = [{**detail, "loc": detail["loc"][1:]}]
    named = " ".join(f"{field}: {' '.join(each)}" for field, each in field_texts(inner, language).items())
    return AppError(ErrorKind.VALIDATION, "{reason}", reason=named)
