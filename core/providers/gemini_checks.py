"""A Gemini request held against its documented fields: every problem is found, each with its path."""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from core.i18n import DEFAULT_LANGUAGE, N_, translate
from core.providers.gemini_fields import FieldHelp, children, place_of
from core.providers.gemini_schema import json_schema

_DEEPEST = 60  # levels; deeper values would exhaust the stack of whoever reads them next
_SHOWN = 60  # characters of a name that are worth showing

_WRONG_TYPE = {
    "string": N_("This must be a text in quotes."),
    "enum": N_("This must be a text in quotes."),
    "integer": N_("This must be a whole number."),
    "number": N_("This must be a number."),
    "boolean": N_("This must be true or false."),
    "array": N_("This must be a list in square brackets."),
    "object": N_("This must be an object in curly braces."),
    "schema": N_("This must be a JSON schema, an object in curly braces."),
    "duration": N_("This must be an object with seconds and nanos, or a text such as “12.5s”."),
}
# What AIHub itself sends: a request copied from its preview is taken too.
_ALIASES = {"responseJsonSchema": "responseSchema", "parametersJsonSchema": "parameters"}
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)s", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing that is wrong. `path`: where, as in `contents[0].parts[1].text`, "" for the whole request.

    `message` is an English template, its fields filled from `params`.
    """

    path: str
    message: str
    params: Mapping[str, str | int] = field(default_factory=dict[str, str | int])

    def text(self, language: str = DEFAULT_LANGUAGE) -> str:
        """The path and the sentence, in `language`."""
        said = translate(language, self.message, **self.params)
        return f"{self.path}: {said}" if self.path else said


class Checker:
    """Collects the problems of one request, at most one for each place."""

    def __init__(self) -> None:
        self._found: dict[str, FieldProblem] = {}

    @property
    def problems(self) -> tuple[FieldProblem, ...]:
        """In the order they were found."""
        return tuple(self._found.values())

    def add(self, path: str, message: str, **params: str | int) -> None:
        """Note a problem; the first one of a place stands."""
        self._found.setdefault(path, FieldProblem(path, message, params))

    def has(self, path: str) -> bool:
        """Whether there is a problem at `path` itself."""
        return path in self._found

    def fields(self, value: Mapping[str, Any], pattern: str, path: str) -> dict[str, Any]:
        """The fields of `value` that are right, under their documented names. `pattern`: its place in FIELDS."""
        known = children(pattern)
        clean: dict[str, Any] = {}
        for key, item in value.items():
            name = _camel(key)
            name = _ALIASES.get(name, name) if name not in known else name
            if name not in known:
                self._unknown(key, known, path)
            elif name in clean or self.has(under(path, name)):
                self.add(under(path, key), N_("This field is given twice. Keep one of the two."))
            elif item is not None:  # null is how JSON leaves a field out
                found = self._value(item, known[name], under(path, name))
                if found is not None:
                    clean[name] = found
        return clean

    def _unknown(self, key: str, known: Mapping[str, FieldHelp], path: str) -> None:
        name = _camel(key)[:_SHOWN]
        near = difflib.get_close_matches(name, known, n=1)
        at, place = under(path, key[:_SHOWN]), place_of(name)
        if place is not None:
            self.add(at, N_("This field belongs elsewhere: {place}."), place=place)
        elif near:
            self.add(at, N_("There is no such field. Did you mean {nearest}?"), nearest=near[0])
        else:
            self.add(
                at,
                N_("There is no such field here. Take it out. Known are: {names}."),
                names=", ".join(known),
            )

    def _value(self, value: Any, help_: FieldHelp, path: str) -> Any:
        """`value` as Python has it; None when it is wrong."""
        match help_.type:
            case "object" if isinstance(value, Mapping):
                found = cast("Mapping[str, Any]", value)
                return self.fields(found, help_.path, path) if children(help_.path) else dict(found)
            case "array" if isinstance(value, list | tuple):
                return self._entries(cast("Sequence[Any]", value), help_, path)
            case "schema" if isinstance(value, Mapping):
                return json_schema(cast("Mapping[str, Any]", value), path, self.add)
            case "duration":
                return self._duration(value, help_, path)
            case "boolean" if isinstance(value, bool):
                return value
            case "string" if isinstance(value, str):
                return value
            case "enum" if isinstance(value, str):
                return self._choice(value, help_, path)
            case "integer" | "number" if is_number(value) and (help_.type == "number" or value == int(value)):
                return self._number(value, help_, path)
            case _:
                self.add(path, _WRONG_TYPE[help_.type])
                return None

    def _entries(self, value: Sequence[Any], help_: FieldHelp, path: str) -> list[Any] | None:
        """Entries that are wrong are None, so that the others keep their places."""
        if not self._within(len(value), help_):
            if len(value):
                self.add(
                    path, N_("At most {maximum} entries are allowed here."), maximum=_plain(help_.maximum)
                )
            else:
                self.add(path, N_("At least one entry is needed here."))
            return None
        pattern = f"{help_.path}[]"
        wanted = "object" if children(pattern) else "string"
        clean: list[Any] = []
        for at, item in enumerate(value):
            clean.append(self._value(item, FieldHelp(pattern, wanted, ""), f"{path}[{at}]"))
        return clean

    def _choice(self, value: str, help_: FieldHelp, path: str) -> str | None:
        if value in help_.choices:
            return value
        self.add(path, N_("This must be one of: {choices}."), choices=", ".join(help_.choices))
        return None

    def _number(self, value: float, help_: FieldHelp, path: str) -> float | None:
        if self._within(value, help_):
            return int(value) if help_.type == "integer" else float(value)
        low, high = _plain(help_.minimum), _plain(help_.maximum)
        message = N_("This must be from {minimum} to {maximum}.")
        if help_.exclusive_maximum:
            message = N_("This must be at least {minimum} and less than {maximum}.")
        self.add(path, message, minimum=low, maximum=high)
        return None

    def _within(self, value: float, help_: FieldHelp) -> bool:
        if help_.minimum is not None and value < help_.minimum:
            return False
        if help_.maximum is None:
            return True
        return value < help_.maximum if help_.exclusive_maximum else value <= help_.maximum

    def _duration(self, value: Any, help_: FieldHelp, path: str) -> float | None:
        """Seconds."""
        if isinstance(value, Mapping):
            parts = self.fields(cast("Mapping[str, Any]", value), help_.path, path)
            return float(parts.get("seconds", 0)) + parts.get("nanos", 0) / 1e9
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            self.add(path, _WRONG_TYPE["duration"])
            return None
        return float(found[1])


def under(path: str, name: str) -> str:
    """The path of the field `name` inside `path`."""
    return f"{path}.{name}" if path else name


def is_number(value: Any) -> bool:
    """Whether `value` is a number in JSON; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_readable(checker: Checker, value: Any) -> None:
    """Finds what no JSON parser of another program would take: it is looked at before anything else."""
    waiting: list[tuple[str, Any, int]] = [("", value, 0)]
    while waiting:
        path, found, depth = waiting.pop()
        if depth > _DEEPEST:
            checker.add(path[:200], N_("This is nested too deep."))
        elif isinstance(found, Mapping):
            for key, item in cast("Mapping[Any, Any]", found).items():
                if isinstance(key, str) and _is_text(key):
                    waiting.append((under(path, key[:_SHOWN]), item, depth + 1))
                else:
                    checker.add(path, N_("A name in here is not readable text."))
        elif isinstance(found, list | tuple):
            entries = enumerate(cast("Sequence[Any]", found))
            waiting += [(f"{path}[{at}]", item, depth + 1) for at, item in entries]
        elif (message := _unreadable(found)) is not None:
            checker.add(path, message)


def _unreadable(value: Any) -> str | None:
    if isinstance(value, str):
        wrong = N_("This has half a character in it (a lone surrogate). Type it anew.")
        return None if _is_text(value) else wrong
    if isinstance(value, float) and not math.isfinite(value):
        return N_("This number is too large.")
    known = value is None or isinstance(value, bool | int | float)
    return None if known else N_("JSON has no such value.")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _camel(name: str) -> str:
    """`max_output_tokens` is `maxOutputTokens`."""
    first, *others = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others) if first else name


def _plain(bound: float | None) -> str:
    return f"{bound:.12g}"
