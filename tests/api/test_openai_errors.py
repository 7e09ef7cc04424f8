"""What goes wrong under /v1, in OpenAI's shape, statuses and codes."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.errors import refusal
from core.errors import AppError, ErrorKind
from core.services import Services
from tests.fakes import openai_server as replies
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.script import Script
from tests.support.openai_front import CALLS, HELLO, PIXEL, TOOL, calls_of, chat

JSON = {"Content-Type": "application/json"}


def said(answer: Any) -> tuple[int, str, str | None, str]:
    """Status, code, param and type."""
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    return answer.status_code, error["code"], error["param"], error["type"]


def test_without_a_valid_token_nobody_is_answered(nobody: TestClient) -> None:
    for header in ("", "Bearer", "Bearer aihub_none", "Bearer sk-1", "Session abc", "Basic YTpi"):
        answer = nobody.post("/v1/chat/completions", json=HELLO, headers={"Authorization": header})
        assert said(answer) == (401, "invalid_api_key", None, "authentication_error")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_must_reach_as_far_as_chatting(ann: TestClient, nobody: TestClient, hub: Services) -> None:
    for scope in ("read", "write", "account"):
        made = ann.post("/api/tokens", json={"name": scope, "scopes": [scope]}).json()
        bearer = {"Authorization": f"Bearer {made['token']}"}
        answer = nobody.post("/v1/chat/completions", json={**HELLO, "model": "demo/demo"}, headers=bearer)
        assert said(answer) == (403, "insufficient_permissions", None, "permission_error")
    assert not calls_of(hub)


def _user(*parts: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


def _picture(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"messages": []}, "messages", "invalid_value"),
    ({"messages": None}, "messages", "invalid_type"),
    ({"messages": [{"role": "user", "content": "x"}] * 2_001}, "messages", "invalid_value"),
    ({"messages": ["x"]}, "messages[0]", "invalid_type"),
    ({"messages": [{"content": "x"}]}, "messages[0].role", "missing_required_parameter"),
    ({"messages": [{"role": "function", "content": "x"}]}, "messages[0].role", "invalid_value"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
    ({"messages": [{"role": "user", "content": None}]}, "messages[0].content", "invalid_type"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "invalid_type"),
    (_user({"type": "text"}), "messages[0].content[0].text", "missing_required_parameter"),
    (_user({"type": "video"}), "messages[0].content[0].type", "invalid_value"),
    (_user(_picture("data:image/png;base64,%%%")), "messages[0].content[0].image_url.url", "invalid_value"),
    (_user(_picture("data:image/png")), "messages[0].content[0].image_url.url", "invalid_value"),
    (_user(_picture("file:///etc/passwd")), "messages[0].content[0].image_url.url", "invalid_value"),
    (_user(_picture("https://[::1")), "messages[0].content[0].image_url.url", "invalid_value"),
    (
        _user({"type": "file", "file": {"file_id": "f"}}),
        "messages[0].content[0].file.file_id",
        "invalid_value",
    ),
    (
        _user({"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}}),
        "messages[0].content[0].input_audio.data",
        "invalid_value",
    ),
    (
        {"messages": [{"role": "tool", "tool_call_id": "x", "content": "1"}]},
        "messages[0].tool_call_id",
        "invalid_value",
    ),
    (
        {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "[1]"}}],
                }
            ]
        },
        "messages[0].tool_calls[0].function.arguments",
        "invalid_value",
    ),
    ({"model": None}, "model", "invalid_type"),
    ({"model": ""}, "model", "invalid_value"),
    ({"temperature": 2.1}, "temperature", "invalid_value"),
    ({"temperature": "1"}, "temperature", "invalid_type"),
    ({"top_p": -1}, "top_p", "invalid_value"),
    ({"max_tokens": 0}, "max_tokens", "invalid_value"),
    ({"max_completion_tokens": 10**30}, "max_completion_tokens", "invalid_value"),
    ({"seed": 10**30}, "seed", "invalid_value"),
    ({"seed": 1.5}, "seed", "invalid_type"),
    ({"stop": ["a"] * 6}, "stop", "invalid_value"),
    ({"stop": 7}, "stop", "invalid_type"),
    ({"n": 2}, "n", "invalid_value"),
    ({"logprobs": True}, "logprobs", "invalid_value"),
    ({"modalities": ["text", "audio"]}, "modalities", "invalid_value"),
    ({"functions": [{"name": "f"}]}, "functions", "invalid_value"),
    ({"tools": [TOOL], "tool_choice": "required"}, "tool_choice", "invalid_value"),
    ({"tools": [{"type": "custom"}]}, "tools[0].type", "invalid_value"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
    ({"reasoning_effort": "utmost"}, "reasoning_effort", "invalid_value"),
    ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}},
        "response_format.json_schema.schema",
        "missing_required_parameter",
    ),
    ({"stream": "yes"}, "stream", "invalid_type"),
]


def test_a_wrong_field_is_named(ann: TestClient, openai: OpenAIServer) -> None:
    for sent, param, code in WRONG:
        answer = chat(ann, **sent)
        assert said(answer) == (400, code, param, "invalid_request_error"), (sent, answer.text)
        assert answer.json()["error"]["message"].startswith(f"{param}: ")
    assert not openai.asked


BODIES = (
    b"",
    b"null",
    b"[]",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"model": "a", "messages": [{"role": "user", "content": "\\ud800"}]}',
)


def test_bodies_that_are_none(ann: TestClient) -> None:
    for body in BODIES:
        status, _code, param, kind = said(ann.post("/v1/chat/completions", content=body, headers=JSON))
        assert (status, param, kind) == (400, None, "invalid_request_error"), body[:40]


def test_numbers_that_json_does_not_have(ann: TestClient, openai: OpenAIServer) -> None:
    for number in ("NaN", "1e999", "-Infinity"):
        whole = {**HELLO, "tools": [{"type": "function", "function": {"name": "f", "parameters": {"a": 7}}}]}
        body = json.dumps(whole).replace("7", number)
        answer = ann.post("/v1/chat/completions", content=body, headers=JSON)
        assert said(answer)[:3] == (400, "invalid_value", "tools[0].function.parameters")
    assert not openai.asked


def test_nul_bytes_do_no_harm(ann: TestClient, openai: OpenAIServer, hub: Services) -> None:
    turns = [{"role": "system", "content": "\0"}, {"role": "user", "content": "a\0b"}]
    assert chat(ann, messages=turns, model="openai/\0gpt-5.4-mini").status_code == 200
    assert calls_of(hub)[0].model == "gpt-5.4-mini"


def test_a_model_that_is_not_there_names_those_that_are(ann: TestClient, openai: OpenAIServer) -> None:
    for model in ("nothing", "nobody/gpt-5.4-mini", "/", "x" * 200):
        answer = chat(ann, model=model)
        assert said(answer)[:3] == (404, "model_not_found", "model")
        assert "openai/gpt" in answer.json()["error"]["message"]
    assert said(chat(ann, model="openai/"))[:2] == (400, "invalid_value")


def test_a_provider_without_a_key(ann: TestClient) -> None:
    assert said(chat(ann))[:2] == (400, "api_key_not_found")


REFUSED: list[tuple[Script, int, str, str]] = [
    (replies.rate_limit(7), 429, "rate_limit_exceeded", "rate_limit_error"),
    (replies.no_balance(), 429, "insufficient_quota", "insufficient_quota"),
    (replies.too_long(), 400, "context_length_exceeded", "invalid_request_error"),
    (replies.unknown_model("x"), 404, "model_not_found", "not_found_error"),
    (replies.wrong_key(), 400, "api_error", "invalid_request_error"),
    (replies.wrong_schema(), 400, "invalid_value", "invalid_request_error"),
    (replies.broken(), 502, "api_error", "api_error"),
    (Script(status=400, error={"error": {"message": "No."}}), 400, "api_error", "invalid_request_error"),
    (Script(chunks=(), finish="content_filter"), 400, "content_filter", "invalid_request_error"),
]


def test_what_a_provider_refuses(ann: TestClient, openai: OpenAIServer, hub: Services) -> None:
    for stream in (False, True):
        for reply, status, code, kind in REFUSED:
            openai.queue(reply)
            answer = chat(ann, stream=stream)
            assert said(answer) == (status, code, None, kind)
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers.get("retry-after") == reply.headers.get("Retry-After")
    assert len(calls_of(hub)) == 2 * len(REFUSED)
    openai.queue(Script(cut_after=1))
    assert said(chat(ann)) == (502, "api_error", None, "api_error")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ErrorKind.CIRCUIT_OPEN, 503),
        (ErrorKind.INTERRUPTED, 503),
        (ErrorKind.STORAGE_BUSY, 503),
        (ErrorKind.TIMEOUT, 504),
        (ErrorKind.UNREACHABLE, 502),
        (ErrorKind.CERTIFICATE, 502),
        (ErrorKind.BAD_ANSWER, 502),
        (ErrorKind.STORAGE, 500),
        (ErrorKind.INTERNAL, 500),
        (ErrorKind.BUDGET, 429),
    ],
)
def test_statuses_tell_what_is_worth_asking_again(kind: ErrorKind, status: int) -> None:
    answer = refusal({"type": "http", "path": "/v1/x", "headers": []}, AppError(kind, "No.", seconds=9))
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == ("9" if status in (429, 503) else None)


def test_files_that_a_provider_does_not_take(ann: TestClient) -> None:
    answer = chat(ann, model="demo/demo", **_user(_picture(PIXEL)))
    assert said(answer)[:2] == (400, "invalid_value")


def test_a_call_without_its_result_is_left_out(ann: TestClient, openai: OpenAIServer) -> None:
    assert chat(ann, messages=[*HELLO["messages"], CALLS, *HELLO["messages"]]).status_code == 200
    assert "tool_calls" not in openai.asked[0].body["messages"][1]


def test_errors_are_in_the_language_of_the_caller(ann: TestClient) -> None:
    ann.headers["Accept-Language"] = "ru"
    answer = chat(ann, messages=[{"role": "user"}])
    assert "Это поле обязательно" in answer.json()["error"]["message"]


def test_a_huge_body_is_refused(ann: TestClient) -> None:
    answer = ann.post("/v1/chat/completions", content=(b"x" * 2**20 for _ in range(40)))
    assert said(answer)[0] == 413


def test_other_methods_and_addresses(ann: TestClient) -> None:
    assert said(ann.get("/v1/chat/completions"))[0] == 405
    assert said(ann.get("/v1/chat/nothing"))[0] == 404
