"""What the parts of the usage page are about: which calls, and in which currency."""

from dataclasses import dataclass

from core.usage.explore.types import Selection


@dataclass(frozen=True, slots=True)
class UsageView:
    """The calls that the filters leave. `currency`: the one to convert into, None: as it was charged."""

    selection: Selection
    currency: str | None
