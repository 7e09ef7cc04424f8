"""Health, the OpenAPI document, and answers that have not changed."""

import json
from threading import Event
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.testclient import TestClient

from api import service
from api.app import create_api
from api.openapi import operations
from api.openapi_examples import example_of
from core.services import Services
from tests.support.databases import connecting, gone


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_api().openapi()


def test_health_says_ok_and_which_database(nobody: TestClient, hub: Services) -> None:
    answer = nobody.get("/api/health")
    assert answer.json() == {"status": "ok", "version": "0.1.0", "database": hub.unit.dialect}
    assert answer.headers["cache-control"] == "no-store"


def test_a_live_process_is_alive_without_a_database(nobody: TestClient, hub: Services) -> None:
    hub.close()
    assert nobody.get("/api/health/live").json() == {"status": "ok"}


def test_a_hub_is_ready_until_it_closes(nobody: TestClient, hub: Services) -> None:
    assert nobody.get("/api/health/ready/").json() == {"status": "ok"}
    hub.generation.close()
    answer = nobody.get("/api/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "reason": "closing"})


def test_a_database_that_cannot_be_asked_makes_it_unready(nobody: TestClient, hub: Services) -> None:
    with connecting(hub.unit, gone):
        answer = nobody.get("/api/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "reason": "database"})
    assert nobody.get("/api/health/ready").status_code == 200


def test_a_database_that_hangs_is_not_waited_for(
    nobody: TestClient, hub: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "READY_WITHIN", 0.2)
    answered = Event()

    def hang(*_args: object) -> None:
        assert answered.wait(30)

    with connecting(hub.unit, hang):
        answer = nobody.get("/api/health/ready")
        answered.set()
    assert (answer.status_code, answer.json()["reason"]) == (503, "database_timeout")


# --- the OpenAPI document ---


def test_the_document_is_valid_openapi(nobody: TestClient) -> None:
    served = nobody.get("/api/openapi.json").json()
    assert served["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(served).validate()


def test_every_operation_says_what_it_does_and_what_can_go_wrong(document: dict[str, Any]) -> None:
    described = {tag["name"] for tag in document["tags"] if tag.get("description")}
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert len(operation["tags"]) == 1, where
        assert operation["tags"][0] in described, f"{where}: give the tag a line in api/openapi_tags.py"
        errors = [status for status in operation["responses"] if status >= "400"]
        assert "500" in errors, where
        assert "422" not in operation["responses"], where
        if operation.get("parameters") or operation.get("requestBody"):
            assert "400" in errors, where
        if operation.get("security"):
            assert "401" in errors, where
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_error_is_json_also_that_of_a_stream(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for status, reply in operation["responses"].items():
            if status >= "400" and "content" in reply:
                assert list(reply["content"]) == ["application/json"], (path, method, status)


def test_every_operation_has_a_plain_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _path, _method, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() for name in names)


def test_every_schema_has_a_plain_name_of_its_own(document: dict[str, Any]) -> None:
    # Two classes of one name are told apart by their modules: programs would be made with those in their names.
    assert not [name for name in document["components"]["schemas"] if "__" in name]


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            example = media.get("example") or media.get("examples")
            assert example, f"{method} {path}"
            # What a field without an example of its own gets.
            assert "…" not in json.dumps(example, ensure_ascii=False), f"{method} {path}: {example}"


def test_who_asks_is_said_by_schemes(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    assert document["paths"]["/api/users/me"]["get"]["security"] == [{"bearer": []}]
    assert "security" not in document["paths"]["/api/auth/login"]["post"]


def test_examples_are_put_together_from_fields() -> None:
    schemas: dict[str, Any] = {"Name": {"type": "string", "examples": ["Ann"]}}
    schema = {
        "type": "object",
        "required": ["name", "tags", "age"],
        "properties": {
            "name": {"$ref": "#/components/schemas/Name"},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
            "age": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
            "left_out": {"type": "string"},
            "shown": {"anyOf": [{"type": "string", "examples": ["x"]}, {"type": "null"}]},
        },
    }
    assert example_of(schema, schemas) == {"name": "Ann", "tags": ["a"], "age": 1, "shown": "x"}


# --- ETags ---


def test_what_has_not_changed_is_not_sent_again(ann: TestClient) -> None:
    first = ann.get("/api/tokens")
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert {"Authorization", "Cookie", "Accept-Language"} <= set(first.headers["vary"].split(", "))
    for known in (etag, f'"other", {etag}', "*", etag.removeprefix("W/")):
        again = ann.get("/api/tokens", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert len(again.headers["x-request-id"]) == 32
        assert "content-length" not in again.headers


def test_what_has_changed_is_sent_with_another_etag(ann: TestClient) -> None:
    etag = ann.get("/api/tokens").headers["etag"]
    ann.post("/api/tokens", json={"name": "report"})
    changed = ann.get("/api/tokens", headers={"If-None-Match": etag})
    assert (changed.status_code, len(changed.json())) == (200, 1)
    assert changed.headers["etag"] != etag


def test_an_etag_says_nothing_about_somebody_elses_list(ann: TestClient, bob: TestClient) -> None:
    ann.post("/api/tokens", json={"name": "report"})
    etag = ann.get("/api/tokens").headers["etag"]
    answer = bob.get("/api/tokens", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.json()) == (200, [])


def test_only_good_answers_to_get_have_an_etag(ann: TestClient) -> None:
    assert "etag" not in ann.get("/api/tokens", headers={"Authorization": ""}).headers
    assert "etag" not in ann.post("/api/tokens", json={"name": "report"}).headers
    assert "etag" not in ann.get("/api/health").headers  # says no-store


def test_an_error_of_ours_is_found_in_the_log_by_its_id(caplog: pytest.LogCaptureFixture) -> None:
    api = create_api()

    @api.get("/api/broken")
    def broken() -> None:
        raise RuntimeError("a wheel came off")

    client = TestClient(api, base_url="http://127.0.0.1", raise_server_exceptions=False)
    answer = client.get("/api/broken", headers={"X-Request-ID": "my-id.1"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "my-id.1")
    assert "my-id.1" in answer.json()["error_message"]
    assert "wheel" not in answer.text
    assert "my-id.1" in caplog.text
    assert "a wheel came off" in caplog.text
