"""What crosses the accounts' door."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks: every query is scoped by `id`."""

    id: int
    username: str
    is_admin: bool
