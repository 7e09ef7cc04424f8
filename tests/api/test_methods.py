"""HEAD and OPTIONS, and what a wrong method is told."""

import re
from typing import Any

import pytest
from httpx2 import Client, Response
from starlette.testclient import TestClient

from api.app import create_api
from api.openapi import operations
from core.services import Services
from tests.support.served import served

# These say when they were made, or how long that took.
OF_THE_MOMENT = {"x-request-id", "etag", "content-length"}


def headers_of(answer: Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OF_THE_MOMENT}


def test_head_is_get_without_a_body(ann: TestClient) -> None:
    document: dict[str, Any] = ann.get("/api/openapi.json").json()
    paths = [path for path, method, _operation in operations(document) if method == "get"]
    assert len(paths) > 30
    for path in [*paths, "/api/docs", "/api/assets/base.css", "/sign-in", "/api/openapi.json"]:
        filled = re.sub(r"\{\w+\}", "1", path)
        read, head = ann.get(filled), ann.head(filled)
        assert (head.status_code, head.content) == (read.status_code, b""), path
        assert headers_of(head) == headers_of(read), path
    for sent in ({}, {"Authorization": ""}):
        read, head = (ann.request(method, "/api/tokens/", headers=sent) for method in ("GET", "HEAD"))
        assert head.headers["content-length"] == read.headers["content-length"]
        assert head.headers.get("etag") == read.headers.get("etag")
    known = {"If-None-Match": ann.get("/api/tokens").headers["etag"]}
    assert ann.head("/api/tokens", headers=known).status_code == 304


def test_head_of_a_stream_does_not_wait_for_its_end(ann: TestClient, hub: Services) -> None:
    made = ann.post(
        "/api/threads/stream", json={"provider": "demo", "model": "demo", "initial_message": "Hi"}
    )
    assert made.status_code == 200
    token = {"Authorization": ann.headers["Authorization"]}
    with served(create_api()) as base, Client(base_url=base, headers=token) as client:
        stream = f"/api/threads/{client.get('/api/threads').json()[0]['uuid']}/stream"
        head = client.head(stream)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"].startswith("text/event-stream")
        # The connection is as good as new.
        assert client.get(stream).text.startswith("event: connected")


def test_head_needs_what_get_needs(nobody: TestClient, ann: TestClient) -> None:
    assert nobody.head("/api/threads").status_code == 401
    assert nobody.head("/api/nothing").status_code == 404
    assert nobody.head("/api/auth/login").status_code == 405


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/tokens", "GET, HEAD, OPTIONS, POST"),
        ("/api/tokens/", "GET, HEAD, OPTIONS, POST"),
        ("/api/auth/login", "OPTIONS, POST"),
        ("/api/users/me", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("/v1/models/demo/demo", "GET, HEAD, OPTIONS"),
        ("/sign-in", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_an_address_says_which_methods_it_takes(nobody: TestClient, path: str, methods: str) -> None:
    # A preflight as well: it learns nothing that would let a page of another site in.
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    for headers in ({}, asked):
        answer = nobody.options(path, headers=headers)
        assert (answer.status_code, answer.content, answer.headers["allow"]) == (204, b"", methods)
        assert not any(name.startswith("access-control") for name in answer.headers)
    refused = nobody.request("BREW", path)
    assert (refused.status_code, refused.headers["allow"]) == (405, methods)


def test_an_address_that_is_none_has_no_methods(nobody: TestClient) -> None:
    for path in ("/api/nothing", "/v1/nothing"):
        assert nobody.options(path).status_code == 404


def test_a_request_is_counted_under_its_own_method(ann: TestClient, hub: Services) -> None:
    ann.head("/api/tokens")
    app: Any = ann.app
    kinds = {(kind.route, kind.method) for kind in app.state.counts.tallies}
    assert ("/api/tokens", "HEAD") in kinds
