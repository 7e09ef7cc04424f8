"""Which JSON schemas OpenAI's strict mode takes. Any other one can still be sent, but binds the model less."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from core.providers.content import JsonObject

# fmt: off
_KEYWORDS = frozenset({
    "$schema", "$defs", "definitions", "type", "title", "description", "properties", "required", "items",
    "additionalProperties", "anyOf", "enum", "const", "pattern", "format", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
})
_FORMATS = frozenset({
    "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
})
# fmt: on
_DEEPEST = 20  # ten levels of objects with arrays between them


def takes_strict(schema: JsonObject) -> bool:
    """Whether `schema` keeps strict mode's rules: every object closed with all its properties required, an
    object at the root, and no keyword that strict mode refuses."""
    return schema.get("type") == "object" and "anyOf" not in schema and _fits(schema, 0)


def _fits(found: object, depth: int) -> bool:
    if not isinstance(found, Mapping) or depth > _DEEPEST:
        return False
    schema = cast("Mapping[str, Any]", found)
    if "$ref" in schema:
        # Nothing may stand beside a reference, and it must lead to the same schema.
        return len(schema) == 1 and str(schema["$ref"]).startswith("#")
    return (
        schema.keys() <= _KEYWORDS
        and ("type" in schema or "anyOf" in schema)
        and _type_fits(schema)
        and schema.get("format", "date") in _FORMATS
        and "(?" not in str(schema.get("pattern", ""))  # it looks neither ahead nor back
        and all(_fits(part, depth + 1) for part in _parts(schema))
    )


def _type_fits(schema: Mapping[str, Any]) -> bool:
    named = schema.get("type")
    types = cast("list[object]", named) if isinstance(named, list) else [named]
    if "array" in types and "items" not in schema:
        return False
    if "object" not in types:
        return True
    properties, required = schema.get("properties"), schema.get("required", [])
    return (
        schema.get("additionalProperties") is False
        and isinstance(properties, Mapping)
        and isinstance(required, list)
        and sorted(map(str, cast("list[object]", required))) == sorted(cast("Mapping[str, Any]", properties))
    )


def _parts(schema: Mapping[str, Any]) -> Iterator[object]:
    """The schemas inside; something that is none where one should be."""
    for name in ("properties", "$defs", "definitions"):
        inside: object = schema.get(name, {})
        yield from cast("Mapping[str, object]", inside).values() if isinstance(inside, Mapping) else (inside,)
    if "items" in schema:
        yield schema["items"]
    either: object = schema.get("anyOf", [])
    yield from cast("list[object]", either) if isinstance(either, list) else (either,)
