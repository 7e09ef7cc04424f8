"""The reference at /api/docs: whole, offline, and safe with whatever stands in the document."""

import re
from functools import partial
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.openapi import operations
from api.reference_text import marked
from api.schema_rows import SchemaReader
from core.i18n import translate

LINKED = re.compile(r'(?:src|href)="([^"]+)"')


def test_it_lists_every_operation(nobody: TestClient) -> None:
    text = nobody.get("/api/docs/").text
    document: dict[str, Any] = nobody.get("/api/openapi.json").json()
    for path, method, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in text, f"{method} {path}"
        assert f'data-method="{method.upper()}" data-path="{path}"' in text
    for tag in document["tags"]:
        assert f"<h2>{tag['name']}</h2>" in text


def test_it_loads_nothing_from_elsewhere(nobody: TestClient) -> None:
    answer = nobody.get("/api/docs")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    links = {link.split("#")[0] for link in LINKED.findall(answer.text)} - {"", "/", "?lang=en", "?lang=ru"}
    assert all(link.startswith("/api/") for link in links)
    for link in links:
        assert nobody.get(link).status_code == 200, link
    styles = nobody.get("/api/assets/base.css").text
    fonts = re.findall(r'url\("([^"]+)"\)', styles)
    assert len(fonts) == 5
    for font in fonts:
        assert nobody.get(font).headers["content-type"] == "font/woff2"


@pytest.mark.parametrize(
    "name", ["nothing.css", "..%2fapp.py", "%2e%2e%2f%2e%2e%2f.env", "app.py", "README.md"]
)
def test_only_its_own_files_are_served(nobody: TestClient, name: str) -> None:
    assert nobody.get(f"/api/assets/{name}").status_code == 404


def test_it_is_said_in_the_readers_language(nobody: TestClient) -> None:
    russian = {"Accept-Language": "ru-RU,ru;q=0.9"}
    text = nobody.get("/api/docs", headers=russian).text
    assert '<html lang="ru">' in text
    for said in (
        "<h2>Вход</h2>",
        "Создать токен",
        "Не найдено или чужое.",
        "символов: 1–100",
        "integer или null",
    ):
        assert said in text
    assert '<html lang="en">' in nobody.get("/api/docs?lang=en", headers=russian).text
    assert '<html lang="en">' in nobody.get("/api/docs?lang=<script>").text


def test_a_call_can_be_copied(nobody: TestClient) -> None:
    text = nobody.get("/api/docs", headers={"Host": "127.0.0.1:8501"}).text
    assert "curl -X POST http://127.0.0.1:8501/api/auth/login" in text
    assert "-d &#39;{\n  &#34;email&#34;: &#34;user@example.com&#34;" in text
    assert "--data-urlencode username=user@example.com" in text
    assert "-H &#34;Authorization: Bearer $TOKEN&#34;" in text


def test_a_hosts_name_is_no_markup(nobody: TestClient) -> None:
    text = nobody.get("/api/docs", headers={"Host": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in text


def test_descriptions_are_text_but_for_code_and_bold() -> None:
    assert marked("<b>`a<b`** x **y**") == "&lt;b&gt;<code>a&lt;b</code><strong> x </strong>y**"


def test_a_schema_as_rows() -> None:
    schemas = {
        "Name": {"type": "string", "minLength": 1, "maxLength": 100},
        "Tree": {"type": "object", "properties": {"child": {"$ref": "#/components/schemas/Tree"}}},
    }
    schema = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"$ref": "#/components/schemas/Name"},
            "age": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "default": 3},
            "kind": {"enum": ["a", "b"]},
            "is_kept": {"type": "boolean", "default": True, "description": "`true` or not."},
            "items": {
                "type": "array",
                "items": {"type": "object", "properties": {"id": {"type": "integer"}}},
            },
            "tree": {"$ref": "#/components/schemas/Tree"},
        },
    }
    read = SchemaReader(schemas, partial(translate, "en")).rows(schema)
    assert [row.text for row in read if row.text] == ["<code>true</code> or not."]
    rows = {row.name: (row.type, row.limits, row.required) for row in read}
    assert rows["name"] == ("string", "1–100 characters", True)
    assert rows["age"] == ("integer or null", "≥ 0, default 3", False)
    assert rows["is_kept"] == ("boolean", "default true", False)
    assert rows["kind"] == ('"a" | "b"', "", False)
    assert rows["items"] == ("list of object", "", False)
    assert rows["items[].id"] == ("integer", "", False)
    # A schema that holds itself ends.
    assert [name for name in rows if name.startswith("tree")] == [
        "tree",
        "tree.child",
        "tree.child.child",
        "tree.child.child.child",
    ]
