"""What crosses the prompt library's door."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from core.categories.types import CategoryInfo
from core.store.paging import ROWS


@dataclass(frozen=True, slots=True)
class PromptInfo:
    """A prompt of the library. `variables` are the names in its content that stand in braces, each once, in order.

    `usage_count`: how often it was filled in to be sent.
    """

    id: int
    user_id: int
    title: str
    content: str
    description: str | None
    category: CategoryInfo | None
    is_favorite: bool
    variables: tuple[str, ...]
    usage_count: int
    last_used_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewPrompt:
    """A prompt to keep."""

    title: str
    content: str
    description: str | None = None
    category_id: int | None = None
    is_favorite: bool = False


class PromptChanges(TypedDict, total=False):
    """What to change of a prompt; what is not named stays, and None takes away."""

    title: str
    content: str
    description: str | None
    category_id: int | None
    is_favorite: bool


@dataclass(frozen=True, slots=True)
class PromptQuery:
    """Which of a user's prompts; None: any. `search` is looked for in title and content, in any letter case."""

    skip: int = 0
    limit: int = ROWS
    category_id: int | None = None
    is_favorite: bool | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class PromptPage:
    """A part of the library, newest first; `total` counts all that match."""

    items: tuple[PromptInfo, ...]
    total: int


@dataclass(frozen=True, slots=True)
class FilledPrompt:
    """A prompt ready to be sent; its title goes along into the ledger (`SendOptions.prompt`)."""

    prompt: PromptInfo
    text: str
