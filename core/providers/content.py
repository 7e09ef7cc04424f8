"""What a message and a request can carry besides text, in no provider's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

JsonObject = Mapping[str, Any]
"""A parsed JSON object. Never changed once it is part of a request."""


class MediaKind(StrEnum):
    """What an attachment is to a model."""

    IMAGE = "image"
    DOCUMENT = "document"  # PDF
    AUDIO = "audio"
    VIDEO = "video"
    TEXT = "text"


_KINDS = {
    "image": MediaKind.IMAGE,
    "audio": MediaKind.AUDIO,
    "video": MediaKind.VIDEO,
    "text": MediaKind.TEXT,
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside the text of a message: its bytes (`data`), or where the provider can fetch it (`uri`).

    Exactly one of the two is set. `start_seconds` and `end_seconds` clip a video.
    """

    mime_type: str
    data: bytes | None = field(default=None, repr=False)
    uri: str | None = None
    name: str = ""
    start_seconds: float | None = None
    end_seconds: float | None = None

    @property
    def kind(self) -> MediaKind | None:
        """None for a type that no provider takes."""
        if self.mime_type == "application/pdf":
            return MediaKind.DOCUMENT
        return _KINDS.get(self.mime_type.partition("/")[0])


@dataclass(frozen=True, slots=True)
class FunctionDeclaration:
    """A function that a model may ask to be called. `parameters` is a JSON schema of an object."""

    name: str
    description: str = ""
    parameters: JsonObject = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model asks for a function. `arguments` is parsed JSON; `id` is the provider's (made up where it has none).

    `signature`: what the provider wants back with the result, opaque (Gemini's thought signature).
    """

    id: str
    name: str
    arguments: JsonObject
    signature: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a function answered; `content` is text, usually JSON."""

    call_id: str
    name: str
    content: str


@dataclass(frozen=True, slots=True)
class ResponseSchema:
    """The answer is to be JSON of this JSON schema."""

    schema: JsonObject
    name: str = "answer"


ANY_OBJECT: JsonObject = {"type": "object"}
"""The schema of an answer that is to be JSON of any shape; providers have a way of their own to ask for that."""


@dataclass(frozen=True, slots=True)
class SafetySetting:
    """Google's `HarmCategory` and `HarmBlockThreshold`, by their names."""

    category: str
    threshold: str


@dataclass(frozen=True, slots=True)
class GeminiOptions:
    """What only Gemini's request has. `cached_content` is `cachedContents/…`, a prompt prefix kept by Google."""

    safety_settings: tuple[SafetySetting, ...] = ()
    cached_content: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    candidate_count: int | None = None
    response_mime_type: str | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    audio_timestamp: bool | None = None
