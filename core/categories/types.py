"""What crosses the categories' door."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict


@dataclass(frozen=True, slots=True)
class CategoryInfo:
    """A category of a user; `color` is `#RRGGBB`."""

    id: int
    user_id: int
    name: str
    description: str | None
    color: str
    created_at: datetime
    updated_at: datetime


class CategoryChanges(TypedDict, total=False):
    """What to change of a category; what is not named stays."""

    name: str
    description: str | None
    color: str | None
