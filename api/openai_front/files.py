"""Pictures, sound and files inside a message, as attachments. Nothing is ever fetched from an address here."""

import binascii
from base64 import b64decode
from mimetypes import guess_type
from urllib.parse import unquote_to_bytes, urlsplit

from api.openai_front.chat_schemas import AudioPart, FilePart, ImagePart
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.content import Attachment

_SOUNDS = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_LONGEST_TYPE = 100
_LONGEST_ADDRESS = 8_000


def attachment_of(part: ImagePart | AudioPart | FilePart, param: str) -> Attachment:
    """The attachment that `part` is, which stands at `param` of the request. AppError(VALIDATION)."""
    if isinstance(part, ImagePart):
        return _image(part.image_url.url, f"{param}.image_url.url")
    if isinstance(part, AudioPart):
        data = _decoded(part.input_audio.data, f"{param}.input_audio.data")
        return Attachment(_SOUNDS[part.input_audio.format], data)
    return _file(part, f"{param}.file")


def _image(url: str, param: str) -> Attachment:
    if url[:5].lower() == "data:":
        return _of_data_url(url, param)
    try:
        path = urlsplit(url).path
    except ValueError:
        path = ""
    if not url.startswith(("https://", "http://", "gs://")) or len(url) > _LONGEST_ADDRESS or not path:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("{param}: A picture is a data URL such as data:image/png;base64,…, or a web address."),
            param=param,
        )
    # Only the provider looks at it, and it wants to be told a type: the name's, else the most common one.
    guessed = guess_type(path)[0] or ""
    return Attachment(guessed if guessed.startswith("image/") else "image/jpeg", uri=url)


def _file(part: FilePart, param: str) -> Attachment:
    content, name = part.file.file_data, part.file.filename or ""
    if not content:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("{param}: AIHub keeps no uploaded files. Send the file itself in file_data, as a data URL."),
            param=f"{param}.{'file_id' if part.file.file_id else 'file_data'}",
        )
    if content[:5].lower() == "data:":
        return _of_data_url(content, f"{param}.file_data", name)
    kind = guess_type(name)[0] or "application/pdf"
    return Attachment(kind, _decoded(content, f"{param}.file_data"), name=name)


def _of_data_url(url: str, param: str, name: str = "") -> Attachment:
    head, comma, content = url[5:].partition(",")
    kind, *options = (each.strip().lower() for each in head.split(";"))
    if not comma or len(kind) > _LONGEST_TYPE:
        raise _not_base64(param)
    # Without a type a data URL is plain text, as its standard has it.
    kind = kind or "text/plain"
    if "base64" in options:
        return Attachment(kind, _decoded(content, param), name=name)
    return Attachment(kind, unquote_to_bytes(content), name=name)


def _decoded(text: str, param: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _not_base64(param) from None


def _not_base64(param: str) -> AppError:
    return AppError(
        ErrorKind.VALIDATION,
        N_("{param}: This is no file in Base64. Send it as a data URL such as data:image/png;base64,…."),
        param=param,
    )
