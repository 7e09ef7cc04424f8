"""What the Messages API takes differs from model to model; this tells it by the model's name.

As published by Anthropic in its model pages and migration guides up to Claude 5.5. A parameter that a model
does not know is refused (400), not ignored, so a request must be made for its model.
"""

import re
from dataclasses import dataclass
from enum import Enum


class Thinking(Enum):
    """How a model is told to think."""

    NEVER = "it cannot"
    BUDGET = "by a number of tokens, off unless asked for"
    OPTIONAL = "by effort; can be switched off"
    BETWEEN_TOOLS = "by effort; less is possible, but not off"
    ALWAYS = "by effort only"


@dataclass(frozen=True, slots=True)
class Traits:
    """`output_limit`: the largest `max_tokens` it accepts. `sampling`: whether temperature, top_p and top_k exist."""

    output_limit: int
    thinking: Thinking
    sampling: bool


_NEWEST = Traits(128_000, Thinking.ALWAYS, sampling=False)
# Something else behind a gateway that speaks Anthropic's protocol. The API insists on max_tokens and this
# is what nearly every model of the last years can write; a user who knows better sets the limit.
_FOREIGN = Traits(8_192, Thinking.NEVER, sampling=True)

# claude-sonnet-4-5, claude-opus-4-20250514 and, until 3.7, claude-3-7-sonnet-latest.
_NAME = re.compile(
    r"claude-(?:(?P<line>opus|sonnet|haiku)-(?P<major>\d)(?:-(?P<minor>\d{1,2}))?"
    r"|(?P<major3>3)(?:-(?P<minor3>\d))?-(?:opus|sonnet|haiku))(?!\d)"
)


def traits(model: str) -> Traits:
    """What `model` takes; of a Claude that is not known here: what the newest ones take."""
    found = _NAME.search(model)
    if found is None:
        return _NEWEST if "claude" in model else _FOREIGN
    version = int(found["major"] or found["major3"]), int(found["minor"] or found["minor3"] or 0)
    line = found["line"] or ""
    if version < (4, 6):
        return _by_budget(line, version)
    if version == (4, 6):
        return Traits(128_000 if line == "opus" else 64_000, Thinking.OPTIONAL, sampling=True)
    if version <= (5, 0) or (line, version) == ("haiku", (5, 5)):
        return Traits(128_000, Thinking.OPTIONAL, sampling=False)
    if (line, version) == ("sonnet", (5, 5)):
        return Traits(128_000, Thinking.BETWEEN_TOOLS, sampling=False)
    return _NEWEST


def _by_budget(line: str, version: tuple[int, int]) -> Traits:
    if version < (3, 7):
        return Traits(4_096 if version < (3, 5) else 8_192, Thinking.NEVER, sampling=True)
    short = line == "opus" and version <= (4, 1)
    return Traits(32_000 if short else 64_000, Thinking.BUDGET, sampling=True)
