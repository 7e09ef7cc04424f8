"""The requests of the Gemini app's pages, under both prefixes."""

import json
import logging
from typing import Any

import pytest

from core.chat.types import NewThread
from core.services import Services
from tests.api.gemini_app.conftest import SESSIONS, Member
from tests.fakes.gemini_server import GeminiServer, overloaded, rate_limit, usage
from tests.fakes.script import Script
from tests.support.hub import KEY

RATINGS = [("HARM_CATEGORY_HARASSMENT", "NEGLIGIBLE"), ("HARM_CATEGORY_HATE_SPEECH", "LOW")]
prefixes = pytest.mark.parametrize("prefix", ["/gemini", "/api/v1/gemini"])


def send(member: Member, body: Any, prefix: str = "/gemini", **options: Any) -> Any:
    return member.client.post(f"{prefix}/send-message/", json=body, **options)


# --- send-message ---


@prefixes
def test_a_message_is_answered_with_what_google_says_of_it(
    admin: Member, gemini: GeminiServer, prefix: str
) -> None:
    gemini.queue(Script(chunks=["Привет! ", "Отлично"], usage=usage(prompt=8, output=17), safety=RATINGS))
    session = admin.session()
    answer = send(admin, {"session_id": session, "message": "Привет, как дела?"}, prefix)
    assert answer.status_code == 200
    question, said = admin.client.get(f"{SESSIONS}{session}/").json()["messages"]
    assert answer.json() == {
        "success": True,
        "response": "Привет! Отлично",
        "user_message_id": question["id"],
        "assistant_message_id": said["id"],
        "metadata": {
            "response_time": said["response_time"],
            "usage_metadata": {"totalTokenCount": 25, "promptTokenCount": 8, "candidatesTokenCount": 17},
            "finish_reason": "STOP",
            "safety_ratings": [
                {"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"},
                {"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "LOW"},
            ],
        },
    }


def test_the_finish_reason_is_googles_own_word(admin: Member, gemini: GeminiServer) -> None:
    session = admin.session()
    for finish in ("MAX_TOKENS", "RECITATION", "SOMETHING_NEW"):
        gemini.queue(Script(finish=finish))
        metadata = send(admin, {"session_id": session, "message": "Привет"}).json()["metadata"]
        assert (metadata["finish_reason"], metadata["safety_ratings"]) == (finish, [])


def test_another_providers_end_is_said_in_googles_words(hub: Services, admin: Member) -> None:
    thread = hub.threads.create(admin.id, NewThread("demo", "demo", "Из AIHub")).thread
    metadata = send(admin, {"session_id": thread.id, "message": "Привет"}).json()["metadata"]
    assert metadata["finish_reason"] == "STOP"


def test_what_is_missing_is_named(admin: Member) -> None:
    wanted: list[tuple[dict[str, Any], str]] = [
        ({"message": "Привет"}, "session_id"),
        ({"session_id": None, "message": "Привет"}, "session_id"),
        ({"session_id": 1}, "message"),
        ({}, "session_id, message"),
    ]
    for body, field in wanted:
        answer = send(admin, body)
        assert answer.status_code == 400
        assert answer.json() == {"success": False, "error": f"Invalid request parameters: missing {field}"}


def test_a_session_that_is_not_there(admin: Member) -> None:
    for session in (987_654, 0, -1, 2**63, 10**400):
        answer = send(admin, {"session_id": session, "message": "Привет"})
        assert answer.status_code == 404
        assert answer.json() == {"success": False, "error": "The session was not found."}


def test_another_users_session_is_as_one_that_does_not_exist(admin: Member, other: Member) -> None:
    session = admin.session()
    refused = [
        send(other, {"session_id": session, "message": "Привет"}),
        other.client.post(f"/gemini/sessions/{session}/update-title/", json={"title": "x"}),
    ]
    for answer in refused:
        assert answer.status_code == 404
        assert answer.json() == {"success": False, "error": "The session was not found."}
    shown = admin.client.get(f"{SESSIONS}{session}/").json()
    assert (shown["title"], shown["messages"]) == ("Python разработка", [])


BAD: tuple[Any, ...] = (
    {"session_id": "x", "message": "a"},
    {"session_id": 1.5, "message": "a"},
    {"session_id": [1], "message": "a"},
    {"session_id": 1, "message": " \x00"},
    {"session_id": 1, "message": 5},
    {"session_id": 1, "message": "x" * 500_001},
    [],
    "text",
    None,
)


def test_bad_input_is_refused_in_the_apps_shape(admin: Member) -> None:
    admin.session()
    for body in BAD:
        answer = send(admin, body)
        assert (answer.status_code, set(answer.json())) == (400, {"success", "error"})
        assert answer.json()["error"].startswith("Invalid request parameters: ")
    for none in (b"{", b"\xff", b'{"session_id": 1e999, "message": "a"}', b"[" * 100_000):
        answer = admin.post_bytes("/gemini/send-message/", none)
        assert (answer.status_code, answer.json()["success"]) == (400, False), none[:40]


def test_without_a_key_it_says_so(other: Member) -> None:
    answer = send(other, {"session_id": other.session(), "message": "Привет"})
    assert answer.status_code == 400
    assert answer.json() == {"success": False, "error": "The API key is not configured"}


def test_a_busy_model_is_said_as_documented(admin: Member, gemini: GeminiServer) -> None:
    gemini.queue(overloaded(), rate_limit(seconds=9))
    session = admin.session()
    busy = send(admin, {"session_id": session, "message": "Привет"})
    assert busy.status_code == 500
    text = "The Gemini model is overloaded. Please try again later."
    assert busy.json() == {"success": False, "error": text}
    limited = send(admin, {"session_id": session, "message": "Привет"})
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "9")
    assert (limited.json()["success"], set(limited.json())) == (False, {"success", "error"})


