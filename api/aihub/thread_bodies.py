"""What programs send to make a thread and to speak in it."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, Field

from api.schemas import Body
from core.chat.types import NewThread, SendOptions, ThreadName
from core.chat.wording import MAX_MESSAGE_CHARS, MAX_TITLE_CHARS
from core.generation.model_names import MOST_NAME_CHARS
from core.generation.sampling import HOTTEST, MOST_PROMPT_CHARS, MOST_TOKENS
from core.generation.types import DEADLINE_SECONDS
from core.usage.types import Source

# Strict where JSON has a type of its own: `true` is no number, and "1" is none either.
Flag = Annotated[bool, Field(strict=True)]
Title = Annotated[
    str,
    Field(min_length=1, max_length=MAX_TITLE_CHARS, examples=["Анализ данных о продажах за 2023 год"]),
]
ProviderName = Annotated[str, Field(min_length=1, max_length=64, examples=["openai"])]
ModelName = Annotated[str, Field(min_length=1, max_length=MOST_NAME_CHARS, examples=["gpt-4o"])]
CategoryId = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1, examples=[3])]
Text = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_MESSAGE_CHARS,
        examples=["Как выявить и визуализировать сезонные тренды в данных о продажах?"],
    ),
]
SystemPrompt = Annotated[str, Field(max_length=MOST_PROMPT_CHARS, examples=["Ты эксперт по анализу данных"])]
MaxTokens = Annotated[int, Field(strict=True, ge=1, le=MOST_TOKENS, examples=[2000])]
Temperature = Annotated[float, Field(strict=True, ge=0, le=HOTTEST, examples=[0.8])]


def _number_or_uuid(name: ThreadName) -> ThreadName:
    # What stands in an address is a text, and a uuid has more digits than any id.
    if isinstance(name, str) and name.isascii() and name.isdecimal() and len(name) <= _MOST_DIGITS:
        return int(name)
    return name


_MOST_DIGITS = 19
ThreadPath = Annotated[
    Annotated[int, Field(ge=0, le=2**63 - 1)] | Annotated[str, Field(min_length=1, max_length=64)],
    Path(description="The thread's id, or its uuid.", examples=[53]),
    AfterValidator(_number_or_uuid),
]


UseContext = Annotated[bool, Query(description="Whether the messages before go along.")]


class NewThreadBody(Body):
    """A thread to make. Without a title it is named after its first message.

    `max_tokens`, `temperature` and `system_prompt` are kept with the thread and stand for all its answers.
    """

    title: Title | None = None
    provider: ProviderName
    model: ModelName
    category_id: CategoryId | None = None
    is_pinned: Flag = False
    is_archived: Flag = False
    initial_message: Text | None = None
    system_prompt: SystemPrompt | None = None
    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None

    def draft(self) -> NewThread:
        """The thread as the services take it."""
        return NewThread(**self.model_dump())


class SendBody(Body):
    """A message to send. What is left out is the thread's, else the user's preference, else the provider's."""

    content: Text
    system_prompt: SystemPrompt | None = None
    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None

    def options(self, use_context: bool = True, seconds: float = DEADLINE_SECONDS) -> SendOptions:
        """How it is sent. `seconds`: how long the answer may take."""
        return SendOptions(
            use_context=use_context,
            system_prompt=self.system_prompt,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            deadline_seconds=seconds,
            source=Source.API,
        )
