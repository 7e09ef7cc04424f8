"""The places in a prompt that are filled in before it is sent: {theme}, or {{theme}}."""

import re
from collections.abc import Mapping

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import storable

# A name begins with a letter and goes on with letters, digits, "_" and "-": JSON, sets and format fields such as
# {"a": 1}, {1, 2}, {} and {x:.2f} are left alone.
_NAME = r"[^\W\d_][\w-]*"
_VARIABLE = re.compile(rf"\{{\{{\s*({_NAME})\s*\}}\}}|(?<!\{{)\{{({_NAME})\}}(?!\}})")
MOST_FILLED_CHARS = 500_000


def variables_of(content: str) -> tuple[str, ...]:
    """The names, each once, in the order they come first."""
    return tuple(dict.fromkeys(found[1] or found[2] for found in _VARIABLE.finditer(content)))


def fill(content: str, values: Mapping[str, str]) -> str:
    """`content` with a value in every place; braces in a value are text.

    AppError(VALIDATION) names what has no value, what has one without being there, or says that it grew too long.
    """
    names = variables_of(content)
    _refuse_unknown(names, values)
    if missing := [name for name in names if name not in values]:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The prompt still needs: {names}. Fill them in."),
            names=", ".join(missing),
        )
    # Before it is put together: a thousand places and a long value make a text that fits nowhere.
    length = len(content)
    for found in _VARIABLE.finditer(content):
        length += len(values[found[1] or found[2]]) - len(found[0])
    if length > MOST_FILLED_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("Filled in, the prompt has {length} characters; at most {limit} fit. Shorten the values."),
            length=length,
            limit=MOST_FILLED_CHARS,
        )
    return storable(_VARIABLE.sub(lambda found: values[found[1] or found[2]], content))


def _refuse_unknown(names: tuple[str, ...], values: Mapping[str, str]) -> None:
    unknown = [name for name in values if name not in names]
    if unknown:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The prompt has no place called {names}. Check how it is written."),
            names=", ".join(storable(name)[:50] for name in unknown[:10]),
        )
