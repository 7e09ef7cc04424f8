"""GET /v1/models: what there is to be asked."""

from starlette.testclient import TestClient

from tests.api.conftest import SignUp
from tests.fakes.openai_server import OpenAIServer
from tests.support.openai_front import chat


def names(client: TestClient) -> list[str]:
    return [model["id"] for model in client.get("/v1/models").json()["data"]]


def test_models_are_listed_as_openai_lists_them(ann: TestClient, openai: OpenAIServer) -> None:
    answer = ann.get("/v1/models/")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"object", "data"}
    assert body["object"] == "list"
    assert body["data"][-1] == {"id": "demo/demo", "object": "model", "created": 0, "owned_by": "demo"}
    assert "openai/gpt-5.4-mini" in names(ann)


def test_only_configured_providers_are_listed(ann: TestClient) -> None:
    assert names(ann) == ["demo/demo"]


def test_a_model_that_the_caller_keeps_settings_for_is_theirs_alone(
    ann: TestClient, bob: TestClient, openai: OpenAIServer
) -> None:
    from core.models.types import PreferenceInfo
    from core.services import current

    own = ann.get("/api/users/me").json()["id"]
    current().models.save(own, PreferenceInfo("openai", "my-tuned-model"))
    assert "openai/my-tuned-model" in names(ann)
    assert "openai/my-tuned-model" not in names(bob)
    assert chat(bob, model="my-tuned-model").status_code == 404


def test_one_model_is_found_by_either_name(ann: TestClient, openai: OpenAIServer) -> None:
    whole = ann.get("/v1/models/openai/gpt-5.4-mini").json()
    assert whole == {"id": "openai/gpt-5.4-mini", "object": "model", "created": 0, "owned_by": "openai"}
    assert ann.get("/v1/models/openai%2Fgpt-5.4-mini").json() == whole
    assert ann.get("/v1/models/gpt-5.4-mini").json() == whole


def test_a_model_that_is_not_there(ann: TestClient, openai: OpenAIServer) -> None:
    for name in ("openai/nothing", "nothing", "x" * 300, "openai/", "%00"):
        answer = ann.get(f"/v1/models/{name}")
        assert answer.status_code == 404, name
        error = answer.json()["error"]
        assert (error["code"], error["param"], error["type"]) == (
            "model_not_found",
            "model",
            "not_found_error",
        )
    assert "openai/gpt" in error["message"]


def test_a_token_that_may_only_chat_sees_the_models(
    nobody: TestClient, ann: TestClient, sign_up: SignUp
) -> None:
    assert nobody.get("/v1/models").status_code == 401
    for scope, status in (("chat", 200), ("read", 403), ("account", 403)):
        made = ann.post("/api/tokens", json={"name": scope, "scopes": [scope]}).json()
        bearer = {"Authorization": f"Bearer {made['token']}"}
        assert nobody.get("/v1/models", headers=bearer).status_code == status
        assert nobody.get("/v1/models/demo/demo", headers=bearer).status_code == status
