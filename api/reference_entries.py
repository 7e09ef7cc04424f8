"""What stands in the reference, read from the OpenAPI document: chapters, and the operations in each."""

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from api.openapi import operations
from api.openapi_examples import example_of
from api.reference_text import Say, marked
from api.schema_rows import Row, SchemaReader

_PARAMETER = re.compile(r"(\{\w+\})")
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries: its kind, its fields, and an example as it is sent."""

    kind: str
    rows: list[Row]
    example: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One status an operation answers with. `example` is empty where the body is."""

    status: str
    text: Markup
    kind: str
    rows: list[Row]
    example: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation as the page shows it. `auth`: Bearer, Session, or empty."""

    id: str
    method: str
    path: str
    path_html: Markup
    summary: Markup
    text: Markup
    auth: str
    parameters: list[Row]
    body: Body | None
    answers: list[Reply]
    errors: list[Reply]
    curl: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """The operations of one tag."""

    id: str
    name: str
    text: Markup
    entries: list[Entry]


def chapters(document: dict[str, Any], base: str, say: Say) -> list[Chapter]:
    """All of a document, in its order. `base`: the address of the hub. Every text has gone through `say`."""
    reader = SchemaReader(document["components"]["schemas"], say)
    return [
        Chapter(
            # An address that was kept holds in every language.
            re.sub(r"\W+", "-", tag["name"].lower()).strip("-"),
            say(tag["name"]),
            marked(say(tag.get("description", ""))),
            [
                _entry(path, method, operation, reader, base)
                for path, method, operation in operations(document)
                if operation["tags"][0] == tag["name"]
            ],
        )
        for tag in document["tags"]
    ]


def _entry(path: str, method: str, operation: dict[str, Any], reader: SchemaReader, base: str) -> Entry:
    body = _body(operation, reader)
    auth = _auth(operation)
    replies = [_reply(status, reply, reader) for status, reply in operation["responses"].items()]
    return Entry(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        path_html=_with_parameters(path),
        summary=marked(reader.say(operation["summary"])),
        text=marked(reader.say(operation.get("description", ""))),
        auth=auth,
        parameters=[_parameter(each, reader) for each in operation.get("parameters", [])],
        body=body,
        answers=[reply for reply in replies if reply.status < "400"],
        errors=[reply for reply in replies if reply.status >= "400"],
        curl=_curl(base + path, method.upper(), auth, body),
    )


def _with_parameters(path: str) -> Markup:
    # A long path may break after a slash, nowhere else.
    pieces = [
        Markup("<var>{}</var>").format(piece)
        if _PARAMETER.fullmatch(piece)
        else Markup(str(escape(piece)).replace("/", "/<wbr>"))  # noqa: S704 - escaped here
        for piece in _PARAMETER.split(path)
    ]
    return Markup("").join(pieces)


def _auth(operation: dict[str, Any]) -> str:
    schemes = {name for each in operation.get("security", []) for name in each}
    return "Bearer" if "bearer" in schemes else "Session" if schemes else ""


def _parameter(parameter: dict[str, Any], reader: SchemaReader) -> Row:
    schema = {**parameter.get("schema", {}), "description": parameter.get("description", "")}
    row = reader.rows({"properties": {parameter["name"]: schema}})[0]
    return Row(row.name, row.type, row.limits, row.text, parameter.get("required", False), parameter["in"])


def _body(operation: dict[str, Any], reader: SchemaReader) -> Body | None:
    kind, media = _media(operation.get("requestBody", {}))
    if not kind:
        return None
    return Body(kind, reader.rows(media.get("schema", {})), _shown(_example(media)))


def _reply(status: str, reply: dict[str, Any], reader: SchemaReader) -> Reply:
    kind, media = _media(reply)
    schema: dict[str, Any] = media.get("schema", {})
    example = _example(media)
    if example is None and schema and kind == _JSON:
        example = example_of(schema, reader.schemas)
    rows = reader.rows(schema) if status < "400" else []
    return Reply(
        status,
        marked(reader.say(reply["description"])),
        kind,
        rows,
        "" if example is None else _shown(example),
    )


def _media(carrier: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The kind of a body and what is known of it; an empty kind when there is none."""
    content: dict[str, dict[str, Any]] = carrier.get("content", {})
    return next(iter(content.items())) if content else ("", {})


def _example(media: dict[str, Any]) -> Any:
    if "example" in media:
        return media["example"]
    named: dict[str, dict[str, Any]] = media.get("examples", {})
    return next(iter(named.values())).get("value") if named else None


def _shown(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False, indent=2)


def _curl(url: str, method: str, auth: str, body: Body | None) -> str:
    lines = [f"curl {shlex.quote(url)}" if method == "GET" else f"curl -X {method} {shlex.quote(url)}"]
    if auth:
        lines.append(f'-H "Authorization: {auth} ${"TOKEN" if auth == "Bearer" else "SESSION"}"')
    if body is not None and body.kind == _JSON:
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(body.example)}"]
    elif body is not None:
        option = "--data-urlencode" if body.kind == _FORM else "-F"
        try:
            fields: dict[str, Any] = json.loads(body.example)
        except ValueError:
            fields = {}
        lines += [f"{option} {shlex.quote(f'{name}={value}')}" for name, value in fields.items()]
    return " \\\n  ".join(lines)
