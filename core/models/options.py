"""The options that providers other than Gemini share: their names, their ranges, and where they go."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.types import CompletionRequest, ReasoningEffort

MOST_STOP_SEQUENCES = 5
_SEEDS = -(2**31), 2**31 - 1  # what all providers take


def _number(name: str, low: float, high: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if not _is_number(value) or not low <= value <= high:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("The option {option} is a number from {low} to {high}. Correct it."),
                option=name,
                low=f"{low:g}",
                high=f"{high:g}",
            )
        return float(value)

    return read


def _whole(name: str, low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("The option {option} is a whole number from {low} to {high}. Correct it."),
                option=name,
                low=low,
                high=high,
            )
        return value

    return read


def _stop_sequences(value: Any) -> tuple[str, ...]:
    texts = cast("list[Any] | tuple[Any, ...]", value) if isinstance(value, list | tuple) else ()
    good = 0 < len(texts) <= MOST_STOP_SEQUENCES and all(isinstance(text, str) and text for text in texts)
    if not good:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The option {option} is a list of 1 to {count} texts, none of them empty. Correct it."),
            option="stop_sequences",
            count=MOST_STOP_SEQUENCES,
        )
    return tuple(texts)


def _effort(value: Any) -> ReasoningEffort:
    known = [effort.value for effort in ReasoningEffort]
    if value not in known:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The option {option} is one of {known}. Correct it."),
            option="reasoning_effort",
            known=", ".join(known),
        )
    return ReasoningEffort(value)


# Their names are those of CompletionRequest's fields.
_READ: dict[str, Callable[[Any], Any]] = {
    "top_p": _number("top_p", 0, 1),
    "top_k": _whole("top_k", 1, _SEEDS[1]),
    "presence_penalty": _number("presence_penalty", -2, 2),
    "frequency_penalty": _number("frequency_penalty", -2, 2),
    "stop_sequences": _stop_sequences,
    "seed": _whole("seed", *_SEEDS),
    "reasoning_effort": _effort,
}
OPTIONS = tuple(_READ)
"""The names of the options that may be set."""


def read_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a CompletionRequest that `options` set; AppError(VALIDATION) naming the first bad one."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if name not in _READ:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("There is no option “{option}”. Use {known}."),
                option=str(name)[:40],
                known=", ".join(OPTIONS),
            )
        found[name] = _READ[name](value)
    return found


def lay_under(completion: CompletionRequest, values: Mapping[str, Any]) -> CompletionRequest:
    """`completion` with those of `values` that it does not set itself."""
    unset = {name: value for name, value in values.items() if getattr(completion, name) in (None, ())}
    return replace(completion, **unset) if unset else completion


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
