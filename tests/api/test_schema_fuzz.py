"""Every route of the OpenAPI document, asked with whatever the document allows and with what it does not.

No answer may be an error of ours, and each has the status and the shape that the document says.
"""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from api.app import create_api
from core import services
from core.config import Settings
from core.providers.demo import DemoProvider
from core.providers.registry import ProviderRegistry
from core.services import open_services
from tests.api.conftest import PASSWORD
from tests.support.members import fast_passwords

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Signing everybody out, or the account away, ends what the others are asked with.
_ENDS = ["/api/auth/logout", "/api/auth/logout-all", "/api/auth/sessions/{session_id}"]


API = create_api()
document = (
    schemathesis.openapi.from_asgi("/api/openapi.json", API)
    .exclude(path=_ENDS)
    .exclude(method="DELETE", path="/api/users/me")
)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the first account of a new hub is asked with, by surface."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("fuzz"), signup="open")
    # A demo at a human's pace would take seconds for every example that a route takes.
    registry = ProviderRegistry(settings, DemoProvider(float("inf")))
    opened = open_services(settings, registry, passwords=fast_passwords())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "_current", opened)
        with TestClient(API, base_url="http://127.0.0.1") as client:
            who = {"email": "ann@example.com", "username": "ann", "password": PASSWORD}
            assert client.post("/api/users", json=who).status_code == 201
            signed_in = client.post("/api/auth/login", json=who)
        yield {
            "app": f"Session {signed_in.cookies['sessionid']}",
            "": f"Bearer {signed_in.json()['access_token']}",
        }
    opened.close()


@document.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
def test_every_route_answers_as_documented(case: schemathesis.Case, secrets: dict[str, str]) -> None:
    of_app = case.path.startswith(("/api/v1/gemini", "/gemini"))
    secret = secrets["app" if of_app else ""]
    case.call_and_validate(headers={"Authorization": secret}, checks=_CHECKS)
