"""What chat clients want to know of a message, on whichever surface they ask."""

from typing import Literal

from core.chat.types import Message

MessageType = Literal["text", "image", "audio"]


def type_of(message: Message) -> MessageType:
    """The kind of its first picture or sound; text without any."""
    for file in message.attachments:
        if file.mime_type.startswith("image/"):
            return "image"
        if file.mime_type.startswith("audio/"):
            return "audio"
    return "text"


def seconds_of(message: Message) -> float | None:
    """How long an answer took; None for what no model said."""
    return None if message.latency_ms is None else message.latency_ms / 1000
