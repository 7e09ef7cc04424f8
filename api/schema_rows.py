"""A JSON schema as rows of a table: one field a row, those of objects within it below."""

from dataclasses import dataclass
from typing import Any

from api.openapi_examples import resolved

_DEEPEST = 3
_MOST = 60
_RANGES = (
    ("minimum", "maximum", ""),
    ("exclusiveMinimum", "exclusiveMaximum", " (exclusive)"),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " entries"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One field. `name` is dotted within objects; `place`: of a parameter, where it stands."""

    name: str
    type: str
    limits: str
    text: str
    required: bool
    place: str = ""


def rows_of(schema: dict[str, Any], schemas: dict[str, Any], prefix: str = "", depth: int = 0) -> list[Row]:
    """The fields of an object, or of the objects in a list; none for a plain value."""
    schema = _inner(schema, schemas)
    required = schema.get("required", [])
    rows: list[Row] = []
    for name, field in schema.get("properties", {}).items():
        plain = resolved(field, schemas)
        rows.append(
            Row(
                f"{prefix}{name}",
                type_of(field, schemas),
                _limits(plain, schemas),
                field.get("description") or _description(plain),
                name in required,
            )
        )
        if depth < _DEEPEST:
            marks = "[]." if _is_list(plain, schemas) else "."
            rows += rows_of(field, schemas, f"{prefix}{name}{marks}", depth + 1)
    return rows[:_MOST]


def type_of(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """The type in words: `string`, `integer or null`, `list of object`, or the values it may have."""
    schema = resolved(schema, schemas)
    choices = [*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])]
    if choices:
        return " or ".join(dict.fromkeys(type_of(choice, schemas) for choice in choices))
    if "const" in schema:
        return repr(schema["const"]).replace("'", '"')
    if "enum" in schema:
        return " | ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(map(str, kind))  # pyright: ignore[reportUnknownArgumentType]
    if kind == "array":
        return f"list of {type_of(schema.get('items', {}), schemas)}"
    return str(kind)


def _inner(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The object that a schema is about: itself, its list's, or its first choice's."""
    schema = resolved(schema, schemas)
    for choice in (*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])):
        inner = _inner(choice, schemas)
        if "properties" in inner:
            return inner
    return _inner(schema["items"], schemas) if schema.get("type") == "array" and "items" in schema else schema


def _is_list(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    kinds = [schema, *(resolved(choice, schemas) for choice in schema.get("anyOf", []))]
    return any(each.get("type") == "array" for each in kinds)


def _description(schema: dict[str, Any]) -> str:
    # An object's own docstring tells of the object; its fields stand below.
    return "" if "properties" in schema else schema.get("description", "")


def _limits(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    kinds = [schema, *(resolved(choice, schemas) for choice in schema.get("anyOf", []))]
    found = [_range(each, *names) for each in kinds for names in _RANGES]
    default = schema.get("default")
    if default not in (None, [], {}):
        found.append(f"default {default}")
    return ", ".join(dict.fromkeys(filter(None, found)))


def _range(schema: dict[str, Any], least: str, most: str, of: str) -> str:
    low, high = (f"{schema[name]:.15g}" if name in schema else "" for name in (least, most))
    if low and high:
        return f"{low}–{high}{of}"
    return f"≥ {low}{of}" if low else f"≤ {high}{of}" if high else ""
