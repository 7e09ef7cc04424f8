"""What is checked of every request before an adapter sees it, and how a text file joins a message."""

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.content import Attachment, MediaKind
from core.providers.embedding import EmbeddingRequest
from core.providers.types import MEDIA, Capability, CompletionRequest, ProviderInfo

MOST_BYTES = 20 * 1024 * 1024
"""Of all attachments of a request together. Providers take about this much inside a request."""


def check_request(info: ProviderInfo, request: CompletionRequest) -> None:
    """AppError(VALIDATION) when `info`'s provider could not give the answer that `request` asks for."""
    attachments = [attachment for message in request.messages for attachment in message.attachments]
    for attachment in attachments:
        _check_attachment(info, attachment)
    if sum(len(attachment.data or b"") for attachment in attachments) > MOST_BYTES:
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "The files of this conversation are larger than {limit} MB together. Send smaller or fewer files."
            ),
            limit=MOST_BYTES // 1024**2,
        )
    if request.tools and Capability.TOOLS not in info.capabilities:
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "{provider} cannot call functions. Pick another model, or take the functions out of the request."
            ),
            provider=info.label,
        )
    if request.response_schema is not None and Capability.STRUCTURED_OUTPUT not in info.capabilities:
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "{provider} cannot answer by a schema. Pick another model, or take the schema out of the request."
            ),
            provider=info.label,
        )


def check_embedding(info: ProviderInfo, request: EmbeddingRequest) -> None:
    """AppError(VALIDATION) when `info`'s provider could not make the embeddings that `request` asks for."""
    if Capability.EMBEDDINGS not in info.capabilities:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("{provider} makes no embeddings. Pick a model of another provider."),
            provider=info.label,
        )
    if Capability.EMBEDDING_TOKEN_IDS not in info.capabilities and not all(
        isinstance(each, str) for each in request.inputs
    ):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("{provider} takes no token ids. Send the input as text."),
            provider=info.label,
        )
    if Capability.EMBEDDING_DIMENSIONS not in info.capabilities and request.dimensions is not None:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("{provider} makes embeddings of one length only. Leave out `dimensions`."),
            provider=info.label,
        )


def file_as_text(attachment: Attachment) -> str:
    """A text file as a part of a message: its name, then its content."""
    content = (attachment.data or b"").decode("utf-8-sig", "replace")
    return f"{attachment.name or attachment.mime_type}:\n{content}"


def _check_attachment(info: ProviderInfo, attachment: Attachment) -> None:
    kind = attachment.kind
    sendable = kind is MediaKind.TEXT or (kind is not None and MEDIA[kind] in info.capabilities)
    by_uri = attachment.data is None
    if by_uri:
        sendable = sendable and Capability.FILE_URIS in info.capabilities
    elif not attachment.data:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The file “{name}” is empty. Choose another one."),
            name=(attachment.name or attachment.mime_type)[:100],
        )
    if not sendable:
        message = (
            N_("{provider} takes no files by their address. Attach the file itself, or pick another model.")
            if by_uri and kind is not None
            else N_(
                "{provider} takes no files of the type {type}. Send another kind of file, or pick another model."
            )
        )
        raise AppError(
            ErrorKind.VALIDATION, message, provider=info.label, type=attachment.mime_type[:100] or "unknown"
        )
