"""The reference at /api/docs, drawn from the OpenAPI document."""

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape

from api.identity import Hub
from api.openapi import operations
from api.openapi_examples import example_of
from api.reference_words import words
from api.schema_rows import Row, rows_of
from api.service import VERSION
from api.web import page, reader_language
from core.i18n import LANGUAGES

_CODE = re.compile(r"`([^`]+)`")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_PARAMETER = re.compile(r"(\{\w+\})")
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"

router = APIRouter(include_in_schema=False)


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


@router.get("/api/docs")
def reference(request: Request, hub: Hub) -> HTMLResponse:
    """The page; it loads nothing from another host, and can be used without a script."""
    document = request.app.openapi()
    language = reader_language(request, hub.settings.language)
    base = f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}"
    schemas = document["components"]["schemas"]
    chapters = [
        {
            "name": tag["name"],
            "id": re.sub(r"\W+", "-", tag["name"].lower()).strip("-"),
            "text": marked(tag.get("description", "")),
            "entries": [
                _entry(path, method, operation, schemas, base)
                for path, method, operation in operations(document)
                if operation["tags"][0] == tag["name"]
            ],
        }
        for tag in document["tags"]
    ]
    return page(
        "reference.html",
        words=words(language),
        language=language,
        languages=LANGUAGES,
        version=VERSION,
        base=base,
        chapters=chapters,
    )


def marked(text: str) -> Markup:
    """`text` with its `code` and **bold**; everything else means itself."""
    html = str(escape(text))
    return Markup(_BOLD.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", html)))  # noqa: S704 - escaped above


def _entry(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any], base: str) -> Entry:
    body = _body(operation, schemas)
    auth = _auth(operation)
    replies = [_reply(status, reply, schemas) for status, reply in operation["responses"].items()]
    return Entry(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        path_html=_with_parameters(path),
        summary=marked(operation["summary"]),
        text=marked(operation.get("description", "")),
        auth=auth,
        parameters=[_parameter(each, schemas) for each in operation.get("parameters", [])],
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


def _parameter(parameter: dict[str, Any], schemas: dict[str, Any]) -> Row:
    schema = {**parameter.get("schema", {}), "description": parameter.get("description", "")}
    row = rows_of({"properties": {parameter["name"]: schema}}, schemas)[0]
    return Row(row.name, row.type, row.limits, row.text, parameter.get("required", False), parameter["in"])


def _body(operation: dict[str, Any], schemas: dict[str, Any]) -> Body | None:
    kind, media = _media(operation.get("requestBody", {}))
    if not kind:
        return None
    return Body(kind, rows_of(media.get("schema", {}), schemas), _shown(_example(media)))


def _reply(status: str, reply: dict[str, Any], schemas: dict[str, Any]) -> Reply:
    kind, media = _media(reply)
    schema: dict[str, Any] = media.get("schema", {})
    example = _example(media)
    if example is None and schema and kind == _JSON:
        example = example_of(schema, schemas)
    rows = rows_of(schema, schemas) if status < "400" else []
    return Reply(status, marked(reply["description"]), kind, rows, "" if example is None else _shown(example))


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
