"""An example of a body, put together from the examples of its fields."""

from typing import Any, cast

_DEEPEST = 6
_OF_TYPE: dict[str, Any] = {"string": "…", "integer": 1, "number": 1.0, "boolean": True, "null": None}


def example_of(schema: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> Any:
    """What a value of `schema` may look like; fields that may be left out and have no example are left out."""
    schema = resolved(schema, schemas)
    if has_example(schema):
        return _own_example(schema)
    if depth > _DEEPEST:
        return {}
    for choice in (*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])):
        if choice.get("type") != "null":
            return example_of(choice, schemas, depth + 1)
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return _object(schema, schemas, depth)
    if kind == "array":
        return [example_of(schema.get("items", {}), schemas, depth + 1)]
    return _OF_TYPE.get(cast("str", kind), "…")


def resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, where `schema` only refers to one."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    return resolved(schemas.get(reference.rpartition("/")[2], {}), schemas)


def has_example(schema: dict[str, Any]) -> bool:
    """Whether the schema itself says what its value may look like."""
    return any(
        schema.get(name) not in (None, []) for name in ("examples", "example", "const", "enum", "default")
    )


def _own_example(schema: dict[str, Any]) -> Any:
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    return next(schema[name] for name in ("example", "const", "default") if schema.get(name) is not None)


def _object(schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> dict[str, Any]:
    required = schema.get("required", [])
    values: dict[str, Any] = {}
    for name, field in schema.get("properties", {}).items():
        if name in required or has_example(resolved(field, schemas)) or _choice_has_example(field, schemas):
            values[name] = example_of(field, schemas, depth + 1)
    return values


def _choice_has_example(field: dict[str, Any], schemas: dict[str, Any]) -> bool:
    return any(has_example(resolved(choice, schemas)) for choice in field.get("anyOf", []))
