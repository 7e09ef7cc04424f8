"""What the bodies of this surface are made of, cleaned as it is stored, so that what is wrong has its field."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from core.chat.wording import MAX_MESSAGE_CHARS, MAX_TITLE_CHARS
from core.generation.sampling import HOTTEST, MOST_TOKENS
from core.store.text import storable


def _one_line(value: Any) -> Any:
    return " ".join(storable(value).split()) if isinstance(value, str) else value


def _trimmed(value: Any) -> Any:
    return storable(value).strip() if isinstance(value, str) else value


def _of_user(value: Any) -> Any:
    if value != "user":
        raise PydanticCustomError("message_role", "not a role that may be sent")
    return value


Title = Annotated[
    str,
    Field(min_length=1, max_length=MAX_TITLE_CHARS, examples=["Обсуждение машинного обучения"]),
    BeforeValidator(_one_line),
]
Text = Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE_CHARS), BeforeValidator(_trimmed)]
UserRole = Annotated[Literal["user"], BeforeValidator(_of_user)]
"""The answers are the model's to write."""

MaxTokens = Annotated[int, Field(ge=1, le=MOST_TOKENS, examples=[1000])]
Temperature = Annotated[float, Field(ge=0, le=HOTTEST, examples=[0.7])]
