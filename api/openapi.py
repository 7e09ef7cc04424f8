"""One OpenAPI document for every surface: its order, its words, and the errors we really answer with."""

import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.openapi_examples import example_of
from api.openapi_tags import TAGS, tag_of
from api.surfaces import Surface, surface_of

DESCRIPTION = """\
Chat with any AI provider through one hub, with every call in one ledger.

Three surfaces share accounts, conversations and figures:

- **AIHub** under `/api`, with `Authorization: Bearer …`;
- the **Gemini app** under `/api/v1/gemini` and `/gemini`, with a session in `Authorization: Session …` or a cookie;
- an **OpenAI-compatible** front under `/v1`, for any existing client, with a personal token as its API key.

Paths answer with and without a trailing slash. Every answer carries `X-Request-ID`, and error texts follow
`Accept-Language`. Lists answer with an `ETag`; send it back in `If-None-Match` and what has not changed is a 304.
A WebSocket at `/ws/chat/{session_uuid}` carries the same conversations.
"""

_VALIDATION = ("HTTPValidationError", "ValidationError")
_METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}
_FIRST_SENTENCE = re.compile(r"(.{1,120}?)(?:[.](?=\s|$)|$)", re.DOTALL)
_REASONS = {
    "400": "The request cannot be taken as it is.",
    "401": "Nobody is signed in.",
    "404": "Not found, or not the caller's.",
    "500": "An error of AIHub or of the provider.",
}
_SUCCESSES = {"200": "The answer.", "201": "It was made.", "204": "Done; the answer is empty."}
_ERRORS: dict[Surface, tuple[str, dict[str, Any]]] = {
    Surface.AIHUB: (
        "ErrorAnswer",
        {
            "type": "object",
            "required": ["error", "error_message", "error_type"],
            "properties": {
                "error": {"type": "boolean", "const": True},
                "error_message": {"type": "string"},
                "error_type": {"type": "string", "examples": ["validation"]},
            },
        },
    ),
    Surface.GEMINI_APP: (
        "GeminiAppError",
        {
            "description": "Either one sentence, or for each field what is wrong with it.",
            "anyOf": [
                {"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}},
                {
                    "type": "object",
                    "required": ["success", "error"],
                    "properties": {
                        "success": {"type": "boolean", "const": False},
                        "error": {"type": "string"},
                    },
                },
                {
                    "type": "object",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
            ],
        },
    ),
    Surface.OPENAI: (
        "OpenAIError",
        {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["message", "type", "param", "code"],
                    "properties": {
                        "message": {"type": "string"},
                        "type": {"type": "string", "examples": ["invalid_request_error"]},
                        "param": {"type": ["string", "null"]},
                        "code": {"type": ["string", "null"]},
                    },
                }
            },
        },
    ),
}


def operation_id(route: APIRoute) -> str:
    """The name of the route's function; outside AIHub with the surface before it, as both may list sessions."""
    surface = surface_of(route.path_format)
    if surface is Surface.AIHUB:
        return route.name
    if surface is Surface.OPENAI:
        return f"openai_{route.name}"
    if not route.path_format.startswith("/api"):
        return f"gemini_page_{route.name}"
    return f"gemini_{route.name}" if surface is Surface.GEMINI_APP else f"gemini_action_{route.name}"


class DescribedAPI(FastAPI):
    """FastAPI, with a document that says what is true here: 400 instead of 422, each surface's own errors."""

    def openapi(self) -> dict[str, Any]:
        """The finished document, made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            self.openapi_schema = None
            self.openapi_schema = _finished(document)
        return self.openapi_schema


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of a document, in its order."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, method, operation


def _finished(document: dict[str, Any]) -> dict[str, Any]:
    document["info"]["description"] = DESCRIPTION
    document["servers"] = [{"url": "/", "description": "The hub that this document comes from"}]
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    used: set[str] = set()
    for path, _method, operation in operations(document):
        operation["tags"] = [tag_of(path, operation.get("tags") or [])]
        used.update(operation["tags"])
        _word(operation)
        _correct_errors(path, operation, schemas)
        _add_example(operation, schemas)
    for name in _VALIDATION:
        schemas.pop(name, None)
    known = [{"name": tag.name, "description": tag.description} for tag in TAGS if tag.name in used]
    document["tags"] = known + [{"name": name} for name in sorted(used - {tag.name for tag in TAGS})]
    document["paths"] = dict(sorted(document["paths"].items(), key=lambda item: _rank(item[1], document)))
    return document


def _rank(item: dict[str, Any], document: dict[str, Any]) -> int:
    """Paths in the order of their tags; within one as the routers have them."""
    order = [tag["name"] for tag in document["tags"]]
    return min(order.index(operation["tags"][0]) for name, operation in item.items() if name in _METHODS)


def _word(operation: dict[str, Any]) -> None:
    """The first sentence of the route's docstring is its summary, the rest its description."""
    text = " ".join(operation.pop("description", "").split())
    found = _FIRST_SENTENCE.match(text)
    if found:
        operation["summary"] = found[1]
        rest = text[found.end() :].strip()
        if rest:
            operation["description"] = rest


def _correct_errors(path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    responses = operation["responses"]
    took_422 = responses.pop("422", None) is not None
    missing = {"500"} | ({"400"} if took_422 else set[str]())
    if operation.get("security"):
        missing.add("401")
    surface = surface_of(path)
    # The actions' own shape is one of those that the app's errors have.
    name, schema = _ERRORS[Surface.GEMINI_APP if surface is Surface.GEMINI_ACTION else surface]
    for status in sorted(missing - set(responses)):
        schemas.setdefault(name, schema)
        responses[status] = {
            "description": _REASONS[status],
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
        }
    for status, reply in responses.items():
        if status >= "400" and "content" in reply:
            # The framework writes them down in the kind of the route's own answer: as events, of a stream.
            reply["content"] = {"application/json": next(iter(reply["content"].values()))}
    for status, text in _SUCCESSES.items():
        if responses.get(status, {}).get("description") == "Successful Response":
            responses[status]["description"] = text
    operation["responses"] = dict(sorted(responses.items()))


def _add_example(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for media in operation.get("requestBody", {}).get("content", {}).values():
        if "example" not in media and "examples" not in media:
            media["example"] = example_of(media.get("schema", {}), schemas)
