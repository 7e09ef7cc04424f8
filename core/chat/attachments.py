"""Files that come with a message: what is taken, checked before anything is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from core.chat.file_types import is_text, kind_of, readable_text, type_of
from core.chat.types import AttachmentInfo
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.content import MediaKind
from core.providers.requests import MOST_BYTES
from core.providers.types import MEDIA, ProviderInfo
from core.store.text import storable

MOST_FILES = 10
MOST_NAME_CHARS = 255
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A file as it was handed in. `mime_type` is what the sender says, which is believed only where neither the
    bytes nor the name tell."""

    name: str
    mime_type: str
    data: bytes = field(repr=False)


def check_attachments(
    files: Sequence[NewAttachment], provider: ProviderInfo, model: str
) -> tuple[NewAttachment, ...]:
    """The files under clean names and their true types; text as UTF-8. AppError(VALIDATION) for the first one
    that is too big, that no model reads, or that `provider` does not take."""
    if len(files) > MOST_FILES:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("There are {count} files; a message takes {limit}. Send the others with the next one."),
            count=len(files),
            limit=MOST_FILES,
        )
    # Sizes first: nothing reads or copies a file that is refused for its size.
    _check_sizes(files)
    found = tuple(_checked(file, provider, model) for file in files)
    _check_sizes(found)  # a text may have grown
    return found


def check_taken(
    files: Sequence[AttachmentInfo] | Sequence[NewAttachment], provider: ProviderInfo, model: str
) -> None:
    """AppError(VALIDATION) for the first file that `provider` does not take."""
    for file in files:
        if not takes(provider, file.mime_type):
            raise AppError(
                ErrorKind.VALIDATION,
                N_(
                    "{provider} ({model}) takes no files of the type {type}, such as “{name}”. "
                    "Pick another model, or send the message without it."
                ),
                provider=provider.label,
                model=model[:100],
                type=file.mime_type,
                name=_short(file.name),
            )


def takes(provider: ProviderInfo, mime_type: str) -> bool:
    """Whether an adapter takes files of a type; text goes to all."""
    kind = kind_of(mime_type)
    return kind is MediaKind.TEXT or (kind is not None and MEDIA[kind] in provider.capabilities)


def _check_sizes(files: Sequence[NewAttachment]) -> None:
    for file in files:
        if not file.data:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("The file “{name}” is empty. Choose another one."),
                name=_short(clean_name(file.name)),
            )
        if len(file.data) > MOST_BYTES:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("“{name}” has {size} MB; a file may have {limit}. Send a smaller one, or a part of it."),
                name=_short(clean_name(file.name)),
                size=_megabytes(len(file.data)),
                limit=MOST_BYTES // _MB,
            )
    total = sum(len(file.data) for file in files)
    if total > MOST_BYTES:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The files have {size} MB together; a message takes {limit}. Send some with the next one."),
            size=_megabytes(total),
            limit=MOST_BYTES // _MB,
        )


def _checked(file: NewAttachment, provider: ProviderInfo, model: str) -> NewAttachment:
    name, data = clean_name(file.name), file.data
    mime_type = type_of(name, file.mime_type, data)
    if mime_type is None:
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "“{name}” is no file that models read. Send an image (PNG, JPEG, WebP, GIF), a PDF, sound, "
                "a video or a text file."
            ),
            name=_short(name),
        )
    if is_text(mime_type):
        text = readable_text(data)
        if not text:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("“{name}” is not text in UTF-8. Save it as UTF-8 and attach it again."),
                name=_short(name),
            )
        data = text
    found = NewAttachment(name, mime_type, data)
    check_taken([found], provider, model)
    return found


def clean_name(name: str) -> str:
    """The name without a path, on one line, with its end kept when it is cut."""
    name = " ".join(storable(name).replace("\\", "/").rsplit("/", 1)[-1].split())
    if len(name) <= MOST_NAME_CHARS:
        return name or "file"
    suffix = PurePosixPath(name).suffix[:20]
    return name[: MOST_NAME_CHARS - len(suffix)] + suffix


def _short(name: str) -> str:
    return name if len(name) <= 80 else name[:79] + "…"


def _megabytes(size: int) -> str:
    # Rounded up, so that what is too much never looks like what is allowed.
    return f"{-(-size * 10 // _MB) / 10:g}"
