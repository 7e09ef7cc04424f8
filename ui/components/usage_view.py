"""What the parts of the usage page are about: which calls, and in which currency."""

from dataclasses import dataclass, field

from core.usage.explore.types import Selection
from ui.components.usage_asked import Asked


@dataclass(frozen=True, slots=True)
class UsageView:
    """The calls that the filters leave. `currency`: the one to convert into, None: as it was charged.

    `asked`: what else the viewer chose (comparison, interval, grouping, measure).
    """

    selection: Selection
    currency: str | None
    asked: Asked = field(default_factory=Asked)
