"""A JSON schema as rows of a table: one field a row, those of objects within it below."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from api.openapi_examples import resolved
from api.reference_text import Say, marked
from core.i18n import N_

_DEEPEST = 3
_MOST = 60
_RANGES = (
    ("minimum", "maximum", ""),
    ("exclusiveMinimum", "exclusiveMaximum", N_("{range} (exclusive)")),
    ("minLength", "maxLength", N_("{range} characters")),
    ("minItems", "maxItems", N_("{range} entries")),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One field. `name` is dotted within objects; `place`: of a parameter, where it stands."""

    name: str
    type: str
    limits: str
    text: Markup
    required: bool
    place: str = ""


@dataclass(frozen=True, slots=True)
class SchemaReader:
    """Reads schemas to somebody. `schemas`: those of the document that others refer to, by name."""

    schemas: dict[str, Any]
    say: Say

    def rows(self, schema: dict[str, Any], prefix: str = "", depth: int = 0) -> list[Row]:
        """The fields of an object, or of the objects in a list; none for a plain value."""
        schema = self._inner(schema)
        required = schema.get("required", [])
        rows: list[Row] = []
        for name, field in schema.get("properties", {}).items():
            plain = resolved(field, self.schemas)
            rows.append(
                Row(
                    f"{prefix}{name}",
                    self.type(field),
                    self._limits(plain),
                    marked(self.say(field.get("description") or _description(plain))),
                    name in required,
                )
            )
            if depth < _DEEPEST:
                marks = "[]." if self._is_list(plain) else "."
                rows += self.rows(field, f"{prefix}{name}{marks}", depth + 1)
        return rows[:_MOST]

    def type(self, schema: dict[str, Any]) -> str:
        """The type in words: `string`, `integer or null`, `list of object`, or the values it may have."""
        schema = resolved(schema, self.schemas)
        choices = _choices(schema)
        if choices:
            return self._or(map(self.type, choices))
        if "const" in schema:
            return _json(schema["const"])
        if "enum" in schema:
            return " | ".join(map(_json, schema["enum"]))
        kind = schema.get("type")
        if isinstance(kind, list):
            return self._or(map(str, kind))  # pyright: ignore[reportUnknownArgumentType]
        if kind == "array":
            return self.say(N_("list of {type}"), type=self.type(schema.get("items", {})))
        return str(kind or self.say(N_("anything")))

    def _or(self, kinds: Iterable[str]) -> str:
        between = self.say(N_("or"))
        return f" {between} ".join(dict.fromkeys(kinds))

    def _inner(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The object that a schema is about: itself, its list's, or its first choice's."""
        schema = resolved(schema, self.schemas)
        for choice in _choices(schema):
            inner = self._inner(choice)
            if "properties" in inner:
                return inner
        is_list = schema.get("type") == "array" and "items" in schema
        return self._inner(schema["items"]) if is_list else schema

    def _kinds(self, schema: dict[str, Any]) -> list[dict[str, Any]]:
        return [schema, *(resolved(choice, self.schemas) for choice in schema.get("anyOf", []))]

    def _is_list(self, schema: dict[str, Any]) -> bool:
        return any(each.get("type") == "array" for each in self._kinds(schema))

    def _limits(self, schema: dict[str, Any]) -> str:
        found = [self._range(each, *names) for each in self._kinds(schema) for names in _RANGES]
        default = schema.get("default")
        if default not in (None, [], {}):
            found.append(self.say(N_("default {value}"), value=_json(default)))
        return ", ".join(dict.fromkeys(filter(None, found)))

    def _range(self, schema: dict[str, Any], least: str, most: str, words: str) -> str:
        low, high = (f"{schema[name]:.15g}" if name in schema else "" for name in (least, most))
        if not low and not high:
            return ""
        between = f"{low}–{high}" if low and high else f"≥ {low}" if low else f"≤ {high}"
        return self.say(words, range=between) if words else between


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _choices(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])]


def _description(schema: dict[str, Any]) -> str:
    # An object's own docstring tells of the object; its fields stand below.
    return "" if "properties" in schema else schema.get("description", "")