def test_a_blocked_answer_is_an_error(admin: Member, gemini: GeminiServer) -> None:
    gemini.queue(Script(blocked="PROHIBITED_CONTENT", safety=RATINGS))
    answer = send(admin, {"session_id": admin.session(), "message": "Привет"})
    assert answer.status_code == 500
    assert "PROHIBITED_CONTENT" in answer.json()["error"]


# --- test-api-key ---


@prefixes
def test_a_key_is_tried_and_not_kept(
    hub: Services, other: Member, gemini: GeminiServer, caplog: pytest.LogCaptureFixture, prefix: str
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = other.client.post(f"{prefix}/test-api-key/", json={"api_key": f" {KEY}\n"})
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "message": "The connection to the Gemini API works"}
    assert [(each.method, each.headers["x-goog-api-key"]) for each in gemini.requests] == [("GET", KEY)]
    assert hub.keys.list(other.id) == ()
    assert KEY not in caplog.text


def test_a_key_may_not_be_empty(admin: Member, gemini: GeminiServer) -> None:
    empty: list[dict[str, Any]] = [{"api_key": ""}, {"api_key": " \n"}, {"api_key": None}, {}]
    for body in empty:
        answer = admin.client.post("/gemini/test-api-key/", json=body)
        assert answer.status_code == 400
        assert answer.json() == {"success": False, "error": "The API key may not be empty"}
    assert gemini.requests == []


def test_a_wrong_key_is_refused_with_the_reason(admin: Member, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer = admin.client.post("/gemini/test-api-key/", json={"api_key": "AIzaSyB-not-a-key-at-all"})
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert "did not accept the API key" in answer.json()["error"]
    assert "not-a-key" not in answer.text + caplog.text


def test_a_key_that_cannot_be_one_is_sent_nowhere(admin: Member, gemini: GeminiServer) -> None:
    for key in ("ключ", "a b", "a\x00b", "\ud800", "x" * 9_000, "AIza****xyz", 7, ["a"]):
        body = json.dumps({"api_key": key}).encode()
        answer = admin.post_bytes("/gemini/test-api-key/", body)
        assert (answer.status_code, answer.json()["success"]) == (400, False), key
    assert gemini.requests == []


# --- update-title ---


@prefixes
def test_a_session_gets_another_title(admin: Member, prefix: str) -> None:
    session = admin.session()
    title = "Обновленное название сессии"
    for slash in ("", "/"):
        answer = admin.client.post(
            f"{prefix}/sessions/{session}/update-title{slash}", json={"title": f" {title} "}
        )
        assert (answer.status_code, answer.json()) == (200, {"success": True, "title": title})
    assert admin.client.get(f"{SESSIONS}{session}/").json()["title"] == title


def test_a_title_and_an_id_are_checked(admin: Member) -> None:
    session = admin.session()
    wrong: list[dict[str, Any]] = [{}, {"title": ""}, {"title": None}, {"title": "x" * 201}]
    for body in wrong:
        answer = admin.client.post(f"/gemini/sessions/{session}/update-title/", json=body)
        assert (answer.status_code, answer.json()["success"]) == (400, False)
        assert "title" in answer.json()["error"]
    for none in ("0", "abc", str(2**63)):
        answer = admin.client.post(f"/gemini/sessions/{none}/update-title/", json={"title": "x"})
        assert (answer.status_code, answer.json()["success"]) == (400, False)


# --- who, and in which language ---


@prefixes
def test_who_is_not_signed_in_gets_a_detail(admin: Member, prefix: str) -> None:
    del admin.client.headers["Authorization"]
    for path in ("send-message/", "test-api-key/", "sessions/1/update-title/"):
        answer = admin.client.post(f"{prefix}/{path}", json={"title": "x"})
        assert answer.status_code == 401
        assert answer.json() == {"detail": "Authentication credentials were not provided."}
        wrong = admin.client.post(f"{prefix}/{path}", headers={"Authorization": "Session no"})
        assert (wrong.status_code, wrong.json()) == (401, {"detail": "Invalid session."})


def test_a_page_needs_the_csrf_token(admin: Member) -> None:
    del admin.client.headers["Authorization"]
    admin.client.cookies.set("sessionid", admin.secret)
    refused = admin.client.post("/gemini/test-api-key/", json={"api_key": ""})
    assert (refused.status_code, refused.json()["success"]) == (403, False)
    taken = admin.client.post(
        "/gemini/test-api-key/", json={"api_key": KEY}, headers={"X-CSRFToken": admin.csrf}
    )
    assert taken.json()["success"] is True


def test_other_addresses_and_methods_keep_the_shape(admin: Member) -> None:
    for answer in (admin.client.get("/gemini/nothing/"), admin.client.get("/gemini/send-message/")):
        assert answer.status_code in (404, 405)
        assert set(answer.json()) == {"success", "error"}
    assert set(admin.client.get("/api/v1/gemini/nothing/").json()) == {"detail"}
