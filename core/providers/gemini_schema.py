"""Google's OpenAPI-like schemas (`"type": "OBJECT"`) as JSON schemas; JSON schemas stay what they are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from core.i18n import N_

Report = Callable[[str, str], None]
"""Notes a problem: its path and its message."""

TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")

# Names that Google spells otherwise than JSON schema does, or that Python programs write with underscores.
_NAMES = {
    "any_of": "anyOf",
    "one_of": "oneOf",
    "all_of": "allOf",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
    "property_ordering": "propertyOrdering",
    "additional_properties": "additionalProperties",
    "prefix_items": "prefixItems",
    "defs": "$defs",
    "ref": "$ref",
}
_LISTS_OF_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS_OF_SCHEMAS = ("properties", "$defs", "definitions")
_SCHEMAS = ("items", "additionalProperties", "not")
_LISTS_OF_NAMES = ("required", "propertyOrdering")
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def json_schema(schema: Mapping[str, Any], path: str, report: Report) -> dict[str, Any]:
    """`schema` as a JSON schema; what cannot be one is reported. Words it does not know pass as they are."""
    clean: dict[str, Any] = {}
    for key, value in schema.items():
        name = _NAMES.get(key, key)
        at = f"{path}.{name[:60]}"
        if name == "type":
            clean[name] = _type(value, at, report)
        elif name in _LISTS_OF_SCHEMAS:
            clean[name] = _schemas(value, at, report)
        elif name in _MAPS_OF_SCHEMAS:
            clean[name] = _named(value, at, report)
        elif name in _SCHEMAS:
            clean[name] = value if isinstance(value, bool) else _schema(value, at, report)
        elif name in _LISTS_OF_NAMES:
            clean[name] = _names(value, at, report)
        elif name == "enum" and not isinstance(value, list | tuple):
            report(at, N_("This must be a list in square brackets."))
        elif name in _COUNTS and isinstance(value, str) and value.isdecimal() and value.isascii():
            clean[name] = int(value[:18])  # Google writes 64-bit numbers as texts
        else:
            clean[name] = value
    return _without_openapi(clean)


def _without_openapi(schema: dict[str, Any]) -> dict[str, Any]:
    """What OpenAPI says in words of its own."""
    if schema.get("format") == "enum":
        del schema["format"]
    if "example" in schema:
        schema.setdefault("examples", [schema.pop("example")])
    if schema.get("nullable") is True and "type" in schema:
        kinds = cast("list[Any]", schema["type"] if isinstance(schema["type"], list) else [schema["type"]])
        schema["type"] = kinds if "null" in kinds else [*kinds, "null"]
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
        del schema["nullable"]
    elif schema.get("nullable") is False:
        del schema["nullable"]
    return schema


def _type(value: Any, at: str, report: Report) -> Any:
    kinds: Sequence[Any] = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)
    named = [kind.lower() if isinstance(kind, str) and kind.isupper() else kind for kind in kinds]
    if not named or any(kind not in TYPES for kind in named):
        report(at, N_("This must be string, number, integer, boolean, array, object or null."))
    return named if isinstance(value, list | tuple) else named[0]


def _schema(value: Any, at: str, report: Report) -> Any:
    if isinstance(value, Mapping):
        return json_schema(cast("Mapping[str, Any]", value), at, report)
    report(at, N_("This must be a JSON schema, an object in curly braces."))
    return None


def _schemas(value: Any, at: str, report: Report) -> Any:
    if isinstance(value, list | tuple) and value:
        entries = enumerate(cast("Sequence[Any]", value))
        return [_schema(item, f"{at}[{index}]", report) for index, item in entries]
    report(at, N_("This must be a list of JSON schemas with at least one entry."))
    return None


def _named(value: Any, at: str, report: Report) -> Any:
    if isinstance(value, Mapping):
        named = cast("Mapping[str, Any]", value).items()
        return {name: _schema(item, f"{at}.{name[:60]}", report) for name, item in named}
    report(at, N_("This must be an object in curly braces with a JSON schema for each name."))
    return None


def _names(value: Any, at: str, report: Report) -> Any:
    if isinstance(value, list | tuple):
        names = cast("Sequence[Any]", value)
        if all(isinstance(name, str) for name in names):
            return list(names)
    report(at, N_("This must be a list of names in quotes."))
    return None
