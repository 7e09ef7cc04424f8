"""A body that is read whole and parsed once, straight from its bytes, beside the event loop where it is large."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from anyio import to_thread
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

ModelT = TypeVar("ModelT", bound=BaseModel)
ReadT = TypeVar("ReadT")

LARGE = 64 * 1024  # bytes; parsing as many takes about as long as handing them to a thread


def parsed(model: type[ModelT], body: bytes) -> ModelT:
    """The body as `model`; RequestValidationError with what is wrong, and nothing of what was sent."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    raise RequestValidationError(details)


async def read(request: Request, understand: Callable[[bytes], ReadT]) -> ReadT:
    """What `understand` makes of the request's body."""
    body = await request.body()
    if len(body) < LARGE:
        return understand(body)
    return await to_thread.run_sync(understand, body)


def described(model: type[BaseModel]) -> dict[str, Any]:
    """For the `openapi_extra` of a route that reads its own body: the schema, with nothing in it by reference."""
    schema = model.model_json_schema()
    parts: dict[str, Any] = schema.pop("$defs", {})
    content = {"application/json": {"schema": _whole(schema, parts)}}
    return {"requestBody": {"required": True, "content": content}}


def _whole(schema: Any, parts: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_whole(each, parts) for each in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    found = cast("dict[str, Any]", schema)
    reference = found.get("$ref")
    if isinstance(reference, str):
        return _whole({**parts[reference.rpartition("/")[2]], **found, "$ref": None}, parts)
    # A discriminator's mapping points at the parts by name; the constants inside them tell as much.
    left_out = {"$ref", "discriminator"}
    return {name: _whole(each, parts) for name, each in found.items() if name not in left_out}
